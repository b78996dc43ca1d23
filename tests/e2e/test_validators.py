"""Each validator and each check of our own sees what it is there for."""

import copy
import json
import subprocess

import pytest

import validators

READY, REASON = validators.available()
pytestmark = pytest.mark.skipif(not READY, reason=REASON)

XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

VALID = {
    "resourceType": "DetectedIssue",
    "id": "mm-0a1b2c",
    "text": {
        "status": "generated",
        "div": XHTML + "<p>Lenalidomide &amp; platelets &lt; 30&#160;G/L<br/>hold</p></div>",
    },
    "identifier": [{"system": "urn:example:alert", "value": "0a1b2c"}],
    "status": "preliminary",
    "code": {
        "coding": [{"system": ACT_CODE, "code": "LAB", "display": "Lab Alert"}],
        "text": "Dose to be held: platelets too low",
    },
    "severity": "high",
    "patient": {"reference": "Patient/p1"},
    "identifiedDateTime": "2026-03-04T05:06:07Z",
    "author": {"reference": "Device/mm-adapter"},
    "implicated": [
        {"reference": "MedicationRequest/m1/_history/2"},
        {"reference": "https://fhir.example.org/r4/Observation/o1"},
    ],
    "evidence": [{
        "code": [{"text": "platelets 22 G/L"}],
        "detail": [{"reference": "Observation/o1"}],
    }],
    "detail": "Platelets 22 G/L on 2026-03-04.",
    "reference": "https://example.org/rules/len-plt",
    "mitigation": [{"action": {"text": "hold the dose"}, "date": "2026-03-04"}],
}


def broken(**changes) -> dict:
    """The valid resource with some elements replaced, or removed by `...`."""
    resource = {**copy.deepcopy(VALID), **changes}
    return {name: value for name, value in resource.items() if value is not ...}


def narrative(inner: str) -> dict:
    return {"status": "generated", "div": XHTML + inner + "</div>"}


def named(**name) -> dict:
    return {"resourceType": "Patient", "id": "p1", "name": [name]}


WHY = {"extension": [{"url": "http://example.org/why", "valueString": "unknown"}]}
TWO_VALUES = {"url": "http://example.org/x", "valueString": "a", "valueDecimal": 1.5}

GOOD = {
    "a valid DetectedIssue": VALID,
    "no narrative at all": broken(text=...),
    "a null that keeps a primitive array in step":
        named(given=["Ada", None], _given=[None, WHY]),
}

# What is wrong with it: the resource, who must see it, a part of what they say.
ALL_THREE = ("medplum", "fhir", "schema")
BAD = {
    "no status": (broken(status=...), ("medplum", "fhir", "own"), ".status"),
    "a patient that is a string": (broken(patient="Patient/p1"), ("medplum",), ".patient"),
    "a reference to a wrong type":
        (broken(patient={"reference": "Group/g"}), ("fhir",), ".patient"),
    "a severity outside the value set":
        (broken(severity="huge"), ("fhir", "schema"), "severity"),
    "an element that does not exist": (broken(nonsense=1), ALL_THREE, "nonsense"),
    "a time that is none":
        (broken(identifiedDateTime="yesterday"), ALL_THREE, "identified"),
    "a mitigation without an action":
        (broken(mitigation=[{"date": "2026-03-04"}]), ALL_THREE, "action"),
    "an unknown resource type":
        ({"resourceType": "Nonsense", "id": "n"}, ALL_THREE, ""),
    "an id with a blank": (broken(id="a b"), ("schema",), "id: "),
    "an empty array": (broken(implicated=[]), ("own",), ".implicated: empty array"),
    "an empty object": (broken(code={}), ("own",), ".code: empty object"),
    "an empty object deep inside":
        (broken(code={"coding": [{}], "text": "x"}), ("own",), ".coding[0]: empty object"),
    "an empty string": (broken(detail=""), ("schema", "own"), "detail: "),
    "a null": (broken(detail=None), ("medplum", "schema", "own"), "detail: "),
    "a null with nothing beside it":
        (named(given=["Ada", None]), ("own",), ".given[1]: null"),
    "two of identified[x]":
        (broken(identifiedPeriod={"start": "2026-03-04"}), ("own",),
         "more than one of identified[x]: identifiedDateTime, identifiedPeriod"),
    "two of value[x] deep inside":
        (broken(evidence=[{"extension": [TWO_VALUES]}]), ("own",),
         ".evidence[0].extension[0]: more than one of value[x]"),
    "a status that R5 does not have": (broken(status="amended"), ("own",), ".status"),
    "a status that R4 does not have": (broken(status="mitigated"), ("own",), ".status"),
    "a conditional reference":
        (broken(patient={"reference": "Patient?identifier=urn:x|1"}), ("own",), "literal"),
    "a reference without an id":
        (broken(patient={"reference": "Patient"}), ("own",), "literal"),
    "a reference to no known type":
        (broken(implicated=[{"reference": "Nonsense/1"}]), ("own",), "literal"),
    "a reference to nothing contained":
        (broken(patient={"reference": "#absent"}), ("own",), "nothing contained"),
    "a reference of words only":
        (broken(patient={"display": "somebody"}), ("own",), "literal"),
    "a reference by identifier only":
        (broken(patient={"identifier": {"value": "1"}}), ("own",), "literal"),
    "a div without its namespace":
        (broken(text={"status": "generated", "div": "<div><p>x</p></div>"}), ("own",),
         "does not begin with"),
    "a narrative with an open element":
        (broken(text=narrative("<p>x")), ("own",), "not well-formed"),
    "a narrative of two divs":
        (broken(text=narrative("x</div><div>y")), ("own",), "one root element"),
    "a narrative with a bare <":
        (broken(text=narrative("platelets < 30")), ("own",), "not well-formed"),
    "a narrative with an entity of HTML":
        (broken(text=narrative("a &nbsp; b")), ("own",), "no entity of XML"),
    "a narrative with an attribute without quotes":
        (broken(text=narrative("<p class=x>x</p>")), ("own",), "not well-formed"),
    "a narrative with a script":
        (broken(text=narrative("<script>x()</script>")), ("own",), "<script> is not"),
    "a narrative with a style sheet":
        (broken(text=narrative("<style>p {}</style>")), ("own",), "<style> is not"),
    "a narrative with a handler":
        (broken(text=narrative('<p onclick="x()">x</p>')), ("own",), "onclick in <p>"),
    "a narrative with a script address":
        (broken(text=narrative('<a href="javascript:x()">x</a>')), ("own",),
         "holds a script address"),
    "a narrative of blanks": (broken(text=narrative("  ")), ("own",), "no content"),
}


