"""`myeloma-adapter replay`: what it reads, how the clock runs, what it prints, what it sets aside."""
import copy
import functools
import gzip
import json
import random
import subprocess
import sys

import pytest

import charts
from charts import (ATC, LOINC, NOW_TEXT, PROGRAM, ROOT, RXNORM, SNOMED, UCUM, VERIFICATION, at,
                    bundle, coding, concept, condition, deletion, dosage, history, ndjson,
                    order, packed, patient, program, quantity, result, text, version)

sys.path.insert(0, str(ROOT / "tests"))
from few_rules import few_rules  # noqa: E402
from r5 import as_r5  # noqa: E402

MAPPINGS = few_rules()
play = functools.partial(charts.play, mappings=MAPPINGS)
replay = functools.partial(charts.replay, mappings=MAPPINGS)

RULE = "len-combo-anc-hold"

# One patient with one finding: neutrophils of 0.7 under lenalidomide and dexamethasone.
PATIENT = patient()
MYELOMA = condition()
LEN = order("len", "lenalidomide", "25 mg")
DEX = order("dex", "dexamethasone", "40 mg", unit="wk")
ASPIRIN = order("asp", "aspirin", "81 mg")
COUNT = result("anc", "neutrophils", 0.7, 2)
BASE = [PATIENT, MYELOMA, LEN, DEX, ASPIRIN]
CHART = BASE + [COUNT]


def told(run):
    return [(alert["rule"], alert["status"]) for alert in run.alerts]


def once(chart, *arguments, **more):
    return play(chart, "--as-of", NOW_TEXT, *arguments, **more)


EXPECTED = once(CHART).raw


def test_the_chart_of_these_tests_gives_one_alert():
    assert told(once(CHART)) == [(RULE, "open")]


# ---- what can be read

def urn_bundle(resources, kind):
    """The resources without ids, under urn:uuid full URLs, referring to each other by them."""
    urns = {f"{r['resourceType']}/{r['id']}": f"urn:uuid:0000000{i}-0000-4000-8000-000000000000"
            for i, r in enumerate(resources)}
    words = json.dumps(resources)
    for where, urn in urns.items():
        words = words.replace(f'"{where}"', f'"{urn}"')
    made = bundle(json.loads(words), kind)
    for entry, urn in zip(made["entry"], urns.values()):
        entry["fullUrl"] = urn
        entry["request"] = {"method": "POST", "url": entry["resource"]["resourceType"]}
        del entry["resource"]["id"]
    return made


def absolute(resources):
    """Subjects as absolute URLs, one of them with a version."""
    words = json.dumps(resources).replace('"Patient/p1"', '"https://ehr.example/fhir/Patient/p1"')
    return json.loads(words.replace(
        '"https://ehr.example/fhir/Patient/p1"', '"Patient/p1/_history/3"', 1))


BYTES = {
    "a collection": text(bundle(CHART)),
    "a batch": text(bundle(CHART, "batch")),
    "a search set": text(bundle(CHART, "searchset")),
    "a transaction": text(bundle(CHART, "transaction")),
    "a history": text(history(CHART)),
    "a document whose type stands last": text(dict(reversed(bundle(CHART, "document").items()))),
    "a Bundle in a Bundle": text(bundle([PATIENT, {**bundle(CHART[1:]), "id": "inner"}])),
    "NDJSON": ndjson(CHART),
    "NDJSON without a newline at its end": ndjson(CHART).rstrip(),
    "NDJSON with CR LF and empty lines": ndjson(CHART).replace(b"\n", b"\r\n\r\n"),
    "a gzipped Bundle": packed(text(bundle(CHART))),
    "gzipped NDJSON": packed(ndjson(CHART)),
    "gzip in two members": packed(ndjson(CHART[:3])) + packed(ndjson(CHART[3:])),
    "a Bundle with a byte order mark": b"\xef\xbb\xbf" + text(bundle(CHART)),
    "NDJSON with a byte order mark": b"\xef\xbb\xbf" + ndjson(CHART),
    "an indented Bundle": json.dumps(bundle(CHART), indent=3).encode(),
    "escaped member names": text(bundle(CHART)).replace(b'"resource"', b'"\\u0072esource"'),
    "absolute references": text(bundle(absolute(CHART))),
    "a list of resources": text(CHART),
    "resources of R5": text(bundle([as_r5(r) for r in CHART])),
}


@pytest.mark.parametrize("shape", BYTES)
def test_the_same_chart_gives_the_same_bytes_as(shape):
    run = once(BYTES[shape])
    assert (run.code, run.aside) == (0, []), run.err
    assert run.raw == EXPECTED


# Creatinine and weight make a finding that needs the Patient itself, a reference the drug.
LINKED = [PATIENT, MYELOMA, DEX, ASPIRIN, COUNT,
          {"resourceType": "Medication", "id": "m1", "code": concept(RXNORM, "643720")},
          {**{k: v for k, v in LEN.items() if k != "medicationCodeableConcept"},
           "medicationReference": {"reference": "Medication/m1"}},
          result("cr", "creatinine", 2.0), result("w", "weight", 80)]
LINKED_RULES = [(RULE, "open"), ("len-renal-combo", "open")]


def test_references_by_id_are_followed():
    assert told(once(LINKED)) == LINKED_RULES


def test_references_of_r5_are_followed():
    chart = [as_r5(resource) for resource in LINKED]
    assert chart[6]["medication"] == {"reference": {"reference": "Medication/m1"}}
    assert once(chart).raw == once(LINKED).raw


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection"])
def test_references_by_urn_uuid_are_followed_in_a(kind):
    run = once(urn_bundle(LINKED, kind))
    assert run.code == 0
    assert told(run) == LINKED_RULES


def test_references_by_urn_uuid_are_followed_where_resources_have_ids_of_their_own_too():
    made = urn_bundle(LINKED, "transaction")
    for entry, resource in zip(made["entry"], LINKED):
        entry["resource"]["id"] = resource["id"]
    assert told(once(made)) == LINKED_RULES


