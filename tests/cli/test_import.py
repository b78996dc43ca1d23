"""import rxnorm: a release of our own making, as a file of local codes that the program then uses.

Real codes stand for ingredients and for products of our tables; codes from 99000000 on are ours.
"""
import csv
import io
import json
import os
import resource
import signal
import subprocess
import time

import pytest

from charts import MAPPINGS, PROGRAM, ROOT, RXNORM, program

FAULTY = os.environ.get("MYELOMA_ADAPTER_FAULT", str(ROOT / "build/fault/myeloma-adapter"))

LENALIDOMIDE, SULFAMETHOXAZOLE, TRIMETHOPRIM, BOTH = 342369, 10180, 10829, 10831
CAPSULE, TABLET = 99000001, 99000002
HEAD = ["system", "code", "concept", "comment", "overrides", "strength", "unit", "form"]


def conso(code, type, name, source="RXNORM", suppress="N"):
    return f"{code}|ENG||||||{code}|{code}|{code}||{source}|{type}|{code}|{name}||{suppress}|4096|"


def rel(one, relation, other, source="RXNORM"):
    """"one relation other"; RXNREL.RRF has the other first."""
    return f"{other}||CUI|RO|{one}||CUI|{relation}|1||{source}||||||"


def ndc(code, number, source="RXNORM", suppress="N"):
    return f"{code}|||{code}|AUI|{code}|||NDC|{source}|{number}|{suppress}|4096|"


CONCEPTS = [
    conso(LENALIDOMIDE, "IN", "lenalidomide"),
    conso(SULFAMETHOXAZOLE, "IN", "sulfamethoxazole"),
    conso(TRIMETHOPRIM, "IN", "trimethoprim"),
    conso(BOTH, "MIN", "sulfamethoxazole / trimethoprim"),
    conso(99000003, "IN", "no drug of ours"),
    conso(CAPSULE, "DF", "Oral Capsule"),
    conso(TABLET, "DF", "Oral Tablet"),
    conso(602910, "SCD", "lenalidomide 10 MG Oral Capsule"),
    conso(602912, "SCD", "lenalidomide 5 MG Oral Capsule"),
    conso(99000010, "PIN", "lenalidomide hemihydrate"),
    conso(99000011, "BN", "Lenamax"),
    conso(99000012, "SCDC", "lenalidomide 30 MG"),
    conso(99000013, "SCD", "lenalidomide 30 MG Oral Capsule"),
    conso(99000013, "SY", "lenalidomide thirty", "RXNORM"),
    conso(99000014, "SBD", 'lenalidomide 30 MG Oral Capsule [Lenamax, "the big one"]'),
    conso(99000015, "SCDF", "lenalidomide Oral Capsule"),
    conso(99000016, "GPCK", "{21 (lenalidomide 30 MG Oral Capsule) } Pack"),
    conso(99000017, "SCD", "lenalidomide 40 MG Oral Capsule", suppress="O"),
    conso(99000018, "SCD", "lenalidomide 50 MG Oral Capsule", source="MMSL"),
    conso(99000020, "SCDC", "sulfamethoxazole 100 MG"),
    conso(99000021, "SCDC", "trimethoprim 20 MG"),
    conso(99000022, "SCD", "sulfamethoxazole 100 MG / trimethoprim 20 MG Oral Tablet"),
    conso(99000030, "SCDC", "no drug of ours 1 MG"),
    conso(99000031, "SCD", "no drug of ours 1 MG Oral Tablet"),
    conso(99000032, "SCD", "lenalidomide 30 MG / no drug of ours 1 MG Oral Tablet"),
]
LINKS = [
    rel(99000010, "form_of", LENALIDOMIDE),
    rel(99000011, "tradename_of", LENALIDOMIDE),
    rel(99000012, "has_ingredient", LENALIDOMIDE),
    rel(99000012, "has_precise_ingredient", 99000010),
    rel(99000013, "consists_of", 99000012),
    rel(99000013, "has_dose_form", CAPSULE),
    rel(99000014, "tradename_of", 99000013),
    rel(99000014, "has_dose_form", CAPSULE),
    rel(99000014, "has_ingredient", 99000011),
    rel(99000015, "has_ingredient", LENALIDOMIDE),
    rel(99000015, "has_dose_form", CAPSULE),
    rel(99000016, "contains", 99000013),
    rel(602910, "consists_of", 99000012),
    rel(602912, "consists_of", 99000021),
    rel(99000020, "has_ingredient", SULFAMETHOXAZOLE),
    rel(99000021, "has_ingredient", TRIMETHOPRIM),
    rel(99000022, "consists_of", 99000020),
    rel(99000022, "consists_of", 99000021),
    rel(BOTH, "has_part", SULFAMETHOXAZOLE),
    rel(BOTH, "has_part", TRIMETHOPRIM),
    rel(99000022, "has_dose_form", TABLET),
    rel(99000030, "has_ingredient", 99000003),
    rel(99000031, "consists_of", 99000030),
    rel(99000032, "consists_of", 99000012),
    rel(99000032, "consists_of", 99000030),
    rel(99000032, "has_dose_form", TABLET),
    rel(99000031, "has_ingredient", LENALIDOMIDE, "MTHSPL"),
]
PACKAGES = [
    ndc(99000013, "99999001301"), ndc(99000014, "99999001401"), ndc(99000014, "99999001402", "NDDF"),
    ndc(99000013, "99999001302", suppress="O"), ndc(99000031, "99999003101"),
]


