"""The daemon beside real HAPI servers of R4, R4B and R5: an alert has the shape of the release that
the server speaks, and is understood when it is read back."""
import json
import re
import subprocess
from pathlib import Path

import pytest

from daemon import BINARY, ROOT
from hapi_server import http
from r5 import as_r5
from real_ward import RealHospital, RealWard
from waiting import DEADLINE, wait_until
from ward import (LOW_COUNT, RXNORM, UCUM, evidence, implicated, low, order, own_mitigations,
                  patient_of, result, tag, treated)

GOLDEN = Path(ROOT) / "tests/golden/issue"

VERSIONS = {"R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}

# Members of an alert that no other release has.
OWN_MEMBERS = {"R4": {"patient"}, "R4B": {"patient"}, "R5": {"subject", "category"}}


@pytest.fixture(scope="module")
def ward(hapi_of_release, shared_house):
    daemon = shared_house.daemon(hapi_of_release.base, settings={
        "name": "releases", "poll": {"every": "1 s", "subscriptions": "1 s"}})
    daemon.wait_ready()
    yield RealWard(RealHospital(hapi_of_release.base, hapi_of_release.release), daemon)
    daemon.stop()


@pytest.fixture
def release(ward):
    return ward.hospital.release


def problems(ward, resource):
    """What the server's own validator, that of HL7, calls an error."""
    said = http("POST", f"{ward.hospital.base}/{resource['resourceType']}/$validate", resource)
    return [issue for issue in said.json["issue"] if issue["severity"] in ("error", "fatal")]


def shape(issue):
    return {"patient", "subject", "category"} & set(issue)


def test_it_knows_the_release(ward, release):
    assert f"version={VERSIONS[release]} " in ward.daemon.wait_log("event=capability ")


def test_the_validator_of_the_server_sees_a_wrong_shape(ward, release):
    """So that what it calls right is right."""
    wrong = {"resourceType": "DetectedIssue", "status": "final",
             "patient" if release == "R5" else "subject": {"reference": "Patient/1"}}
    assert problems(ward, wrong)


def test_the_golden_files_of_that_release_are_valid(ward, release):
    """All but those with a code of tomorrow, and with what somebody else wrote."""
    foreign = ("awkward", "recovered-after-mitigation")
    files = [path for path in GOLDEN.glob("*.json") if not path.name.startswith(foreign)
             and path.name.endswith("-r5.json") == (release == "R5")]
    assert len(files) >= 5
    for path in files:
        assert problems(ward, json.loads(path.read_text())) == [], path.name


def test_an_order_and_a_low_count_become_an_alert_of_that_release(ward, release):
    issue = low(ward, "rel-low")
    assert shape(issue) == OWN_MEMBERS[release]
    assert patient_of(issue) == "Patient/rel-low" and tag(issue, "rule") == LOW_COUNT
    assert implicated(issue)[0] == "MedicationRequest/rel-low-lenalidomide"
    assert evidence(issue) == ["Observation/rel-low-neutrophils"]
    assert ("10\\*9/L" if release == "R5" else "10*9/L") in issue["detail"]
    assert problems(ward, issue) == []


def test_its_author_is_a_device_of_that_release(ward, release):
    author = low(ward, "rel-author")["author"]["reference"].split("/")
    device = ward.hospital.get(*author[:2])
    names = {"name": [{"value": "releases", "type": "user-friendly-name"}]}
    if release != "R5":
        names = {"deviceName": [{"name": "releases", "type": "user-friendly-name"}]}
    assert names.items() <= device.items() and problems(ward, device) == []


def test_recovery_ends_it(ward):
    first = low(ward, "rel-end")
    ward.write(result("rel-end", 2.2, name="rel-end-2", when="-1 s"))
    ended = ward.alert("rel-end", status="ended")
    assert ended["id"] == first["id"] and ended["identifiedPeriod"]["end"]
    assert len(own_mitigations(ended)) == 1 and problems(ward, ended) == []
    ward.assert_single("rel-end", 2)


def test_a_mistaken_result_retracts_it(ward, release):
    low(ward, "rel-error")
    ward.edit("Observation", "rel-error-neutrophils", status="entered-in-error")
    retracted = ward.alert("rel-error", status="retracted")
    assert shape(retracted) == OWN_MEMBERS[release] and problems(ward, retracted) == []


def test_an_alert_that_says_the_same_is_not_written_again(ward):
    """What is read back is understood: an order that no rule looks at makes us look again."""
    low(ward, "rel-same")
    ward.settle()
    before = ward.daemon.journal()
    ward.write(order("rel-same", "loratadine"))
    wait_until(lambda: ward.daemon.journal() > before, what="the order", explain=ward.explain)
    ward.assert_single("rel-same", 1)


def test_what_a_clinician_wrote_is_kept(ward, release):
    issue = low(ward, "rel-answer")
    said = {"action": {"text": "Dose held until Monday"}, "date": "2026-01-05"}
    if release == "R5":
        said["note"] = [{"text": "*as agreed*"}]
    ward.edit("DetectedIssue", issue["id"], mitigation=[said])
    ward.write(result("rel-answer", 2.2, name="rel-answer-2", when="-1 s"))
    ended = ward.alert("rel-answer", status="ended")
    assert ended["mitigation"][0] == said and len(ended["mitigation"]) == 2
    assert problems(ward, ended) == []
    ward.assert_single("rel-answer", 3)


def test_an_order_by_reference_has_its_dose_from_the_strength(ward, release):
    """Five capsules of 5 mg."""
    strength = {"numerator": {"value": 5, "unit": "mg", "system": UCUM, "code": "mg"},
                "denominator": {"value": 1, "unit": "capsule"}}
    drug = {"coding": [{"system": RXNORM, "code": "342369", "display": "lenalidomide"}]}
    ward.write({"resourceType": "Medication", "id": "rel-capsule", "ingredient": [
        {"itemCodeableConcept": drug, "strength": strength}]})
    prescription = order("rel-ref", "lenalidomide")
    del prescription["medicationCodeableConcept"]
    prescription["medicationReference"] = {"reference": "Medication/rel-capsule"}
    prescription["dosageInstruction"][0]["doseAndRate"] = [
        {"doseQuantity": {"value": 5, "unit": "capsules"}}]
    if release == "R5":
        assert "medicationReference" not in as_r5(prescription)
    ward.write(*treated("rel-ref")[:-1], prescription, result("rel-ref", 0.8))
    issue = ward.alert("rel-ref")
    assert implicated(issue)[0] == "MedicationRequest/rel-ref-lenalidomide"
    assert re.search(r"\b25 mg once daily", issue["detail"])


def test_every_alert_stands_once_and_is_valid(ward, release, collection):
    ward.settle()
    issues = [i for i in ward.hospital.resources("DetectedIssue")
              if patient_of(i).startswith("Patient/rel-")]
    keys = [(patient_of(i), tag(i, "rule")) for i in issues]
    assert len(issues) >= 7 and len(set(keys)) == len(keys)
    for issue in issues:
        for version in ward.versions(issue):
            if release != "R5":     # whose shape the validators of R4 do not know
                collection.add(version, "test_hapi_releases")
            assert problems(ward, version) == []


def test_a_probe_says_which_release_it_is(ward, release):
    told = subprocess.run([BINARY, "probe", ward.hospital.base, "--format", "json"], text=True,
                          capture_output=True, timeout=DEADLINE, check=True).stdout
    assert json.loads(told)["release"] == release
    assert json.loads(told)["provedBy"] == "searches by _lastUpdated"