def write(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_single_resources_are_read_from_several_paths(tmp_path):
    write(tmp_path, {f"{i}.txt": text(resource) for i, resource in enumerate(CHART)})
    run = replay("--as-of", NOW_TEXT, *sorted(tmp_path.iterdir()))
    assert (run.code, run.raw) == (0, EXPECTED)


def test_a_folder_is_read_with_all_that_is_below_it(tmp_path):
    write(tmp_path, {"a.json": text(bundle(CHART[:2])), "b/c/d.ndjson": ndjson(CHART[2:3]),
                     "b/e.json.gz": packed(text(CHART[3])), "f.ndjson.gz": packed(ndjson(CHART[4:])),
                     "README.md": b"no resource", ".hidden.json": b"{", "b/table.csv": b"a,b"})
    run = replay("--as-of", NOW_TEXT, tmp_path)
    assert (run.code, run.raw, run.aside) == (0, EXPECTED, [])


def test_standard_input_and_files_go_together(tmp_path):
    write(tmp_path, {"a.json": text(bundle(CHART[:3]))})
    run = replay("--as-of", NOW_TEXT, tmp_path / "a.json", "-", input=ndjson(CHART[3:]))
    assert (run.code, run.raw) == (0, EXPECTED)


def test_an_empty_folder_and_an_empty_bundle_have_no_alerts(tmp_path):
    assert replay(tmp_path).code == 0
    run = play([], format="table")
    assert (run.code, run.out) == (0, "no alerts\n")


# ---- how drugs and results are coded

def medication(id="m1", **content):
    return {"resourceType": "Medication", "id": id, **content}


BY_CODE = {"code": concept(RXNORM, "643720")}
BY_INGREDIENT = {"ingredient": [{"itemCodeableConcept": concept(RXNORM, "342369"), "strength": {
    "numerator": quantity("25 mg"),
    "denominator": {"value": 1, "system": UCUM, "code": "1"}}}]}
BARE = {key: value for key, value in LEN.items() if key != "medicationCodeableConcept"}


def coded(*codings):
    return {**BARE, "medicationCodeableConcept": {"coding": list(codings)}}


LENALIDOMIDE = {
    "an RxNorm product": [coded(coding(RXNORM, "643720"))],
    "an RxNorm brand product": [coded(coding(RXNORM, "643722"))],
    "an RxNorm brand name": [coded(coding(RXNORM, "337535"))],
    "an RxNorm ingredient": [coded(coding(RXNORM, "342369"))],
    "RxNorm by its OID": [coded(coding("urn:oid:2.16.840.1.113883.6.88", "643720"))],
    "ATC": [coded(coding(ATC, "L04AX04"))],
    "a local code first": [coded(coding("urn:local:pharmacy", "LEN25"), coding(RXNORM, "643720"))],
    "an ingredient and then the product": [
        coded(coding(RXNORM, "342369"), coding(RXNORM, "643720"))],
    "a contained Medication": [{
        **BARE, "contained": [medication(**BY_CODE)],
        "medicationReference": {"reference": "#m1"}}],
    "a contained Medication of ingredients only": [{
        **BARE, "contained": [medication(**BY_INGREDIENT)],
        "medicationReference": {"reference": "#m1"}}],
    "a referenced Medication": [
        {**BARE, "medicationReference": {"reference": "Medication/m1"}}, medication(**BY_CODE)],
    "a referenced Medication that is read first": [
        medication(**BY_CODE), {**BARE, "medicationReference": {"reference": "Medication/m1"}}],
    "a referenced Medication by its absolute URL": [
        {**BARE, "medicationReference": {"reference": "https://ehr.example/fhir/Medication/m1"}},
        medication(**BY_CODE)],
    "a referenced Medication of ingredients only": [
        {**BARE, "medicationReference": {"reference": "Medication/m1"}},
        medication(code={"text": "the red capsule"}, **BY_INGREDIENT)],
    "a Medication whose ingredient is a Medication": [
        {**BARE, "medicationReference": {"reference": "Medication/m1"}},
        medication(ingredient=[{"itemReference": {"reference": "Medication/m2"}}]),
        medication("m2", **BY_CODE)],
    "an R5 concept": [{**BARE, "medication": {"concept": concept(RXNORM, "643720")}}],
    "an R5 reference": [
        {**BARE, "medication": {"reference": {"reference": "Medication/m1"}}},
        medication(**BY_CODE)],
    "an R5 reference to ingredients": [
        {**BARE, "medication": {"reference": {"reference": "Medication/m1"}}},
        medication(ingredient=[{"item": {"concept": concept(RXNORM, "342369")}}])],
}


@pytest.mark.parametrize("way", LENALIDOMIDE)
def test_lenalidomide_is_known_by(way):
    run = once([PATIENT, MYELOMA, DEX, ASPIRIN, COUNT] + LENALIDOMIDE[way])
    assert run.code == 0, run.err
    assert told(run) == [(RULE, "open")]
    assert run.one(RULE)["subjects"] == ["lenalidomide"]
    assert "unmapped: 0 orders, 0 results" in run.err


def counted(value, unit, code=None, system=UCUM, loinc="751-8", **more):
    value = {"value": value, "unit": unit}
    if code:
        value.update(system=system, code=code)
    return {**COUNT, "code": concept(LOINC, loinc), "valueQuantity": value, **more}


def without_value(**more):
    return {**{k: v for k, v in COUNT.items() if k != "valueQuantity"}, **more}


COUNTS = {
    "10*3/uL": counted(0.7, "K/uL", "10*3/uL"),
    "cells per microlitre": counted(700, "/uL", "/uL"),
    "a manual count": counted(0.7, "10*9/L", "10*9/L", loinc="753-4"),
    "a spelling without a code": counted(0.7, "x10*9/L"),
    "a comparator that leaves no doubt": counted(0.7, "10*9/L", "10*9/L") | {"valueQuantity": {
        **quantity("0.7 10*9/L"), "comparator": "<"}},
    "LOINC by its OID": {**COUNT, "code": concept("urn:oid:2.16.840.1.113883.6.1", "751-8")},
    "a local code first": {**COUNT, "code": {
        "coding": [coding("urn:local:lab", "NEUT"), coding(LOINC, "751-8")]}},
    "a component of a panel": without_value(
        code=concept(LOINC, "57021-8"), component=[{
            "code": concept(LOINC, "751-8"), "valueQuantity": quantity("0.7 10*9/L")}]),
    "a text with a number and a unit": without_value(valueString="0.7 10*9/L"),
    "amended": {**COUNT, "status": "amended"},
    "corrected": {**COUNT, "status": "corrected"},
}


@pytest.mark.parametrize("way", COUNTS)
def test_a_neutrophil_count_of_700_is_seen_as(way):
    assert told(once(BASE + [COUNTS[way]])) == [(RULE, "open")]


NO_COUNTS = {
    "an unknown unit": counted(0.7, "bottles", "{bottle}"),
    "no unit at all": counted(0.7, ""),
    "a negative value": counted(-0.7, "10*9/L", "10*9/L"),
    "a preliminary one": {**COUNT, "status": "preliminary"},
    "a cancelled one": {**COUNT, "status": "cancelled"},
    "one entered in error": {**COUNT, "status": "entered-in-error"},
    "one that is only registered": {**COUNT, "status": "registered"},
    "one without a date": {k: v for k, v in COUNT.items()
                           if k not in ("effectiveDateTime", "issued")},
    "one of the future": result("anc", "neutrophils", 0.7, -3),
    "a value that is absent": without_value(dataAbsentReason=concept(
        "http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")),
    "words": without_value(valueString="very low"),
    "a unit that contradicts its code": counted(0.7, "/uL", "10*9/L"),
    "a modifier that nobody understands": {
        **COUNT, "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
    "a count of the share of neutrophils": counted(0.7, "%", "%", loinc="770-8"),
}


@pytest.mark.parametrize("what", NO_COUNTS)
def test_no_dose_is_held_by(what):
    run = once(BASE + [NO_COUNTS[what]])
    assert run.code == 0, run.err
    assert RULE not in {alert["rule"] for alert in run.alerts}


ORDERS = {
    "a draft": {"status": "draft"},
    "a cancelled order": {"status": "cancelled"},
    "a stopped order": {"status": "stopped"},
    "a completed order": {"status": "completed"},
    "an order on hold": {"status": "on-hold"},
    "an order entered in error": {"status": "entered-in-error"},
    "an order of unknown status": {"status": "unknown"},
    "a proposal": {"intent": "proposal"},
    "a plan": {"intent": "plan"},
    "an order not to give the drug": {"doNotPerform": True},
    "an order that begins next week": {
        "dosageInstruction": [dosage("25 mg", start=at(-7))]},
    "an order that ended last week": {
        "dosageInstruction": [dosage("25 mg", start=at(30), end=at(7))]},
}


@pytest.mark.parametrize("what", ORDERS)
def test_nothing_is_held_for(what):
    run = once([PATIENT, MYELOMA, DEX, ASPIRIN, COUNT, {**LEN, **ORDERS[what]}])
    assert run.code == 0, run.err
    assert RULE not in {alert["rule"] for alert in run.alerts}


def test_a_patient_outside_the_cohort_is_evaluated_only_with_everybody():
    chart = [PATIENT, DEX, order("cip", "ciprofloxacin", "500 mg", times=2)]
    assert told(once(chart)) == []
    assert told(once(chart, "--everybody")) == [("ste-fluoroquinolone", "open")]


def test_a_drug_and_a_result_that_no_mapping_knows_are_counted_and_listed():
    odd = {**BARE, "id": "odd", "medicationCodeableConcept": {
        "coding": [coding("urn:local:pharmacy", "X1")]}}
    words = {**BARE, "id": "words", "medicationCodeableConcept": {"text": "ward mixture"}}
    lab = {**COUNT, "id": "lab", "code": concept("urn:local:lab", "NEUT")}
    chart = CHART + [odd, {**odd, "id": "odd2"}, words, lab]
    run = once(chart)
    assert (run.code, run.aside) == (0, [])
    assert "unmapped: 3 orders, 1 results (--unmapped lists their codes)" in run.err
    assert "urn:local" not in run.err
    listed = once(chart, "--unmapped", format="table").out
    lines = [line.split() for line in listed.splitlines() if line.startswith("unmapped")]
    assert lines == [["unmapped", "drug", "2", "urn:local:pharmacy|X1"],
                     ["unmapped", "drug", "1", "text", "only"],
                     ["unmapped", "result", "1", "urn:local:lab|NEUT"]]
    machine = once(chart, "--unmapped")
    assert all(line.startswith("{") for line in machine.out.splitlines())
    assert "urn:local:pharmacy|X1" in machine.err


def test_the_two_loinc_codes_of_one_result_must_mean_the_same():
    torn = {**COUNT, "code": {"coding": [coding(LOINC, "751-8"), coding(LOINC, "777-3")]}}
    run = once(BASE + [torn])
    assert run.code == 3
    assert "entry 6: set aside: " in run.aside[0] and "analytes" in run.aside[0]


# ---- the clock

MARK = result("mark", "weight", 80, -40)  # lets the clock run on until 40 days after NOW

# Lenalidomide, dexamethasone and counts, the event at `days` before NOW.
FALL = result("anc1", "neutrophils", 0.7, 10)


def along(chart, *arguments):
    return play(chart, *arguments)


def soon_after(instant, days):
    """At that moment, or within the second after it: bounds and windows include their end."""
    return instant.startswith(at(days)[:-1]) or instant == at(days).replace(":00Z", ":01Z")


def hold(run):
    """Of the neutrophil hold: status, opened, ended."""
    alert = run.one(RULE)
    return alert["status"], alert["opened"], alert["ended"]


def test_an_alert_opens_when_the_result_comes():
    assert hold(along(BASE + [FALL])) == ("open", at(10), None)


def test_an_alert_clears_when_the_count_recovers():
    run = along(BASE + [FALL, result("anc2", "neutrophils", 1.3, 4)])
    assert hold(run) == ("cleared", at(10), at(4))
    assert "1.3" in run.one(RULE)["endedWhy"]


def test_an_alert_clears_by_itself_when_its_result_grows_too_old():
    status, opened, ended = hold(along(BASE + [FALL, MARK]))
    assert (status, opened) == ("cleared", at(10))
    assert soon_after(ended, -4)  # fourteen days later


def test_an_alert_clears_when_the_bounds_of_the_order_end():
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, order("len", "lenalidomide", "25 mg", 30, 5), FALL,
             result("w", "weight", 80, 1)]
    run = along(chart)
    assert hold(run)[:2] == ("cleared", at(10)) and soon_after(hold(run)[2], 5)
    assert "ended" in run.one(RULE)["endedWhy"]


def test_an_alert_clears_when_a_new_version_stops_the_order():
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, FALL,
             version(LEN, 1, 30), version(LEN, 2, 6, status="stopped")]
    assert hold(along(chart)) == ("cleared", at(10), at(6))