@pytest.fixture
def release(tmp_path):
    def write(concepts=CONCEPTS, links=LINKS, packages=PACKAGES, folder=""):
        place = tmp_path / "release" / folder
        place.mkdir(parents=True, exist_ok=True)
        for name, lines in (("CONSO", concepts), ("REL", links), ("SAT", packages)):
            if lines is not None:
                (place / f"RXN{name}.RRF").write_text("".join(f"{line}\n" for line in lines))
        return tmp_path / "release"
    return write


def imported(*arguments):
    run = program("import", "rxnorm", "--mappings", MAPPINGS, *arguments)
    assert run.code == 0, run.err
    rows = list(csv.reader(io.StringIO(run.out)))
    assert rows[0] == HEAD
    return rows[1:], run.err


def by_code(rows):
    found = {}
    for system, code, concept, _, overrides, *strength in rows:
        assert overrides == ""
        found.setdefault(f"{system} {code}", []).append((concept, *strength))
    return found


LEN30 = ("drug:lenalidomide", "30", "MG", "Oral Capsule")
WANTED = {
    "rxnorm 99000010": [("drug:lenalidomide", "", "", "")],
    "rxnorm 99000011": [("drug:lenalidomide", "", "", "")],
    "rxnorm 99000012": [("drug:lenalidomide", "30", "MG", "")],
    "rxnorm 99000013": [LEN30],
    "rxnorm 99000014": [LEN30],
    "rxnorm 99000015": [("drug:lenalidomide", "", "", "Oral Capsule")],
    "rxnorm 99000016": [("drug:lenalidomide", "", "", "")],
    "rxnorm 99000020": [("drug:sulfamethoxazole", "100", "MG", "")],
    "rxnorm 99000021": [("drug:trimethoprim", "20", "MG", "")],
    "rxnorm 99000022": [("drug:sulfamethoxazole", "100", "MG", "Oral Tablet"),
                        ("drug:trimethoprim", "20", "MG", "Oral Tablet"),
                        ("drug:sulfamethoxazole-trimethoprim", "", "", "Oral Tablet")],
    "rxnorm 99000032": [("drug:lenalidomide", "30", "MG", "Oral Tablet")],
    "ndc 99999001301": [LEN30],
    "ndc 99999001401": [LEN30],
}


def test_what_is_new_in_a_release_becomes_local_codes(release):
    rows, told = imported(release())
    assert by_code(rows) == WANTED
    assert [row[3] for row in rows if row[1] == "99000014"] == [
        'lenalidomide 30 MG Oral Capsule [Lenamax, "the big one"]']
    assert ('left out: rxnorm 602912 "lenalidomide 5 MG Oral Capsule": lenalidomide in our tables, '
            'trimethoprim in the release\n') in told
    assert "602910" not in told
    assert ("read 3 files: 11 RxNorm codes and 2 NDC are new (15 lines); our tables have 5\n"
            "1 of the new ones have ingredients beside that no rule can ask for\n"
            "1 were left out: ") in told


def test_the_packages_may_be_missing_or_unwanted_and_the_files_stand_below_rrf(release):
    codes = {code: rows for code, rows in WANTED.items() if code.startswith("rxnorm")}
    assert by_code(imported(release(packages=None, folder="rrf"))[0]) == codes
    assert by_code(imported("--no-ndc", release())[0]) == codes


