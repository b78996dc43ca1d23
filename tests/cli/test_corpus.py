"""The public test data beside the project (../shared/testdata) goes through replay in place: no crash,
no leak, no hang, and nothing set aside where the inventory says that nothing should be.

With MYELOMA_ADAPTER_ASAN naming a build under ASan and UBSan, that one is used: each set goes through it
along the clock, as of a day and explained. What compares the outputs of further such runs uses the release,
and the corpus of JSON, which is about the reader, is read with few rules: both take a part of the time.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import time

import pytest

import charts
from charts import MAPPINGS, ROOT, SHARED

sys.path.insert(0, str(ROOT / "tests"))
from few_rules import few_rules  # noqa: E402
from r5 import as_r5  # noqa: E402

DATA = SHARED / "testdata"
ASAN = os.environ.get("MYELOMA_ADAPTER_ASAN")
PROGRAM = ASAN or charts.PROGRAM
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "LSAN_OPTIONS": "exitcode=99",
}
SANITIZER_WORDS = re.compile(r"Sanitizer|runtime error:|LeakSanitizer")

# Against hanging: make test plays this at a low priority beside others. The largest set unpacks to 38 MB.
SECONDS = 600 if ASAN else 200
FILE_SECONDS = 60              # one file of the JSON corpus

# What the README says of a file that holds no usable resource.
NO_RESOURCE = re.compile(r"is no object|the list is empty|no resource: no resourceType|neither a JSON object nor lines of them")

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the public test data (../shared/testdata) is not here")


def inventory():
    """Set name -> (files, rejected or None), from the README's inventory."""
    found = {}
    if not (DATA / "README.md").exists():
        return found
    for block in re.split(r"(?m)^### public/", (DATA / "README.md").read_text())[1:]:
        name = block[:block.index("/")]
        files = int(re.search(r"(?m)^- files (\d+)", block).group(1))
        rejected = re.search(r"looked at, (\d+) rejected", block)
        found[name] = files, int(rejected.group(1)) if rejected else None
    return found


INVENTORY = inventory()
CLEAN = sorted(name for name, (_, rejected) in INVENTORY.items() if rejected == 0)


def run(*arguments, seconds=SECONDS, input=b"", program=PROGRAM, mappings=MAPPINGS):
    begin = time.monotonic()
    done = charts.Run(subprocess.run(
        [program, "replay", "--mappings", str(mappings), *map(str, arguments)], input=input,
        capture_output=True, timeout=seconds, env={**os.environ, **SANITIZERS}))
    assert done.code >= 0, f"signal {-done.code}\n{done.err[-3000:]}"
    assert not SANITIZER_WORDS.search(done.err), done.err[-5000:]
    assert done.code in (0, 3), done.err[-3000:]
    assert (done.code == 3) == bool(done.aside)
    assert time.monotonic() - begin < seconds
    return done


def test_the_inventory_is_read_as_it_stands():
    assert len(INVENTORY) == len([p for p in DATA.iterdir() if p.is_dir()])
    assert len(CLEAN) > 15
    assert INVENTORY["ig-pddi-cds"][1] == 24
    assert INVENTORY["json-robustness"][1] is None


@pytest.mark.parametrize("name", sorted(INVENTORY))
@pytest.mark.parametrize("mode", ["along the clock", "as of a day"])
def test_every_set_goes_through_replay(name, mode):
    more = ["--as-of", "2023-01-01"] if mode == "as of a day" else []
    run("--everybody", "--all", "--unmapped", "--format", "json", *more, DATA / name)


@pytest.mark.parametrize("name", sorted(INVENTORY))
def test_every_set_is_explained(name):
    run("--everybody", "--explain", DATA / name)


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_set_aside_of(name):
    done = run("--everybody", DATA / name, program=charts.PROGRAM)
    assert done.aside == []
    assert done.code == 0
    assert ", 0 set aside;" in done.err


def test_all_sets_together_give_the_same_bytes_twice():
    first, second = (run("--everybody", "--format", "json", DATA, program=charts.PROGRAM).raw
                     for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["official-r4b", "official-r5"])
def test_nothing_is_set_aside_of_the_files_of_another_release(name):
    done = run("--everybody", DATA / name)
    assert (done.code, done.aside) == (0, []), done.err[-3000:]


def unpacked(path):
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rb") as file:
        return file.read()


def resources_of(folder):
    """The resources of NDJSON files and Bundles, in the order of the files."""
    for path in sorted(p for p in folder.rglob("*") if ".json" in p.name or ".ndjson" in p.name):
        data = unpacked(path)
        lines = data.splitlines() if ".ndjson" in path.name else [data]
        for made in (json.loads(line) for line in lines if line.strip()):
            if made.get("resourceType") == "Bundle":
                yield from (e["resource"] for e in made.get("entry", []) if "resource" in e)
            else:
                yield made


# Orders by reference; with dosages, procedures and allergies; contained Medications.
@pytest.mark.parametrize("name", ["bulk-ndjson-10-patients-medicationReference",
                                  "synthea-r4-v3", "official-r4"])
def test_a_set_says_the_same_in_the_shape_of_r5(name):
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not here")
    resources = list(resources_of(DATA / name))
    changed = [as_r5(resource) for resource in resources]
    assert changed != resources
    r4, r5 = (run("--everybody", "--all", "--explain", "--unmapped", "-", input=b"".join(
        json.dumps(r).encode() + b"\n" for r in made)) for made in (resources, changed))
    assert r4.raw == r5.raw
    assert r4.err == r5.err