def test_an_alert_clears_when_the_order_is_held_and_a_new_episode_opens_when_it_goes_on():
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, FALL, version(LEN, 1, 30),
             version(LEN, 2, 8, status="on-hold"), version(LEN, 3, 3)]
    found = [(a["status"], a["opened"], a["ended"]) for a in along(chart).alerts
             if a["rule"] == RULE]
    assert found == [("cleared", at(10), at(8)), ("open", at(3), None)]


def test_a_count_that_falls_again_opens_a_second_episode():
    chart = BASE + [FALL, result("anc2", "neutrophils", 1.3, 8), result("anc3", "neutrophils", 0.9, 2)]
    found = [(a["status"], a["opened"], a["ended"]) for a in along(chart).alerts
             if a["rule"] == RULE]
    assert found == [("cleared", at(10), at(8)), ("open", at(2), None)]


RETRACTED = {
    "the result is entered in error": [
        version(FALL, 1, 10), version(FALL, 2, 7, status="entered-in-error")],
    "the result is cancelled": [
        version(FALL, 1, 10), version(FALL, 2, 7, status="cancelled")],
    "the order is entered in error": [
        FALL, version(LEN, 1, 30), version(LEN, 2, 7, status="entered-in-error")],
}


@pytest.mark.parametrize("what", RETRACTED)
def test_an_alert_is_retracted_when(what):
    news = RETRACTED[what]
    named = {(r["resourceType"], r["id"]) for r in news}
    chart = [r for r in BASE if (r["resourceType"], r["id"]) not in named] + news
    assert hold(along(chart)) == ("retracted", at(10), at(7))


