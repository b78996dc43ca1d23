"""The daemon beside a real HAPI FHIR server: what a hospital writes there becomes alerts there."""
import json
import subprocess

import pytest

from daemon import BINARY
from hapi_server import HapiServer, http
from real_ward import RealHospital, RealWard
from waiting import DEADLINE, wait_until
from ward import (LOW_COUNT, NSAID, RXNORM, alert_rule_of, evidence, implicated, low, order,
                  own_mitigations, result, tag, treated)

AVAILABLE, REASON = HapiServer.available()
pytestmark = pytest.mark.skipif(not AVAILABLE, reason=REASON)

@pytest.fixture(scope="module")
def ward(shared_house, collection, tmp_path_factory):
    """HAPI and the daemon, once for the file. Polls are an hour apart: changes come by push."""
    HapiServer.build()
    with HapiServer(tmp_path_factory.mktemp("hapi-log")) as hapi:
        hospital = RealHospital(hapi.base)
        daemon = shared_house.daemon(hapi.base, settings={
            "poll": {"every": "1 h", "subscriptions": "1 s"}})
        daemon.wait_ready()
        ward = RealWard(hospital, daemon)
        ward.listening()
        yield ward.hearing("MedicationRequest", "Observation", "Condition")
        daemon.stop()
        for issue in hospital.resources("DetectedIssue"):
            for version in hospital.versions(issue):
                collection.add(version, "test_hapi")


def test_it_says_what_hapi_can_do(ward):
    line = ward.daemon.wait_log("event=capability ")
    assert "version=4.0.1" in line and "HAPI" in line
    rest = http("GET", ward.hospital.base + "/metadata").json["rest"][0]
    says = next(r for r in rest["resource"] if r["type"] == "DetectedIssue")
    way = "update-create" if says.get("updateCreate") else "conditional-create"
    assert "status=push" in line and "what=" + way in line


def test_a_probe_finds_out_what_hapi_can_do(ward):
    told = subprocess.run([BINARY, "probe", ward.hospital.base, "--format", "json"], text=True,
                          capture_output=True, timeout=DEADLINE, check=True).stdout
    found = json.loads(told)
    assert found["release"] == "R4" and found["software"].startswith("HAPI")
    assert found["provedBy"] == "searches by _lastUpdated"
    assert found["writtenBy"] == "POST with If-None-Exist"    # it does not state updateCreate


def test_hapi_activates_its_subscriptions(ward):
    assert set(ward.subscribed()) == {"MedicationRequest", "Observation", "Condition"}
    assert len(ward.hospital.resources("Subscription")) == 3
    for rtype in ward.subscribed():
        ward.daemon.wait_log(f"event=subscription-active type={rtype}")


def test_a_low_count_raises_an_alert_by_push(ward):
    """The poll is an hour away, so only a notification can have told."""
    before = ward.daemon.metrics()
    issue = low(ward, "hapi-low")
    # The first notification lets the daemon read the whole chart: the other two may come later.
    told = before["notifications_total"] + 3
    wait_until(lambda: ward.daemon.metrics()["notifications_total"] >= told,
               what="a notification for each resource", explain=ward.explain)
    assert (ward.daemon.metrics()["events_found_by_poll_total"]
            == before["events_found_by_poll_total"])
    assert issue["severity"] == "high" and tag(issue, "rule") == LOW_COUNT
    assert implicated(issue)[0] == "MedicationRequest/hapi-low-lenalidomide"
    assert evidence(issue) == ["Observation/hapi-low-neutrophils"]
    assert issue["patient"]["reference"] == "Patient/hapi-low"
    kind, rid = issue["author"]["reference"].split("/")[:2]
    assert ward.hospital.get(kind, rid)["version"]
    ward.assert_single("hapi-low", 1)


def test_an_interaction_raises_an_alert(ward):
    ward.write(*treated("hapi-nsaid"), order("hapi-nsaid", "naproxen", since="-1 h"))
    issue = ward.alert("hapi-nsaid", NSAID)
    assert issue["severity"] == "high"
    assert implicated(issue)[0] == "MedicationRequest/hapi-nsaid-naproxen"
    assert "Condition/hapi-nsaid-mm" in evidence(issue)


def test_an_alert_is_updated_and_ends(ward):
    first = low(ward, "hapi-story")
    ward.write(result("hapi-story", 0.6, name="hapi-story-2", when="-10 min"))
    second = ward.alert("hapi-story", where=lambda a: evidence(a) == ["Observation/hapi-story-2"])
    ward.write(result("hapi-story", 2.2, name="hapi-story-3", when="-1 s"))
    ended = ward.alert("hapi-story", status="ended")
    assert first["id"] == second["id"] == ended["id"]
    assert len(own_mitigations(ended)) == 1
    ward.assert_single("hapi-story", 3)


def test_a_result_entered_in_error_retracts_the_alert(ward):
    low(ward, "hapi-error")
    ward.edit("Observation", "hapi-error-neutrophils", status="entered-in-error")
    assert ward.alert("hapi-error", status="retracted")["status"] == "entered-in-error"
    ward.assert_single("hapi-error", 2)


def test_a_deleted_result_retracts_the_alert(ward):
    low(ward, "hapi-deleted")
    ward.hospital.delete("Observation", "hapi-deleted-neutrophils")
    ward.alert("hapi-deleted", status="retracted")


def test_a_stopped_order_ends_the_alert(ward):
    low(ward, "hapi-stop")
    ward.edit("MedicationRequest", "hapi-stop-lenalidomide", status="stopped")
    mitigation, = own_mitigations(ward.alert("hapi-stop", status="ended"))
    assert "lenalidomide" in mitigation["action"]["text"]


