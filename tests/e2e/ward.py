"""A ward of the stand-in hospital: patients, orders and results as a hospital writes them, and a
way to wait for what the daemon makes of them."""
import datetime
import json
import time

from hospital import Hospital
from story import alert_rule, alert_status
from waiting import DEADLINE, wait_until

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OURS = "urn:x-myeloma-adapter"

DRUGS = {"lenalidomide": ("342369", "lenalidomide"),
         "lenalidomide 25 mg capsule": ("643720", "lenalidomide 25 MG Oral Capsule"),
         "dexamethasone": ("3264", "dexamethasone"), "naproxen": ("7258", "naproxen"),
         "ciprofloxacin": ("2551", "ciprofloxacin"), "pomalidomide": ("1369713", "pomalidomide"),
         "loratadine": ("28889", "loratadine"), "apixaban": ("1364430", "apixaban"),
         "bortezomib": ("358258", "bortezomib")}
ANALYTES = {"neutrophils": ("751-8", "10*9/L"), "platelets": ("777-3", "10*9/L"),
            "creatinine": ("2160-0", "mg/dL"), "weight": ("29463-7", "kg")}

# Polls and looks at the Subscriptions are so far apart that a test sees none but the first.
SLOW = {"poll": {"every": "1 h", "subscriptions": "1 h"}}

LOW_COUNT = "len-combo-anc-hold"
NSAID = "mm-nsaid-renal"


# Time. A story is told relative to now: "-5 d", "+2 s"

def at(shift="0 s"):
    number, unit = shift.split()
    names = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
    moment = datetime.datetime.now(datetime.timezone.utc)
    moment += datetime.timedelta(**{names[unit]: float(number)})
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


# Resources

def patient(pid, **more):
    return {"resourceType": "Patient", "id": pid, "gender": "male", "birthDate": "1959-04-01",
            **more}


def myeloma(pid, **more):
    return {"resourceType": "Condition", "id": pid + "-mm",
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "active"}]},
            "code": {"coding": [{"system": ICD, "code": "C90.00"}]},
            "subject": {"reference": "Patient/" + pid}, "onsetDateTime": "2025-01-10", **more}


def order(pid, drug, name=None, status="active", since="-5 d", until=None, **more):
    code, display = DRUGS[drug]
    bounds = {"start": at(since), **({"end": at(until)} if until else {})}
    timing = {"repeat": {"boundsPeriod": bounds, "frequency": 1, "period": 1, "periodUnit": "d"}}
    return {"resourceType": "MedicationRequest", "id": name or f"{pid}-{drug.split()[0]}",
            "status": status, "intent": "order",
            "medicationCodeableConcept": {"coding": [
                {"system": RXNORM, "code": code, "display": display}]},
            "subject": {"reference": "Patient/" + pid}, "authoredOn": at(since),
            "dosageInstruction": [{"timing": timing, "doseAndRate": [
                {"doseQuantity": {"value": 25, "unit": "mg", "system": UCUM, "code": "mg"}}]}],
            **more}


def result(pid, value, analyte="neutrophils", name=None, when="-1 h", status="final", **more):
    code, unit = ANALYTES[analyte]
    return {"resourceType": "Observation", "id": name or f"{pid}-{analyte}", "status": status,
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "subject": {"reference": "Patient/" + pid}, "effectiveDateTime": at(when),
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}, **more}


def treated(pid, drug="lenalidomide", **more):
    """A patient with myeloma on a myeloma drug with dexamethasone, protected from thrombosis."""
    return [patient(pid), myeloma(pid), order(pid, "apixaban"), order(pid, "dexamethasone"),
            order(pid, drug, **more)]


# The hospital, which also keeps what it was asked

class Recorded:
    def __init__(self, request, status):
        self.at, self.status = time.monotonic(), status
        self.method, self.target, self.headers = request.method, request.target, request.headers
        self.body = request.body

    def __repr__(self):
        return f"{self.method} {self.target} -> {self.status}"