def test_an_alert_is_retracted_when_the_result_turns_out_to_be_of_another_patient():
    corrected = version({**FALL, "subject": {"reference": "Patient/p2"}}, 2, 7)
    assert hold(along(BASE + [version(FALL, 1, 10), patient("p2"), corrected])) == (
        "retracted", at(10), at(7))


def test_a_result_that_turned_out_to_be_of_another_patient_does_not_count_as_of_now():
    corrected = version({**FALL, "subject": {"reference": "Patient/p2"}}, 2, 7)
    run = once(BASE + [version(FALL, 1, 10), patient("p2"), corrected])
    assert RULE not in {alert["rule"] for alert in run.alerts}


def test_an_alert_is_retracted_when_the_diagnosis_is_refuted():
    refuted = {**MYELOMA, "verificationStatus": concept(VERIFICATION, "refuted")}
    alert = along([PATIENT, version(MYELOMA, 1, 400), order("nap", "naproxen", "500 mg", 12),
                   version(refuted, 2, 5)]).one("mm-nsaid-renal")
    assert (alert["status"], alert["opened"], alert["ended"]) == ("retracted", at(12), at(5))


def test_an_alert_opens_when_a_planned_order_begins():
    planned = {**order("len", None, "25 mg", 12), "dosageInstruction": [dosage("25 mg", start=at(6))],
               "medicationCodeableConcept": LEN["medicationCodeableConcept"]}
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, planned, FALL, result("w", "weight", 80, 1)]
    assert hold(along(chart)) == ("open", at(6), None)


def test_a_correction_of_the_value_itself_retracts_the_alert():
    """The count was never low: that is no recovery."""
    corrected = version(FALL, 2, 7, status="corrected", valueQuantity=quantity("1.7 10*9/L"))
    assert hold(along(BASE + [version(FALL, 1, 10), corrected])) == ("retracted", at(10), at(7))


def test_a_new_order_of_the_same_drug_updates_the_alert_instead_of_a_twin():
    next_cycle = order("len2", "lenalidomide", "25 mg", 3)
    run = along(BASE + [FALL, next_cycle])
    assert hold(run) == ("open", at(10), None)
    assert run.one(RULE)["implicated"][0] == "MedicationRequest/len2"
    assert "MedicationRequest/len" in run.one(RULE)["implicated"]


def test_the_next_order_of_the_same_drug_keeps_the_alert_that_the_first_one_opened():
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, FALL, version(LEN, 1, 30),
             order("len2", "lenalidomide", "25 mg", 6), version(LEN, 2, 4, status="completed")]
    run = along(chart)
    assert hold(run) == ("open", at(10), None)
    assert run.one(RULE)["implicated"][0] == "MedicationRequest/len2"
    assert "MedicationRequest/len" not in run.one(RULE)["implicated"]


def test_a_newer_count_below_the_limit_updates_the_evidence_and_opens_no_twin():
    run = along(BASE + [FALL, result("anc2", "neutrophils", 0.6, 4)])
    assert hold(run) == ("open", at(10), None)
    assert run.one(RULE)["evidence"] == ["Observation/anc2"]
    assert "0.6" in run.one(RULE)["detail"]


def test_a_critical_count_is_merged_into_the_hold_and_leaves_it_again_when_it_is_old():
    fallen = result("anc2", "neutrophils", 0.4, 8)
    run = along(BASE + [FALL, fallen])
    assert run.one(RULE)["also"] == [{"rule": "crit-anc-05", "severity": "high"}]
    assert "crit-anc-05" not in {a["rule"] for a in run.alerts}
    later = along(BASE + [FALL, fallen, result("w", "weight", 80, 2)])  # the value is critical 3 d
    assert hold(later)[:2] == ("open", at(10))
    assert later.one(RULE)["also"] == []


def test_a_weaker_alert_that_was_open_first_ends_in_the_stronger_one():
    chart = [PATIENT, MYELOMA, result("anc", "neutrophils", 0.4, 10),
             order("dara", "daratumumab", "1280 mg", unit="wk"),
             order("pom", "pomalidomide", "4 mg", 9), ASPIRIN]
    run = along(chart)
    weak, strong = run.one("crit-anc-05"), run.one("pom-anc-hold")
    assert (weak["status"], weak["opened"], weak["ended"]) == ("cleared", at(10), at(9))
    assert "part of the alert" in weak["endedWhy"]
    assert strong["also"] == [{"rule": "crit-anc-05", "severity": "high"}]


def naproxen_chart():
    nap = order("nap", "naproxen", "500 mg", 12, times=2)
    return [PATIENT, MYELOMA, DEX, version(nap, 1, 12), version(nap, 2, 5, status="stopped")]


def test_naproxen_opens_one_alert_with_the_stomach_warning_in_it_and_stopping_it_ends_that():
    alert = along(naproxen_chart()).one("mm-nsaid-renal")
    assert (alert["status"], alert["opened"], alert["ended"]) == ("cleared", at(12), at(5))
    assert [also["rule"] for also in alert["also"]] == ["ste-nsaid"]


def test_n15_a_platelet_hold_lasts_through_40_while_the_order_is_held_and_ends_at_55():
    pom = order("pom", "pomalidomide", "4 mg")
    chart = [PATIENT, MYELOMA, ASPIRIN, version(pom, 1, 30), result("p1", "platelets", 20, 20),
             version(pom, 2, 19, status="on-hold"), result("p2", "platelets", 40, 12)]
    alert = along(chart).one("pom-plt-hold")
    assert (alert["status"], alert["opened"]) == ("open", at(20))
    alert = along(chart + [result("p3", "platelets", 55, 6)]).one("pom-plt-hold")
    assert (alert["status"], alert["opened"], alert["ended"]) == ("cleared", at(20), at(6))


def test_platelets_of_exactly_50_end_the_pomalidomide_hold():
    pom = order("pom", "pomalidomide", "4 mg")
    chart = [PATIENT, MYELOMA, ASPIRIN, pom, result("p1", "platelets", 20, 20),
             result("p2", "platelets", 49, 12), result("p3", "platelets", 50, 6)]
    alert = along(chart).one("pom-plt-hold")
    assert (alert["status"], alert["ended"]) == ("cleared", at(6))