def test_the_order_of_lines_does_not_matter(release):
    first = imported(release())[0]
    assert imported(release(CONCEPTS[::-1], LINKS[::-1] * 2, PACKAGES[::-1]))[0] == first


@pytest.mark.parametrize("coding, said", (
    ({"system": RXNORM, "code": "99000014"}, "Active order: lenalidomide, 30 mg once daily"),
    ({"system": "http://hl7.org/fhir/sid/ndc", "code": "99999-0013-01"},
     "Active order: lenalidomide, 30 mg once daily"),
    ({"system": RXNORM, "code": "99000022"}, ""),
))
def test_an_order_by_an_imported_code_is_known_with_its_dose(release, tmp_path, coding, said):
    codes, order = tmp_path / "site.csv", tmp_path / "order.json"
    run = program("import", "rxnorm", "--mappings", MAPPINGS, "--output", codes, release())
    assert (run.code, run.out) == (0, "")
    run = program("check", "--mappings", MAPPINGS, "--codes", codes)
    assert (run.code, run.err) == (0, "")
    order.write_text(json.dumps({
        "resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/1"}, "authoredOn": "2026-05-01",
        "medicationCodeableConcept": {"coding": [coding]},
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "capsule"}}]}]}))
    assert "unmapped: 1 orders" in program("replay", "--mappings", MAPPINGS, order).err
    run = program("replay", "--mappings", MAPPINGS, "--codes", codes, "--everybody", "--explain",
                  "--as-of", "2026-05-04T10:00:00Z", order)
    assert run.code == 0 and "unmapped: 0 orders" in run.err
    assert said in run.out


@pytest.mark.parametrize("name, change, place, what", (
    ("CONSO", lambda lines: lines[:2] + ["10829|ENG|P"] + lines[3:], 3,
     "this line has 3 fields instead of 18; the file is damaged or of another format"),
    ("REL", lambda lines: [rel("C1", "form_of", LENALIDOMIDE)] + lines, 1,
     "an RxNorm code is a number of at most 8 digits"),
    ("SAT", lambda lines: lines + ["1|2"], 6, "this line has 2 fields instead of 13"),
))
def test_a_broken_line_is_told_with_its_place_and_nothing_is_written(release, tmp_path, name, change,
                                                                     place, what):
    folder, output = release(), tmp_path / "out.csv"
    path = folder / f"RXN{name}.RRF"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    output.write_text("as it was")
    run = program("import", "rxnorm", "--mappings", MAPPINGS, "--output", output, folder)
    assert run.code == 1 and f"{path}:{place}: {what}" in run.err
    assert output.read_text() == "as it was" and sorted(os.listdir(tmp_path)) == ["out.csv", "release"]


def test_a_line_without_end_is_told(release):
    folder = release()
    (folder / "RXNREL.RRF").write_bytes(b"x" * 2_000_000)
    run = program("import", "rxnorm", "--mappings", MAPPINGS, folder)
    assert run.code == 1 and "RXNREL.RRF:1: this line is longer than 1048576 bytes" in run.err


@pytest.mark.parametrize("missing", ("CONSO", "REL"))
def test_a_missing_file_is_told(release, missing):
    folder = release()
    (folder / f"RXN{missing}.RRF").unlink()
    run = program("import", "rxnorm", "--mappings", MAPPINGS, folder)
    assert run.code == 1 and run.out == ""
    assert f"RXN{missing}.RRF: No such file or directory; name the folder of an unpacked" in run.err


def test_a_release_of_nothing_is_told(release):
    run = program("import", "rxnorm", "--mappings", MAPPINGS, release([], [], []))
    assert run.code == 1 and "no line says an ingredient" in run.err


@pytest.mark.parametrize("arguments, what", (
    ((), "name what to import: rxnorm"), (("loinc", "x"), '"loinc" cannot be imported: rxnorm'),
    (("rxnorm",), "name one DIR"), (("rxnorm", "a", "b"), "name one DIR"),
    (("--colour", "rxnorm"), "Try 'myeloma-adapter import --help'"),
))
def test_wrong_usage(arguments, what):
    run = program("import", *arguments)
    assert run.code == 2 and what in run.err


