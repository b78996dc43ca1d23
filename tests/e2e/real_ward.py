"""A real FHIR server as the hospital of a ward."""
import itertools
import json

from hapi_server import http
from r5 import as_r5
from waiting import wait_until
from ward import LOW_COUNT, Ward, alert_rule_of, myeloma, order, patient, result

FRESH = {"Cache-Control": "no-cache"}


class RealHospital:
    """The few things that a ward wants of a hospital, from a server over HTTP. Resources are written
    here as R4 has them; a server of R5 gets them in the shape of R5."""

    def __init__(self, base, release="R4"):
        self.base, self.release = base, release

    def put(self, resource):
        if self.release == "R5":
            resource = as_r5(resource)
        url = f"{self.base}/{resource['resourceType']}"
        made = (http("PUT", f"{url}/{resource['id']}", resource) if "id" in resource
                else http("POST", url, resource))
        assert made.status in (200, 201), made.text
        return made.json

    def get(self, rtype, rid):
        found = http("GET", f"{self.base}/{rtype}/{rid}", headers=FRESH)
        return found.json if found.status == 200 else None

    def delete(self, rtype, rid):
        assert http("DELETE", f"{self.base}/{rtype}/{rid}").status in (200, 204)

    def resources(self, rtype):
        return [e["resource"] for e in self._entries(f"{self.base}/{rtype}?_count=200")]

    def versions(self, resource):
        """Every version, oldest first, each read by itself: HAPI counts a history only now and
        then, and hands out no more than it has counted."""
        url = f"{self.base}/{resource['resourceType']}/{resource['id']}/_history"
        last = int(self.get(resource["resourceType"], resource["id"])["meta"]["versionId"])
        return [http("GET", f"{url}/{n + 1}").json for n in range(last)]

    def _entries(self, url):
        entries = []
        while url:
            page = http("GET", url, headers=FRESH)
            assert page.status == 200, page.text
            entries += page.json.get("entry", [])
            url = next((x["url"] for x in page.json.get("link", []) if x["relation"] == "next"),
                       None)
        return entries


TOPIC = "http://hospital.example/topics/"


def make_topics(hospital):
    """A topic of every change for each type that the daemon listens to; not on R4, which has none."""
    for rtype in ("MedicationRequest", "Observation", "Condition") if hospital.release != "R4" else ():
        hospital.put({"resourceType": "SubscriptionTopic", "id": rtype.lower(),
                      "url": TOPIC + rtype.lower(), "status": "active", "resourceTrigger": [
                          {"resource": rtype, "supportedInteraction": ["create", "update", "delete"]}]})


class RealWard(Ward):
    def is_settled(self):
        return self.daemon.owed() == (0, 0)

    def versions(self, issue):
        return self.hospital.versions(issue)

    def subscriptions(self):
        """Those of topics too; only those that this daemon has made."""
        return {_type_of(s): s for s in self.hospital.resources("Subscription")
                if f":{self.daemon.port}/" in json.dumps(s)}

    def hearing(self, *rtypes):
        """Until HAPI notifies of each type: a Subscription that is active in its database is not
        yet so in its memory. The patient of the probes has no myeloma, so there is no alert."""
        self.hospital.put(patient("hapi-probe"))
        for rtype in rtypes:
            since, probes = len(self.daemon.lines), itertools.count(1)
            heard = f"event=event-in type={rtype} id=hapi-probe"

            def told():
                if any(heard in line for line in self.daemon.lines[since:]):
                    return True
                self.hospital.put(probe(rtype, next(probes)))
                return False
            wait_until(told, what=heard, explain=self.explain, every=0.5)
        return self

    def assert_single(self, pid, versions):
        """One DetectedIssue for each rule, and the one of the low count with so many versions."""
        self.settle()
        rules = [alert_rule_of(a) for a in self.alerts(pid)]
        assert len(rules) == len(set(rules)), rules
        issue, = self.alerts(pid, LOW_COUNT)
        assert issue["meta"]["versionId"] == str(versions)


def _type_of(subscription):
    """What it listens to stands in its criteria, or in the name of our topics."""
    topic = subscription.get("topic") or subscription["criteria"]
    types = {TOPIC + rtype.lower(): rtype
             for rtype in ("MedicationRequest", "Observation", "Condition")}
    return types.get(topic) or topic.partition("?")[0]


def probe(rtype, number):
    """A resource that no rule looks at, another one for each number."""
    made = {"Observation": result("hapi-probe", 70, "weight"),
            "MedicationRequest": order("hapi-probe", "loratadine"),
            "Condition": myeloma("hapi-probe", code={"text": "a cold"})}[rtype]
    return {**made, "id": "hapi-probe", "note": [{"text": f"probe {number}"}]}