def test_ciprofloxacin_lingers_two_days_after_its_end():
    chart = [PATIENT, MYELOMA, ASPIRIN, order("pom", "pomalidomide", "4 mg"),
             order("cip", "ciprofloxacin", "500 mg", 12, 5, times=2), result("w", "weight", 80, 1)]
    alert = along(chart).one("pom-cyp1a2-strong")
    assert (alert["status"], alert["opened"]) == ("cleared", at(12))
    assert soon_after(alert["ended"], 3)


def test_a_missing_count_becomes_a_gap_as_time_passes_and_a_new_count_closes_it():
    chart = [PATIENT, MYELOMA, DEX, ASPIRIN, order("len", "lenalidomide", "25 mg", 30),
             result("a1", "neutrophils", 3, 30), result("a2", "neutrophils", 3, 10)]
    alert = along(chart).one("len-cbc-gap")
    assert alert["status"] == "cleared"
    assert soon_after(alert["opened"], 21)  # nine days after the first count
    assert alert["ended"] == at(10)


def test_as_of_evaluates_once_with_everything_loaded():
    chart = BASE + [FALL, result("anc2", "neutrophils", 1.3, 4)]
    assert told(play(chart, "--as-of", at(7))) == [(RULE, "open")]
    assert told(play(chart, "--as-of", at(1))) == []
    alert = play(chart, "--as-of", at(7)).one(RULE)
    assert (alert["opened"], alert["ended"]) == (at(7), None)


def test_the_patient_counts_from_the_beginning_however_late_the_server_stored_it():
    chart = [version(PATIENT, 9, -30), MYELOMA, LEN, DEX, ASPIRIN, result("w", "weight", 80, 20),
             result("cr", "creatinine", 2.0, 10), result("anc", "neutrophils", 3, 10)]
    alert = along(chart).one("len-renal-combo")
    assert alert["opened"] == at(10)


# ---- histories

def test_a_history_is_played_from_its_last_entry_to_its_first():
    made = history(BASE + [version(FALL, 1, 10), version(FALL, 2, 7, status="entered-in-error")])
    assert hold(along(made)) == ("retracted", at(10), at(7))


def test_a_history_without_times_is_played_in_its_order():
    plain = [r for r in BASE if r is not LEN]
    made = history(plain + [LEN, {**LEN, "status": "stopped"}, COUNT])
    assert told(once(made)) == []
    assert told(once(history(plain + [{**LEN, "status": "stopped"}, LEN, COUNT]))) == [(RULE, "open")]


DELETIONS = {
    "the relative URL": ("MedicationRequest/len", None),
    "the absolute URL": ("MedicationRequest/len", "https://ehr.example/fhir/MedicationRequest/len"),
    "the URL of the result": ("Observation/anc1", None),
}


@pytest.mark.parametrize("way", DELETIONS)
def test_an_alert_is_retracted_when_a_history_deletes_by(way):
    where, url = DELETIONS[way]
    made = history([version(r, 1, 31) for r in BASE] + [version(FALL, 1, 10)])
    made["entry"].insert(0, deletion(where, 7, url=url))
    run = along(made)
    assert (run.code, run.aside) == (0, [])
    assert hold(run) == ("retracted", at(10), at(7))


def test_a_deleted_order_does_not_count_as_of_now():
    made = history(CHART)
    made["entry"].insert(0, deletion("MedicationRequest/len", 1))
    assert told(once(made)) == []


# ---- order and duplicates

MIXED = [version(PATIENT, 1, 500), version(MYELOMA, 1, 400), version(DEX, 1, 30),
         version(ASPIRIN, 1, 30), version(LEN, 1, 30), version(LEN, 2, 8, status="on-hold"),
         version(LEN, 3, 3), version(FALL, 1, 10), version(result("anc2", "neutrophils", 0.4, 6), 1, 6),
         version(result("cr", "creatinine", 1.9, 6), 1, 6), version(result("w", "weight", 80, 9), 1, 9),
         version(order("nap", "naproxen", "500 mg", 12, times=2), 1, 12),
         version(order("nap", "naproxen", "500 mg", 12, times=2), 2, 5, status="stopped"),
         version(patient("p2", "female", 59), 1, 500), version(condition("c9", patient="p2"), 1, 400),
         version(order("pom", "pomalidomide", "4 mg", patient="p2"), 1, 30),
         version(order("cip", "ciprofloxacin", "500 mg", 9, 4, patient="p2", times=2), 1, 9),
         version(result("plt", "platelets", 18, 7, patient="p2"), 1, 7)]


@pytest.mark.parametrize("shape", ["table", "json", "bundle"])
def test_twice_the_same_input_gives_the_same_bytes_as(shape):
    first, second = (play(MIXED, format=shape).raw for _ in range(2))
    assert first == second
    assert len(first) > 500


@pytest.mark.parametrize("mode", [(), ("--as-of", at(6)), ("--as-of", at(2), "--all", "--everybody")])
@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_entries_does_not_matter(seed, mode):
    shuffled = copy.deepcopy(MIXED)
    random.Random(seed).shuffle(shuffled)
    assert play(shuffled, *mode).raw == play(MIXED, *mode).raw
    assert play(ndjson(shuffled), *mode).raw == play(MIXED, *mode).raw


@pytest.mark.parametrize("seed", range(8))
def test_duplicates_do_not_matter(seed):
    twice = copy.deepcopy(MIXED) + random.Random(seed).choices(MIXED, k=9)
    random.Random(seed + 100).shuffle(twice)
    assert play(twice).raw == play(MIXED).raw


def test_a_duplicate_that_the_server_stored_late_does_not_make_the_clock_run_on():
    late = [*BASE, version(COUNT, 1, -60)]
    assert play(late + late).raw == play(late).raw


@pytest.mark.parametrize("updated", [None, at(7)])
def test_versions_are_put_in_order_by_their_number_when_the_time_does_not_tell(updated):
    """Two changes in one second, or a server that keeps no times."""
    def numbered(resource, number):
        meta = {"versionId": str(number), **({"lastUpdated": updated} if updated else {})}
        return {**resource, "meta": meta}
    pair = [numbered(COUNT, 9), numbered({**COUNT, "status": "entered-in-error"}, 10)]
    there, back = (once(BASE + order) for order in (pair, pair[::-1]))
    assert told(there) == told(back)
    assert RULE not in {alert["rule"] for alert in back.alerts}


def test_the_explanation_does_not_depend_on_the_order_either():
    shuffled = copy.deepcopy(MIXED)
    random.Random(5).shuffle(shuffled)
    one, other = (play(c, "--explain", format="table").raw for c in (MIXED, shuffled))
    assert one == other
    assert b"Patient/p1" in one and b"Patient/p2" in one


# ---- what is printed