def test_what_a_clinician_wrote_is_kept(ward):
    issue = low(ward, "hapi-answer")
    said = {"action": {"text": "Dose held until Monday"}, "date": "2026-01-05"}
    ward.edit("DetectedIssue", issue["id"], mitigation=[said])
    ward.write(result("hapi-answer", 2.2, name="hapi-answer-2", when="-1 s"))
    ended = ward.alert("hapi-answer", status="ended")
    assert ended["mitigation"][0]["action"] == said["action"] and len(ended["mitigation"]) == 2
    ward.assert_single("hapi-answer", 3)


def test_a_medication_by_reference_is_read(ward):
    ward.write({"resourceType": "Medication", "id": "hapi-capsule", "code": {"coding": [
        {"system": RXNORM, "code": "643720", "display": "lenalidomide 25 MG Oral Capsule"}]}})
    prescription = order("hapi-ref", "lenalidomide")
    del prescription["medicationCodeableConcept"]
    prescription["medicationReference"] = {"reference": "Medication/hapi-capsule"}
    ward.write(*treated("hapi-ref")[:-1], prescription, result("hapi-ref", 0.8))
    assert "MedicationRequest/hapi-ref-lenalidomide" in implicated(ward.alert("hapi-ref"))


def test_resources_whose_ids_the_server_chose_are_understood(ward):
    def posted(resource):
        return ward.write({k: v for k, v in resource.items() if k != "id"})[0]
    person, *others = treated("hapi-posted")
    pid = posted(person)["id"]
    for resource in (*others, result("hapi-posted", 0.8)):
        posted({**resource, "subject": {"reference": "Patient/" + pid}})
    issue = ward.alert(pid)
    assert ward.hospital.get(*evidence(issue)[0].split("/"))["valueQuantity"]["value"] == 0.8


def test_a_subscription_switched_off_by_hand_comes_back(ward):
    subscription = ward.subscribed()["Observation"]
    ward.hospital.put({**subscription, "status": "off"})
    wait_until(lambda: ward.subscriptions()["Observation"]["status"] == "active",
               what="the Subscription is active again", explain=ward.explain)
    after = ward.subscriptions()["Observation"]
    assert after["id"] == subscription["id"] and after["channel"] == subscription["channel"]
    ward.hearing("Observation")
    before = ward.daemon.metrics()["notifications_total"]
    low(ward, "hapi-after-off")
    wait_until(lambda: ward.daemon.metrics()["notifications_total"] > before,
               what="a notification", explain=ward.explain)


def test_a_restart_with_changes_in_between_neither_loses_nor_doubles(ward):
    steady, ending = low(ward, "hapi-steady"), low(ward, "hapi-ending")
    ward.write(*treated("hapi-new"))
    ward.settle()
    assert ward.daemon.stop() == 0
    ward.write(result("hapi-ending", 2.4, name="hapi-ending-2", when="-1 s"),
               result("hapi-new", 0.7))
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    assert ward.alert("hapi-ending", status="ended")["id"] == ending["id"]
    ward.alert("hapi-new")
    ward.write(result("hapi-steady", 0.5))
    assert ward.alert("hapi-steady", where=lambda a: "0.5" in a["detail"])["id"] == steady["id"]
    for pid, versions in (("hapi-steady", 2), ("hapi-ending", 2), ("hapi-new", 1)):
        ward.assert_single(pid, versions)
    assert len(ward.hospital.resources("Subscription")) == 3


def test_a_crash_in_the_middle_neither_loses_nor_doubles(ward):
    names = [f"hapi-crash-{n}" for n in range(4)]
    for pid in names:
        ward.write(*treated(pid), result(pid, 0.8))
    ward.daemon.kill()
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    for pid in names:
        ward.alert(pid)
        ward.assert_single(pid, 1)


def test_every_alert_of_this_file_stands_once(ward):
    """Two episodes were never asked for, so no rule has two alerts for one patient."""
    ward.settle()
    seen = {}
    for issue in ward.hospital.resources("DetectedIssue"):
        key = issue["patient"]["reference"], alert_rule_of(issue)
        assert key not in seen, f"{key}: {seen[key]} and {issue['id']}"
        seen[key] = issue["id"]
    assert len(seen) >= 12


def state_of(daemon, pid, rule=LOW_COUNT):
    """How the daemon holds the alert: "open", "retracted" ...; None: it has none."""
    rows = daemon.query(f"SELECT state FROM alert WHERE patient = '{pid}' AND rule = '{rule}'")
    return rows[0][0] if rows else None


@pytest.mark.parametrize("by", ["history", "updated"])
def test_a_deletion_that_hapi_told_nobody_of_is_found_in_its_history(ward, shared_house, by):
    """Another installation beside the first, which is only polled; it writes alerts of its own."""
    pid = "hapi-polled-" + by
    ward.write(*treated(pid), result(pid, 0.8))
    polled = shared_house.daemon(ward.hospital.base, hook=False, settings={
        "name": by, "poll": {"every": "1 s", "by": by}})
    polled.wait_ready()
    wait_until(lambda: state_of(polled, pid) == "open", what="an open alert",
               explain=lambda: polled.log()[-4000:])
    ward.hospital.delete("Observation", pid + "-neutrophils")
    wait_until(lambda: state_of(polled, pid) == "retracted", what="a retracted alert",
               explain=lambda: polled.log()[-4000:])
    assert polled.stop() == 0
