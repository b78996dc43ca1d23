"""`myeloma-adapter coverage`: what no mapping knows, and how many rules that blinds."""
import csv
import io
import json
import os
import pty
import re
import subprocess

import pytest

from charts import PROGRAM, program

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SITE = "urn:oid:1.2.3.4"


def order(*codings, **more):
    return {"resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/1"},
            "medicationCodeableConcept": {"coding": list(codings)} | more}


def observation(code, **value):
    return {"resourceType": "Observation", "id": "2", "status": "final", "code": {"coding": [code]}} | value


NEUTROPHILS = {"system": "http://loinc.org", "code": "751-8"}
WARD = {"system": SITE, "code": "X1", "display": "Ward drug"}
BRAND = {"system": SITE, "code": "X2", "display": "Revlimid 10 mg"}


def coverage(tmp_path, *resources, options=()):
    path = tmp_path / "recorded.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    return program("coverage", *options, path)


def rows(run):
    return [line.split(None, 3) for line in run.out.splitlines()[1:]]


def test_what_is_mapped_is_not_reported(tmp_path):
    run = coverage(tmp_path, order({"system": RXNORM, "code": "342369"}),
                   observation(NEUTROPHILS, valueQuantity={"value": 1, "unit": "10*9/L"}))
    assert (run.code, run.out) == (0, "every code and unit is mapped\n")


def test_a_drug_of_unknown_code_blinds_more_rules_than_one_whose_display_names_it(tmp_path):
    run = coverage(tmp_path, order(BRAND), order(BRAND), order(WARD))
    (some, once, _, ward), (fewer, twice, _, brand) = rows(run)
    assert (ward, once) == (f"{SITE}|X1  Ward drug", "1")
    assert (brand, twice) == (f"{SITE}|X2  Revlimid 10 mg  (lenalidomide?)", "2")
    assert int(some) > int(fewer) > 0


def test_one_known_coding_is_enough(tmp_path):
    assert "every code" in coverage(tmp_path, order(WARD, {"system": RXNORM, "code": "342369"})).out


def test_a_unit_without_a_way_is_reported_with_its_analyte(tmp_path):
    run = coverage(tmp_path, observation(NEUTROPHILS, valueQuantity={"value": 1, "unit": "apples"}))
    assert rows(run)[0][2:] == ["unit", "apples of neutrophils"]


def test_a_text_of_a_patient_is_never_shown(tmp_path):
    run = coverage(tmp_path, order(text="secret of a patient"), options=("--format", "table"))
    assert "(text only)" in run.out and "secret" not in run.out + run.err


def test_csv_lines_can_be_filled_in_and_used(tmp_path):
    run = coverage(tmp_path, order(WARD), order(text="x"), order(
        {"system": SITE, "code": "A,B", "display": 'Drug "q"'}), options=("--format", "csv"))
    lines = list(csv.reader(io.StringIO(run.out)))
    assert lines[0] == ["system", "code", "concept", "comment"]
    assert sorted(lines[1:]) == [[SITE, "A,B", "", 'Drug "q"'], [SITE, "X1", "", "Ward drug"]]
    local = tmp_path / "local.csv"
    local.write_text(run.out)
    run = coverage(tmp_path, order(WARD), options=("--codes", local))
    assert run.code == 1 and "there is no concept; fill it in" in run.err
    local.write_text(f"system,code,concept,comment\n{SITE},X1,dexamethasone,\n")
    assert "every code" in coverage(tmp_path, order(WARD), options=("--codes", local)).out


WBC = {"system": "http://loinc.org", "code": "6690-2"}


def test_what_the_other_profile_asks_for_is_not_counted(tmp_path):
    """The EU label of bendamustine asks for leukocytes where the US label asks for neutrophils."""
    def blinded(profile):
        run = coverage(tmp_path, *(observation(code, valueQuantity={"value": 1, "unit": "apples"})
                                   for code in (NEUTROPHILS, WBC)), options=("--profile", profile))
        return {what.split()[2]: int(count) for count, _, _, what in rows(run)}
    us, eu = blinded("us"), blinded("eu")
    assert (us["neutrophils"], us["wbc"]) == (eu["neutrophils"] + 1, eu["wbc"] - 1)


@pytest.mark.parametrize("arguments", (("coverage",), ("replay", "--as-of", "2026-05-04")))
def test_the_bar_moves_within_one_file(tmp_path, arguments):
    path = tmp_path / "recorded.ndjson"
    path.write_text("".join(json.dumps({"resourceType": "Encounter", "id": str(i), "text": "x" * 1000})
                            + "\n" for i in range(6000)))
    ours, theirs = pty.openpty()
    with subprocess.Popen([PROGRAM, *arguments, path], stdout=subprocess.DEVNULL,
                          stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        while block := read_terminal(ours):
            shown += block
        assert running.wait() == 0
    os.close(ours)
    percents = [int(found) for found in re.findall(rb"reading +\[[= ]{40}\] +(\d+)%", shown)]
    assert percents[0] == 0 and percents[-1] == 100
    assert percents == sorted(percents) and len(percents) > 50


def read_terminal(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the end of a terminal
        return b""


def test_a_broken_line_is_set_aside(tmp_path):
    path = tmp_path / "recorded.ndjson"
    path.write_text(json.dumps(order(WARD)) + '\n{"resourceType": "Observation", "x":}\n')
    run = program("coverage", path)
    assert run.code == 3 and "entry 2: set aside" in run.err and f"{SITE}|X1" in run.out


@pytest.mark.parametrize("arguments", ((), ("--format", "xml", "x"), ("--nothing",), ("missing",),
                                       ("--profile", "uk", "x")))
def test_wrong_usage(arguments):
    assert program("coverage", *arguments).code == 2