KEYS = {"rule", "severity", "display", "status", "patient", "opened", "ended", "subjects",
        "implicated", "evidence", "detail", "recommendation", "sources", "also"}


def test_json_has_every_member_of_an_alert():
    alert = once(CHART).one(RULE)
    assert KEYS <= set(alert)
    assert (alert["severity"], alert["display"], alert["status"]) == ("high", "interruptive", "open")
    assert alert["patient"] == "Patient/p1"
    assert (alert["opened"], alert["ended"]) == (NOW_TEXT, None)
    assert alert["subjects"] == ["lenalidomide"]
    assert alert["implicated"][0] == "MedicationRequest/len"
    assert alert["evidence"] == ["Observation/anc"]
    assert "0.7" in alert["detail"] and alert["recommendation"] in alert["detail"]
    assert alert["recommendation"].startswith("Interrupt")
    assert alert["sources"] and alert["sources"][0].startswith("REVLIMID")
    assert alert["also"] == []


def test_json_is_one_object_a_line_and_standard_output_has_nothing_else():
    run = play(MIXED)
    lines = run.out.splitlines()
    assert len(lines) == len(run.alerts) > 3
    assert [json.loads(line)["rule"] for line in lines]


def test_the_table_has_one_line_for_each_alert_and_no_colours():
    table, machine = play(MIXED, format="table"), play(MIXED)
    lines = table.out.splitlines()
    assert lines[0].split() == ["OPENED", "ENDED", "STATUS", "SEVERITY", "DISPLAY", "RULE",
                                "SUBJECTS", "PATIENT"]
    assert len(lines) - 1 == len(machine.alerts)
    for line, alert in zip(lines[1:], machine.alerts):
        assert alert["rule"] in line and alert["status"] in line and alert["patient"] in line
    assert "\033" not in table.out


def test_the_bundle_is_a_collection_of_the_detected_issues():
    made = json.loads(play(MIXED, format="bundle").out)
    assert (made["resourceType"], made["type"]) == ("Bundle", "collection")
    issues = [entry["resource"] for entry in made["entry"]]
    alerts = play(MIXED).alerts
    assert [i["resourceType"] for i in issues] == ["DetectedIssue"] * len(alerts)
    for issue, alert in zip(issues, alerts):
        assert issue["patient"] == {"reference": alert["patient"]}
        assert issue["status"] == ("entered-in-error" if alert["status"] == "retracted" else "final")
        assert ("end" in issue["identifiedPeriod"]) == (alert["ended"] is not None)
        assert bool(issue.get("mitigation")) == (alert["status"] == "cleared")
        assert [i["reference"] for i in issue["implicated"]] == alert["implicated"]
        assert issue["detail"].startswith(alert["detail"])
    assert len({entry["fullUrl"] for entry in made["entry"]}) == len(alerts)
    assert len({issue["id"] for issue in issues}) == len(alerts)


def test_an_empty_bundle_has_no_entry():
    assert json.loads(play([], format="bundle").out) == {"resourceType": "Bundle",
                                                         "type": "collection"}


def test_the_explanation_names_the_fact_and_the_version_behind_each_clause():
    chart = BASE + [version(COUNT, 4, 2)]
    out = once(chart, "--explain", format="table").out
    block = out[out.index(RULE):]
    assert "Observation/anc version 4" in block[:2000]
    assert "MedicationRequest/len" in block[:2000]
    silent = out[out.index("len-combo-plt-hold"):][:2000]
    assert "would change with" in silent


def test_the_explanation_does_not_deny_an_order_that_is_there():
    """Lenalidomide 25 mg is no maintenance and no second IMiD, but it is an active order."""
    out = once(CHART, "--explain", format="table").out
    assert "No active order for lenalidomide." not in out
    assert "No active order for any imid." not in out


def test_the_explanation_says_what_would_change_the_answer_and_not_what_is_missing():
    out = once(CHART, "--explain", format="table").out
    assert "creatinine clearance cannot be computed" in out
    assert "would change with no " not in out


def test_an_alert_names_no_drug_that_it_is_not_about():
    chart = [PATIENT, MYELOMA, order("pom", "pomalidomide", "4 mg"), ASPIRIN,
             order("nap", "naproxen", "500 mg", times=2)]
    assert once(chart).one("mm-nsaid-renal")["subjects"] == ["naproxen"]


def test_the_columns_of_the_table_stay_in_line():
    """Also where an alert opened by itself, a moment after its window closed."""
    lines = play([PATIENT, MYELOMA, LEN, DEX, ASPIRIN, result("a", "neutrophils", 3, 30),
                  result("w", "weight", 80, 1)], format="table").out.splitlines()
    assert len(lines) == 2 and "len-cbc-gap" in lines[1]
    assert lines[0].index("STATUS") == lines[1].index("open")


def test_output_that_cannot_be_written_is_an_error():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "replay", "--mappings", MAPPINGS, "--format", "json", "-"],
                              input=text(bundle(MIXED)), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert b"write" in done.stderr or b"No space" in done.stderr


def test_the_summary_counts_what_was_read():
    other = {"resourceType": "Encounter", "id": "e", "status": "finished"}
    run = once(CHART + [other])
    assert "read 1 files: 6 resources used, 1 of other types, 0 set aside; 1 patients, " \
           "1 in the cohort; 1 alerts" in run.err


# ---- usage

USAGE = {
    "no path": [],
    "a path that is not there": ["/nowhere/at-all.json"],
    "an option that does not exist": ["--nonsense", "-"],
    "an as-of that is no instant": ["--as-of", "yesterday", "-"],
    "a format that does not exist": ["--format", "xml", "-"],
    "explain in JSON": ["--explain", "--format", "json", "-"],
    "an option without its value": ["-", "--as-of"],
}


@pytest.mark.parametrize("what", USAGE)
def test_wrong_usage_ends_with_2_and_one_way_to_the_help(what):
    run = program("replay", *USAGE[what])
    assert (run.code, run.raw) == (2, b"")
    assert "replay --help" in run.err


def test_the_help_ends_with_0_and_names_every_option():
    run = program("replay", "--help")
    assert run.code == 0
    for option in ("--as-of", "--format", "--explain", "--all", "--everybody", "--unmapped",
                   "--mappings"):
        assert option in run.out


def test_mappings_with_a_problem_end_with_1_and_name_the_place(tmp_path):
    run = program("replay", "--mappings", tmp_path, "-", input=text(bundle(CHART)))
    assert run.code == 1
    assert str(tmp_path) in run.err


# ---- bad input

GOOD = [text({"resource": resource}) for resource in CHART]


def entries(*middle):
    """A collection of the good chart with other entries, as bytes, in the middle."""
    return (b'{"resourceType":"Bundle","type":"collection","entry":['
            + b",".join(GOOD[:3] + list(middle) + GOOD[3:]) + b"]}")