class WatchedHospital(Hospital):
    """Remembers every request with its headers."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.asked = []

    def answer(self, request):
        response = super().answer(request)
        self.asked.append(Recorded(request, response.wire or response.status))
        return response

    def requests_of(self, method, path):
        return [r for r in self.asked if r.method == method and path in r.target]


class Ward:
    def __init__(self, hospital, daemon=None):
        self.hospital, self.daemon = hospital, daemon

    def write(self, *resources):
        return [self.hospital.put(resource) for resource in resources]

    def edit(self, rtype, rid, **changes):
        """What a clinician changes in a resource that stands there."""
        return self.hospital.put({**self.hospital.get(rtype, rid), **changes})

    # alerts

    def alerts(self, pid=None, rule=None, status=None):
        return [a for a in self.hospital.resources("DetectedIssue")
                if (pid is None or patient_of(a) == "Patient/" + pid)
                and (rule is None or alert_rule_of(a) == rule)
                and (status is None or alert_status(a) == status)]

    def alert(self, pid, rule=LOW_COUNT, status="open", deadline=DEADLINE, where=None):
        """The one alert of the rule, when it is in that status (and where() holds)."""
        def found():
            mine = self.alerts(pid, rule, status)
            return mine[0] if mine and (where is None or where(mine[0])) else None
        return wait_until(found, deadline, f"{rule} {status} for {pid}", self.explain)

    def explain(self):
        issues = [(a["id"][:12], alert_rule_of(a), alert_status(a), patient_of(a))
                  for a in self.hospital.resources("DetectedIssue")]
        log = self.daemon.log()[-5000:] if self.daemon else ""
        return f"alerts: {json.dumps(issues)}\n{log}"

    def versions(self, issue):
        """Every version of an alert, oldest first."""
        return [v["resource"] for v in self.hospital.history("DetectedIssue")
                if v["id"] == issue["id"]]

    def settle(self, deadline=DEADLINE):
        """Until every notification is delivered, every event done and every alert written."""
        wait_until(self.is_settled, deadline, "nothing waits", self.explain)

    def is_settled(self):
        return not self.hospital.notifier.state()["pending"] and self.daemon.owed() == (0, 0)

    def subscriptions(self):
        """Ours by the type that they are for: the end of the endpoint, in every form."""
        return {s["channel"].get("endpoint", s["criteria"]).rpartition("/")[2].partition("?")[0]: s
                for s in self.hospital.resources("Subscription")}

    def subscribed(self, deadline=DEADLINE):
        """The Subscriptions, when all three are active."""
        def active():
            subs = self.subscriptions()
            good = [s for s in subs.values() if s["status"] == "active"]
            return subs if len(good) == 3 else None
        return wait_until(active, deadline, "three active Subscriptions", self.explain)

    def listening(self, deadline=DEADLINE, since=0):
        """Until the daemon knows that its Subscriptions are active, and the poll that follows is
        over: from now on what it learns soon, it learns by push."""
        self.subscribed(deadline)
        for rtype in ("MedicationRequest", "Observation", "Condition"):
            active = self.daemon.wait_log(f"event=subscription-active type={rtype} ", deadline,
                                          since)
            self.daemon.wait_log(f"event=polled type={rtype} ", deadline,
                                 since=self.daemon.lines.index(active, since))
        return self

    def secret(self):
        header = self.subscribed()["Observation"]["channel"]["header"][0]
        return header.partition(":")[2].strip()

    def notify(self, path, body=None, method="POST", key=None, headers=None):
        """What a server would send to the hook; status, headers and body of the answer."""
        headers = {"X-Myeloma-Adapter-Key": key or self.secret(), **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/fhir+json")
        return self.daemon.request(method, "/hook/" + path, body, headers)


def alert_rule_of(issue):
    """As alert_rule() of the story, for urn systems too."""
    tags = issue.get("meta", {}).get("tag", [])
    return alert_rule(issue) or next(
        (t["code"] for t in tags if t.get("system") == OURS + ":rule"), None)


def patient_of(issue):
    """The patient of R4 is the subject of R5."""
    return (issue.get("patient") or issue["subject"])["reference"]


def tag(issue, name):
    return next((t["code"] for t in issue["meta"]["tag"] if t["system"] == f"{OURS}:{name}"), None)


def evidence(issue):
    return [d["reference"] for e in issue.get("evidence", []) for d in e["detail"]]


def implicated(issue):
    return [r["reference"] for r in issue.get("implicated", [])]


def own_mitigations(issue):
    return [m for m in issue.get("mitigation", [])
            if any(c.get("system") == OURS + ":mitigation" for c in m["action"].get("coding", []))]


def low(ward, pid, value=0.8, **more):
    """A patient whose low count has just raised an alert."""
    ward.write(*treated(pid), result(pid, value, **more))
    return ward.alert(pid)
