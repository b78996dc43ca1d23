"""The recorded stories of tests/stories/, played through replay instead of a server and a daemon, and
the goldens of one of them: what the table, the JSON and the explanation look like.

GOLDEN_UPDATE=1 rewrites the goldens; read the difference before it is committed.
"""
import collections
import datetime
import functools
import json
import os
import sys

import pytest

import charts
from charts import NOW, ROOT, bundle, text

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/e2e")]
import story  # noqa: E402
from few_rules import few_rules  # noqa: E402

play = functools.partial(charts.play, mappings=few_rules())

STORIES = ROOT / "tests/stories"
GOLDEN = ROOT / "tests/golden/cli"
NAMES = sorted(path.stem for path in STORIES.glob("*.json"))


def steps(name="three-patients"):
    """The steps, each filled as if the story began with it: they are a second apart."""
    return [story.filled(step, moment(number).replace(tzinfo=datetime.timezone.utc))
            for number, step in enumerate(story.load(STORIES / f"{name}.json"))]


def moment(number):
    return NOW + datetime.timedelta(seconds=number)


def stored(of):
    """The resources of the put steps as a server would hold them."""
    versions = collections.Counter()
    for number, step in enumerate(of):
        if "put" not in step:
            continue
        where = step["put"]["resourceType"], step["put"]["id"]
        versions[where] += 1
        updated = moment(number).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {**step["put"], "meta": {"versionId": str(versions[where]), "lastUpdated": updated}}


def resources(name="three-patients"):
    return list(stored(steps(name)))


# Words of the story player for the states of replay.
STATUS = {"open": "open", "cleared": "ended", "retracted": "retracted"}


@pytest.mark.parametrize("name", NAMES)
def test_the_waits_of_the_story_are_satisfied_by_what_was_written_before_them(name):
    all_steps = steps(name)
    for number, step in enumerate(all_steps):
        if "wait" not in step:
            continue
        run = play(list(stored(all_steps[:number])))
        assert run.code == 0, run.err
        wanted = step["wait"]
        statuses = [STATUS[alert["status"]] for alert in run.alerts
                    if alert["rule"] == wanted["rule"]
                    and wanted.get("patient", alert["patient"]) == alert["patient"]]
        assert story.holds(wanted["status"], statuses), f"step {number + 1}: {wanted}: {statuses}"


@pytest.mark.parametrize("name", NAMES)
def test_the_story_has_only_steps_that_the_player_knows(name):
    for step in story.load(STORIES / f"{name}.json"):
        assert len({"say", "put", "delete", "wait"} & set(step)) == 1, step
        if "wait" in step:
            assert step["wait"]["status"] in story.STATUSES
            assert set(step) <= {"wait", "deadline"}


@pytest.mark.parametrize("name", NAMES)
def test_no_resource_of_the_story_is_set_aside_or_unmapped(name):
    run = play(resources(name))
    assert (run.code, run.aside) == (0, [])
    assert "unmapped: 0 orders, 0 results" in run.err


def test_at_the_end_of_the_story_of_three_patients_nothing_is_open():
    run = play(resources())
    assert {a["status"] for a in run.alerts} == {"cleared", "retracted"}
    assert len({a["patient"] for a in run.alerts}) == 3


# ---- goldens: the same story in the middle, when every kind of alert is there

def middle(patient):
    """The story up to the moment when the third patient's creatinine was withdrawn; of one patient or all."""
    all_steps = steps()
    end = next(i for i, step in enumerate(all_steps) if "wait" in step
               and step["wait"]["status"] == "retracted")
    return text(bundle([r for r in stored(all_steps[:end]) if r["id"].startswith(patient)]))


# The explanation is long: that of one patient is enough to read.
GOLDENS = {
    "story.table": ("story-", []),
    "story.json": ("story-", ["--format", "json"]),
    "story.explain": ("story-c", ["--explain"]),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_the_output_is_the_golden(name):
    patient, arguments = GOLDENS[name]
    run = play(middle(patient), *arguments, format="table")
    assert run.code == 0, run.err
    path = GOLDEN / name
    if os.environ.get("GOLDEN_UPDATE") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(run.raw)
    assert run.out == path.read_text(), f"{path} differs: GOLDEN_UPDATE=1 rewrites it"


def test_the_json_golden_is_json():
    lines = (GOLDEN / "story.json").read_text().splitlines()
    assert [json.loads(line)["rule"] for line in lines]