NESTED = b"[" * 2_500_000 + b"]" * 2_500_000
HEAD = b'{"resource":{"resourceType":"Observation","id":"bad",'

BAD_ENTRIES = {
    "a member without a value": HEAD + b'"status":}}',
    "a comma too many": HEAD + b'"status":"final",}}',
    "a word that is no value": HEAD + b'"status":final}}',
    "a number with a leading zero": HEAD + b'"valueInteger":007}}',
    "a raw control character in a string": HEAD + b'"status":"fi\x01nal"}}',
    "a NUL in a string": HEAD + b'"status":"fi\x00nal"}}',
    "a NUL between members": HEAD + b'\x00"status":"final"}}',
    "bytes that are no UTF-8": HEAD + b'"status":"fi\xff\xfenal"}}',
    "an escape that does not exist": HEAD + b'"status":"fi\\qal"}}',
    "the same member twice": HEAD + b'"status":"final","status":"cancelled"}}',
    "the same member twice, once escaped": HEAD + b'"status":"final","st\\u0061tus":"final"}}',
    "an id with a blank": b'{"resource":{"resourceType":"Observation","id":"a b"}}',
    "an id with a slash": b'{"resource":{"resourceType":"Observation","id":"a/b"}}',
    "an id of 65 characters":
        b'{"resource":{"resourceType":"Observation","id":"' + b"x" * 65 + b'"}}',
    "an empty id": b'{"resource":{"resourceType":"Observation","id":""}}',
    "an id that is a number": b'{"resource":{"resourceType":"Observation","id":7}}',
    "a resource without a type": b'{"resource":{"id":"x","status":"final"}}',
    "a type that is a number": b'{"resource":{"resourceType":7,"id":"x"}}',
    "a resource that is a list": b'{"resource":[1,2]}',
    "a resource that is a text": b'{"resource":"Observation"}',
    "an entry that is a number": b"17",
    "an entry that is a list": b'[{"resource":{}}]',
    "two and a half million brackets": HEAD + b'"extension":' + NESTED + b"}}",
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_one_bad_entry_costs_itself_alone(what):
    run = once(entries(BAD_ENTRIES[what]))
    assert run.code == 3
    assert [line for line in run.aside if line.startswith("-: entry 4: set aside: ")] == run.aside
    assert len(run.aside) == 1
    assert run.raw == EXPECTED


def test_each_bad_entry_is_named_with_its_own_number():
    run = once(entries(*(BAD_ENTRIES[k] for k in ("an id with a blank", "a comma too many"))))
    assert [line.split(": set aside")[0] for line in run.aside] == ["-: entry 4", "-: entry 5"]


WRONG_TYPES = {
    "a status that is a number": {"status": 1},
    "a status that is a list": {"status": ["final"]},
    "codings that are a text": {"code": {"coding": "751-8"}},
    "a code that is a text": {"code": "751-8"},
    "a value that is a list": {"valueQuantity": [1]},
    "a value that is a text": {"valueQuantity": {"value": "much", "unit": "10*9/L"}},
    "a value of absurd size": {"valueQuantity": {"value": 1e300, "unit": "10*9/L"}},
    "a date that is a number": {"effectiveDateTime": 20260613, "issued": 5},
    "a date that is none": {"effectiveDateTime": "2026-13-45", "issued": "soon"},
    "a subject that is a text": {"subject": "Patient/p1"},
    "a subject that is nobody": {"subject": {"reference": "Patient/"}},
    "everything null": {"status": None, "code": None, "valueQuantity": None, "subject": None},
    "components that are a number": {"component": 4},
    "meta that is a list": {"meta": [1, 2]},
    "a type of another one": {"resourceType": "MedicationRequest"},
}


@pytest.mark.parametrize("kind", ["Observation", "MedicationRequest", "Condition", "Patient"])
@pytest.mark.parametrize("what", WRONG_TYPES)
def test_wrong_types_do_not_touch_the_rest(what, kind):
    odd = {**COUNT, "id": "odd", "effectiveDateTime": at(40), "issued": at(40), "resourceType": kind,
           **WRONG_TYPES[what]}
    run = once([odd, *CHART])
    assert run.code in (0, 3)
    assert (RULE, "open") in told(run)


WHOLE = {
    "nothing": b"",
    "blanks": b" \n\n\t ",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "UTF-16": text(bundle(CHART)).decode().encode("utf-16"),
    "a Bundle that breaks off": text(bundle(CHART))[:-200],
    "XML": b"<Patient xmlns='http://hl7.org/fhir'/>",
    "five megabytes of brackets": NESTED,
    "brackets that are never closed": b"[" * 5_000_000,
    "braces that are never closed": b'{"a":' * 1_000_000,
    "a truncated gzip": packed(text(bundle(CHART)))[:-40],
    "a gzip with damage": packed(text(bundle(CHART)))[:60] + b"\x00" * 60,
    "something behind the Bundle": text(bundle(CHART)) + b"}",
    "a text": b'"Observation"',
    "a number": b"3",
    "entries that are no list": b'{"resourceType":"Bundle","type":"collection","entry":{"a":1}}',
}


@pytest.mark.parametrize("what", WHOLE)
def test_a_bad_file_is_set_aside_and_the_next_one_is_read(what, tmp_path):
    write(tmp_path, {"a.json": WHOLE[what], "b.ndjson": ndjson(CHART)})
    run = replay("--as-of", NOW_TEXT, tmp_path)
    assert run.code == 3
    assert run.aside and all(line.startswith(f"{tmp_path}/a.json: entry ") for line in run.aside)
    assert run.raw == EXPECTED


def test_what_stands_before_the_break_of_a_bundle_is_used():
    whole = text(bundle(CHART + [result("late", "weight", 80, 1)]))
    run = once(whole[:whole.rindex(b"{\"fullUrl\"") + 60])
    assert (run.code, run.raw) == (3, EXPECTED)
    assert "entry 7" in run.aside[0]


def test_a_broken_line_costs_itself_alone():
    lines = ndjson(CHART).splitlines()
    run = once(b"\n".join(lines[:2] + [b'{"resourceType":"Observation",', b"", b"nonsense"] + lines[2:]))
    assert (run.code, run.raw) == (3, EXPECTED)
    assert [line.split(": set aside")[0] for line in run.aside] == ["-: entry 3", "-: entry 5"]


def test_a_dangling_link_in_a_folder_is_set_aside(tmp_path):
    write(tmp_path, {"b.ndjson": ndjson(CHART)})
    (tmp_path / "a.json").symlink_to(tmp_path / "gone.json")
    run = replay("--as-of", NOW_TEXT, tmp_path)
    assert (run.code, run.raw) == (3, EXPECTED)
    assert "a.json" in run.aside[0]


def test_no_text_of_a_resource_reaches_standard_error():
    secret = "Kowalski-Unverwechselbar"
    odd = [{**PATIENT, "id": "bad id", "name": [{"family": secret}]},
           {**COUNT, "id": "x" * 70, "note": [{"text": secret}]},
           {**COUNT, "id": "torn", "note": [{"text": secret}], "code": {
               "coding": [coding(LOINC, "751-8", secret), coding(LOINC, "777-3", secret)]}}]
    run = once(odd + CHART)
    assert run.code == 3
    assert secret not in run.err


# ---- odd input that is good

def test_an_order_without_an_id_still_counts_and_is_not_referred_to():
    nameless = {k: v for k, v in LEN.items() if k != "id"}
    made = bundle([PATIENT, MYELOMA, DEX, ASPIRIN, COUNT, nameless])
    del made["entry"][-1]["fullUrl"]
    run = once(made)
    assert told(run) == [(RULE, "open")]
    assert "MedicationRequest/" not in run.one(RULE)["implicated"]


def test_an_id_is_taken_from_an_absolute_full_url():
    nameless = {k: v for k, v in LEN.items() if k != "id"}
    made = bundle([PATIENT, MYELOMA, DEX, ASPIRIN, COUNT, nameless])
    made["entry"][-1]["fullUrl"] = "https://ehr.example/fhir/MedicationRequest/len"
    assert once(made).one(RULE)["implicated"] == ["MedicationRequest/len", "MedicationRequest/dex"]


@pytest.mark.parametrize("where", ["unit", "text", "display", "label"])
def test_long_text_of_other_scripts_is_cut_between_its_characters(where):
    """The texts are shown in an alert; a character that is cut in two would be no JSON."""
    for extra in range(4):
        words = "x" * extra + "白血球減少の注意書き" * 60
        chart = copy.deepcopy(CHART)
        len_, count, problem = chart[2], chart[5], chart[1]
        if where == "unit":
            count["valueQuantity"]["unit"] = words
        elif where == "text":
            len_["dosageInstruction"] = [{"text": words}] * 12
        elif where == "display":
            len_["medicationCodeableConcept"]["coding"][0]["display"] = words
        else:
            problem["code"]["coding"][0]["display"] = words
            chart.append(order("nap", "naproxen", "500 mg", times=2))
        run = once(chart)
        assert run.code == 0
        assert (RULE, "open") in told(run)
        assert once(chart, format="bundle").code == 0
        assert once(chart, "--explain", format="table").out


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\ude00", b"\\ud83d\\ud83d"])
def test_half_a_surrogate_pair_is_set_aside_or_read_but_never_printed(half):
    chart = text(bundle(CHART)).replace(b"lenalidomide 25 MG", b"lenalidomide " + half)
    run = once(chart)
    assert run.code == 3 or told(run) == [(RULE, "open")]
    once(chart, "--explain", format="table")
    once(chart, format="bundle")


def test_a_patient_who_died_and_one_without_anything_are_no_trouble():
    chart = CHART + [patient("p3", deceasedBoolean=True), patient("p4")]
    assert (RULE, "open") in told(once(chart))


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path):
    write(tmp_path, {"a.json": gzip.compress(text(bundle(CHART)))})
    assert replay("--as-of", NOW_TEXT, tmp_path / "a.json").raw == EXPECTED