def test_help():
    run = program("import", "--help")
    assert run.code == 0 and "usage: myeloma-adapter import rxnorm" in run.out


def test_an_output_that_cannot_be_written(release, tmp_path):
    run = program("import", "rxnorm", "--mappings", MAPPINGS, "--output", tmp_path / "no/out.csv",
                  release())
    assert run.code == 1 and f"{tmp_path}/no/out.csv: No such file or directory" in run.err
    run = program("import", "rxnorm", "--mappings", MAPPINGS, "--output", "/dev/full", release())
    assert run.code == 1 and "/dev/full: No space left on device" in run.err
    with open("/dev/full", "wb") as full:
        run = subprocess.run([PROGRAM, "import", "rxnorm", "--mappings", MAPPINGS, release()],
                             stdout=full, stderr=subprocess.PIPE)
    assert run.returncode == 1 and b"No space left on device" in run.stderr


def test_ctrl_c_leaves_the_old_file_alone(release, tmp_path):
    """The links come through a pipe that is held open: the program waits for them."""
    folder, output = release(), tmp_path / "out.csv"
    output.write_text("as it was")
    (folder / "RXNREL.RRF").unlink()
    os.mkfifo(folder / "RXNREL.RRF")
    run = subprocess.Popen([PROGRAM, "import", "rxnorm", "--mappings", MAPPINGS, "--output", output,
                            folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open(folder / "RXNREL.RRF", "w") as pipe:  # opens when the program has
        pipe.write(LINKS[0] + "\n")
        pipe.flush()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
    assert run.returncode == -signal.SIGINT
    assert output.read_text() == "as it was" and sorted(os.listdir(tmp_path)) == ["out.csv", "release"]


def many(count):
    """So many new products of lenalidomide: their lines are not written at one go."""
    return [conso(80000000 + i, "SCD", f"lenalidomide {i} MG Oral Capsule") for i in range(count)], \
        [rel(80000000 + i, "consists_of", 99000012) for i in range(count)]


def dies(how):
    """The program, and what ends it: the limit of a file's length in the middle of the lines, or
    SIGKILL at a step of tests/fault."""
    if how == "in the middle of the lines":
        return PROGRAM, {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                                  (20000, 20000))}, signal.SIGXFSZ
    do, at = how.split()
    fault = {"FAULT_DO": do, "FAULT_AT": at, "FAULT_ON": "file"}
    return FAULTY, {"env": {**os.environ, **fault}}, signal.SIGKILL


@pytest.mark.parametrize("old", ["as it was", None], ids=["an old file", "no file"])
@pytest.mark.parametrize("how, becomes", [
    ("in the middle of the lines", "old"), ("kill-before sync", "old"), ("kill-after sync", "old"),
    ("kill-before rename", "old"), ("kill-after rename", "new")])
def test_whoever_is_killed_leaves_the_old_file_or_the_new_one(release, tmp_path, how, becomes, old):
    """What may be left beside is no file of codes, and in nobody's way."""
    concepts, links = many(1000)
    folder, codes = release(CONCEPTS + concepts, LINKS + links), tmp_path / "codes"
    codes.mkdir()
    output = codes / "rxnorm.csv"
    if old:
        output.write_text(old)
    arguments = ["import", "rxnorm", "--mappings", MAPPINGS, "--output", output, folder]
    binary, options, end = dies(how)
    run = subprocess.run([binary, *arguments], capture_output=True, timeout=60, **options)
    assert run.returncode == -end, run.stderr
    wanted = program(*arguments[:4], folder).out
    assert len(wanted) > 40000
    found = output.read_text() if output.exists() else None
    assert found == (wanted if becomes == "new" else old)
    assert program(*arguments).code == 0 and output.read_text() == wanted
    assert program("check", "--mappings", MAPPINGS, "--codes", codes).code == 0


def test_a_large_release_needs_bounded_time(release):
    """Lines of other sources are most of a release; 300 000 of them are skipped in seconds."""
    foreign = [conso(70000000 + i, "SCD", "foreign", "MMSL") for i in range(150000)]
    links = [rel(70000000 + i, "consists_of", 70000001 + i, "MMSL") for i in range(150000)]
    start = time.monotonic()
    rows, _ = imported(release(foreign + CONCEPTS, links + LINKS))
    assert by_code(rows) == WANTED and time.monotonic() - start < 20