@pytest.fixture(scope="module")
def verdicts() -> dict:
    """The problems by case; all in one run, for each start costs a second."""
    validators.install()
    cases = {**GOOD, **{name: case[0] for name, case in BAD.items()}}
    lines = validators.validate(list(cases.values()))
    return {name: [line.split(": ", 1)[1] for line in lines
                   if line.startswith(f"stdin#{n} ")]
            for n, name in enumerate(cases, 1)}


@pytest.mark.parametrize("what", GOOD)
def test_there_is_no_problem_with(what, verdicts):
    assert verdicts[what] == []


@pytest.mark.parametrize("what", BAD)
def test_the_validators_meant_for_it_see(what, verdicts):
    _, seers, text = BAD[what]
    for seer in seers:
        said = [p for p in verdicts[what] if p.startswith(seer + ": ")]
        assert any(text in p for p in said), (seer, verdicts[what])


def test_only_our_own_check_sees_two_of_one_choice(verdicts):
    assert len(verdicts["two of identified[x]"]) == 1


def test_the_entries_of_a_bundle_are_validated_one_by_one():
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": VALID},
        {"request": {"method": "DELETE", "url": "DetectedIssue/x"}},
        {"resource": broken(implicated=[])},
    ]}
    assert validators.validate([bundle]) == [
        "stdin#2 DetectedIssue/mm-0a1b2c: own: DetectedIssue.implicated: empty array"]


def run_script(*args, text: str = "") -> subprocess.CompletedProcess:
    validators.install()
    return subprocess.run([validators.node(), str(validators.SCRIPT), *args],
                          input=text, capture_output=True, text=True)


def test_the_script_names_the_file_and_counts(tmp_path):
    path = tmp_path / "two.ndjson"
    path.write_text(json.dumps(VALID) + "\n" + json.dumps(broken(implicated=[])) + "\n")
    run = run_script(str(path))
    *problems, summary = run.stdout.splitlines()
    assert run.returncode == 1
    assert all(p.startswith(f"{path}#2 DetectedIssue/mm-0a1b2c: ") for p in problems)
    assert summary == f"2 resources, {len(problems)} problems"


def test_the_script_ends_with_nought_when_all_is_well():
    run = run_script(text=json.dumps(VALID, indent=2))
    assert (run.returncode, run.stdout) == (0, "1 resources, 0 problems\n")


def test_the_script_reports_text_that_is_no_json():
    run = run_script(text=json.dumps(VALID) + "\n{oops\n")
    assert run.returncode == 1
    assert run.stdout.startswith("stdin#2 ?/?: json: ")


@pytest.mark.parametrize("args", [["--unknown"], ["no-such-file.json"]])
def test_the_script_ends_with_two_on_wrong_usage(args):
    run = run_script(*args)
    assert (run.returncode, run.stdout) == (2, "")
