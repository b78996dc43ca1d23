"""Every DetectedIssue of --format bundle that the charts of these tests give is valid FHIR R4, by three
validators and our own checks (tests/e2e/validators.py). Runs last: it plays all the charts again."""
import json
import sys

import pytest

import test_corpus
import test_replay
import test_stories
import test_vignettes
from charts import NOW_TEXT, ROOT, play

sys.path.insert(0, str(ROOT / "tests/e2e"))
import validators  # noqa: E402

READY, REASON = validators.available()
pytestmark = pytest.mark.skipif(not READY, reason=REASON)

LONG = "白血球減少の注意書き <b>&\"'" * 30


def hostile():
    """A chart whose texts are markup, control characters, and longer than is shown."""
    chart = json.loads(json.dumps(test_replay.CHART).replace(
        "lenalidomide 25 MG Oral Capsule", "<script>alert(1)</script> & ]]>"))
    chart[2]["dosageInstruction"] = [{"text": LONG}]
    chart[5]["valueQuantity"]["unit"] = LONG
    return chart


def charts_of_all_tests():
    yield from ((name, chart, ["--as-of", NOW_TEXT]) for name, (chart, _) in
                test_vignettes.VIGNETTES.items())
    yield from ((what, [r for r in test_replay.BASE if r["id"] != "len" or what[:10] != "the order "]
                 + news, []) for what, news in test_replay.RETRACTED.items())
    yield "mixed", test_replay.MIXED, []
    yield "mixed, suppressed too", test_replay.MIXED, ["--all", "--everybody"]
    yield "naproxen", test_replay.naproxen_chart(), []
    yield "hostile", hostile(), ["--as-of", NOW_TEXT]
    yield "story", test_stories.resources(), []


def issues():
    """id -> (where it came from, resource); the same alert may come from several charts."""
    found = {}
    for name, chart, arguments in charts_of_all_tests():
        run = play(chart, *arguments, format="bundle")
        assert run.code == 0, (name, run.err)
        keep(found, name, run)
    if test_corpus.DATA.is_dir():
        keep(found, "bulk set", test_corpus.alerts_of("bulk-ndjson-10-patients", "bundle"))
    for path in sorted((ROOT / "tests/golden/issue").glob("*.json")):
        if not path.name.endswith("-r5.json"):    # asked of a real server: test_hapi_releases.py
            found[path.name] = path.name, json.loads(path.read_text())
    folder = ROOT / "build/issues"          # the unit tests leave here what they wrote to their server
    paths = sorted(folder.glob("*.ndjson"))
    assert paths or not folder.exists(), "the unit tests have left nothing"
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines()):
            found[line] = f"{path.stem} {number}", json.loads(line)
    return list(found.values())


def keep(found, name, run):
    for entry in json.loads(run.out).get("entry", []):
        found[json.dumps(entry["resource"], sort_keys=True)] = name, entry["resource"]


def test_every_detected_issue_of_these_tests_is_valid():
    found = issues()
    assert len(found) > 50
    assert {"final", "entered-in-error"} == {
        issue["status"] for _, issue in found if issue["resourceType"] == "DetectedIssue"}
    told = validators.validate([issue for _, issue in found])
    assert told == [], "\n".join(told[:20]) + "\n" + "\n".join(
        f"stdin#{n} is {name}" for n, (name, _) in enumerate(found, 1)
        if any(line.startswith(f"stdin#{n} ") for line in told))


def test_the_collection_itself_is_valid():
    made = json.loads(play(test_replay.MIXED, format="bundle").out)
    assert validators.validate([made]) == []