def test_two_patients_with_the_same_local_ids_stay_apart():
    chart = CHART + [patient("p2"), condition("c2", patient="p2"),
                     result("other", "neutrophils", 0.2, 1, patient="p2")]
    assert [(a["patient"], a["rule"]) for a in once(chart).alerts] == [("Patient/p1", RULE)]


def test_a_snomed_drug_code_of_europe_is_counted_as_unmapped_when_no_mapping_has_it():
    chart = CHART + [{**BARE, "id": "eu", "medicationCodeableConcept": concept(SNOMED, "1")}]
    run = once(chart)
    assert run.code == 0 and "unmapped: 1 orders" in run.err


GAP = "imid-vte-proph-gap"
SENNA = {**BARE, "id": "senna", "medicationCodeableConcept": {
    "coding": [{**coding(RXNORM, "312935"), "display": "sennosides, USP 8.6 MG Oral Tablet"}]}}
NAMELESS = {**BARE, "id": "nameless", "medicationCodeableConcept": {
    "coding": [coding(RXNORM, "312935")]}}
VITAMINS = {**BARE, "id": "vit", "medicationCodeableConcept": {"text": "Multivitamin"}}
UNPROTECTED = [PATIENT, MYELOMA, LEN, DEX]


def is_told(run):
    return (GAP, "open") in told(run)


def test_a_gap_is_told_beside_drugs_whose_names_are_none_of_ours():
    run = once(UNPROTECTED + [SENNA, VITAMINS])
    assert is_told(run) and told(run) == told(once(UNPROTECTED))
    assert "unmapped: 2 orders" in run.err
    assert "312935" in once(UNPROTECTED + [SENNA], "--unmapped").err
    traces = once(UNPROTECTED + [SENNA, VITAMINS], "--explain", format="table").out
    assert "2 orders name drugs that no rule knows." in traces
    assert "sennosides" not in traces and "Multivitamin" not in traces


def test_a_gap_cannot_be_told_beside_a_code_without_a_name():
    run = once(UNPROTECTED + [SENNA, NAMELESS])
    assert not is_told(run) and "unmapped: 2 orders" in run.err


def test_without_drug_names_a_name_tells_nothing_apart():
    assert not is_told(once(UNPROTECTED + [SENNA], "--no-drug-names"))


NOTED = {
    "no patient": ({"subject": None}, "Observation it names no patient"),
    "no date that can be read": ({"effectiveDateTime": "04/05/2026"},
                                 "Observation no date that can be read: neutrophils"),
    "a unit of something else": ({"valueQuantity": {"value": 0.1, "unit": "furlongs"}},
                                 "Observation no unit that can be converted: neutrophils"),
    "a value that is no number": ({"valueQuantity": {"value": "low", "unit": "10*9/L"}},
                                  "Observation no value that can be read: neutrophils"),
}


@pytest.mark.parametrize("what", NOTED)
def test_a_fact_that_cannot_be_used_is_named(what):
    changed, note = NOTED[what]
    observation = {"resourceType": "Observation", "id": "odd", "status": "final",
                   "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
                   "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-05-04",
                   "valueQuantity": {"value": 0.1, "unit": "10*9/L"}, **changed}
    if observation["subject"] is None:
        del observation["subject"]
    run = once(CHART + [observation])
    assert f": entry {len(CHART) + 1}: note: {note}" in run.err