# ---- the JSON corpus

SUITE = DATA / "json-robustness" / "JSONTestSuite-test_parsing"
CASES = sorted(p.name for p in SUITE.iterdir()) if SUITE.is_dir() else []
WORDS = {"y": [c for c in CASES if c.startswith("y_")], "n": [c for c in CASES if c.startswith("n_")],
         "i": [c for c in CASES if c.startswith("i_")]}


def reasons(name):
    done = run(SUITE / name, seconds=FILE_SECONDS, mappings=few_rules())
    return done.code, [re.sub(r".*set aside: ", "", line) for line in done.aside]


def test_the_json_corpus_is_all_there():
    assert {kind: len(names) > 30 for kind, names in WORDS.items()} == {"y": True, "n": True, "i": True}


@pytest.mark.parametrize("name", WORDS["y"])
def test_valid_json_is_refused_for_want_of_a_resource_only(name):
    code, said = reasons(name)
    assert code == 3  # none of them is a resource
    assert all(NO_RESOURCE.search(reason) for reason in said), said


@pytest.mark.parametrize("name", WORDS["n"])
def test_broken_json_is_set_aside(name):
    code, said = reasons(name)
    assert code == 3
    assert not all("no resourceType" in reason for reason in said), said


@pytest.mark.parametrize("name", WORDS["i"])
def test_doubtful_json_is_survived(name):
    reasons(name)


def resource_of(name):
    """A case as a member of an Observation in a Bundle, the good neighbours around it."""
    body = (SUITE / name).read_bytes()
    good = [charts.text({"resource": r}) for r in (charts.patient(), charts.condition())]
    odd = b'{"resource":{"resourceType":"Observation","id":"odd","x":' + body + b"}}"
    return (b'{"resourceType":"Bundle","type":"collection","entry":['
            + b",".join([good[0], odd, good[1]]) + b"]}")


@pytest.mark.parametrize("name", WORDS["y"])
def test_valid_json_inside_a_resource_is_taken_in(name):
    if b"\xef\xbb\xbf" in (SUITE / name).read_bytes():
        pytest.skip("a byte order mark stands only at the beginning of a file")
    done = run("-", input=resource_of(name), mappings=few_rules())
    duplicate = "duplicate" in name
    assert (done.code, len(done.aside)) == ((3, 1) if duplicate else (0, 0)), done.err


@pytest.mark.parametrize("name", WORDS["n"])
def test_broken_json_inside_a_resource_is_set_aside_and_what_stands_before_it_lives(name):
    made = resource_of(name)
    try:
        json.loads(made)
    except (ValueError, RecursionError):
        done = run("-", input=made, seconds=FILE_SECONDS, mappings=few_rules())
        assert done.code == 3
        assert "entry 2: set aside: " in done.aside[0] or "breaks off" in done.aside[0]
        assert re.search(r"read 1 files: [12] resources used", done.err)
    else:
        pytest.skip("inside an object it is no longer broken")


# ---- the same orders in two shapes

def alerts_of(folder, format="json"):
    """The alerts of one of the bulk sets, with the patients and conditions of the first. Stopped
    orders are made active, and every patient gets myeloma, so that there are alerts to compare."""
    bulk = DATA / "bulk-ndjson-10-patients"
    paths = [p for p in sorted((DATA / folder).iterdir())
             if p.name.startswith(("MedicationRequest", "Medication."))]
    paths += [p for p in sorted(bulk.iterdir()) if p.name.startswith(("Patient", "Condition"))]
    lines = b"".join(unpacked(path) for path in paths).replace(b'"stopped"', b'"active"')
    return run("--everybody", "--all", "--format", format, "-", input=lines + made_up(bulk))


def made_up(bulk):
    """Results and myeloma for every patient of the set, so that its orders meet some rules."""
    rows = (bulk / "Patient.000.ndjson").read_text().splitlines()
    return b"".join(charts.ndjson(
        [charts.condition(f"mm-{i}", since=9000, patient=who)]
        + [charts.result(f"{name}-{i}-{day}", name, value, day, patient=who)
           for day in (30, 2000, 4000, 8000)
           for name, value in (("creatinine", 2.2), ("weight", 70), ("neutrophils", 0.4))])
        for i, who in enumerate(json.loads(row)["id"] for row in rows))


def test_both_bulk_sets_of_the_same_orders_give_the_same_alerts():
    plain = alerts_of("bulk-ndjson-10-patients")
    by_reference = alerts_of("bulk-ndjson-10-patients-medicationReference")
    assert plain.code == by_reference.code == 0
    assert plain.raw == by_reference.raw
    assert len(plain.alerts) > 10, "these orders should meet some rules"


def unpacked(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_bulk_set_gives_the_same_alerts_in_any_order_of_its_lines():
    bulk = DATA / "bulk-ndjson-10-patients"
    lines = [line.replace(b'"stopped"', b'"active"') for path in sorted(bulk.iterdir())
             if not path.name.startswith("log") for line in unpacked(path).splitlines()]
    lines += made_up(bulk).splitlines()
    there, back = (run("--everybody", "--format", "json", "-", input=b"\n".join(order)).raw
                   for order in (lines, lines[::-1]))
    assert there == back
    assert len(there.splitlines()) > 10
