"""The engine with our rule files, and the second opinion on the records, judge the same patients.

OPINION_PATIENTS: patients for each record (32, more for rare ones); OPINION_SEED: another crowd (1).
"""
import collections
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import facts

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("MYELOMA_ADAPTER", str(PROJECT / "build/release/myeloma-adapter"))
COUNT = int(os.environ.get("OPINION_PATIENTS", "32"))
SEED = int(os.environ.get("OPINION_SEED", "1"))
AT_ONCE = 1000   # patients in one run
FEW = 3   # a record that is told less often than that was not tested

pytestmark = pytest.mark.skipif(not facts.HERE, reason="the records (../shared/reference) are not here")
NAMES = [record["id"] for record in facts.records()] if facts.HERE else []


def replay(data, *arguments, mappings=PROJECT / "mappings"):
    import patient as made
    done = subprocess.run([PROGRAM, "replay", "--mappings", str(mappings), "--format", "json",
                           "--codes", str(Path(__file__).parent / "codes.csv"), "--everybody", "--all",
                           "--as-of", made.NOW_TEXT, *arguments],
                          input=data, capture_output=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:2000]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def of_the_moment(tmp_path_factory):
    """Our rules, but no alert lasts beyond its trigger: the records say when to hold, the opinion judges
    that moment. (What lasts is judged in tests/cli/test_lasting.py.)"""
    copy = tmp_path_factory.mktemp("moment") / "mappings"
    shutil.copytree(PROJECT / "mappings", copy)
    for file in (copy / "rules").glob("*.json"):
        content = json.loads(file.read_text(encoding="utf-8"))
        for rule in content["rules"]:
            rule.pop("persists", None)
        file.write_text(json.dumps(content), encoding="utf-8")
    return copy


def alerts_of(patients, mappings):
    import patient as made
    found = []
    for at in range(0, len(patients), AT_ONCE):
        found += replay("".join(json.dumps(resource) + "\n" for one in patients[at:at + AT_ONCE]
                                for resource in made.resources(one)).encode(), "-", mappings=mappings)
    return found


def told_by_engine(alerts):
    """patient id -> the rules of its open alerts, merged and suppressed ones too."""
    told = collections.defaultdict(set)
    for alert in alerts:
        if alert["status"] == "open":
            told[alert["patient"].removeprefix("Patient/")] |= {
                alert["rule"], *(also["rule"] for also in alert["also"])}
    return told


@pytest.fixture(scope="module")
def patients():
    import make_patients
    return list(make_patients.make(COUNT, SEED))


@pytest.fixture(scope="module")
def alerts(patients, of_the_moment):
    return alerts_of(patients, of_the_moment)


@pytest.fixture(scope="module")
def judged(patients, alerts):
    """record id -> [(patient, engine says, opinion says)]"""
    import opinion
    told = told_by_engine(alerts)
    return {record["id"]: [(one, record["id"] in told[one.id], opinion.judge(record, one) is True)
                           for one in patients] for record in facts.records()}


def describe(patient):
    orders = "; ".join(f"{o.drug} {o.dose or '?'} {o.unit}/{o.every}h from {o.since}d"
                       f" to {o.until}d {o.status} {o.route or ''} {o.time or ''}" for o in patient.orders)
    results = "; ".join(f"{r.test}={r.value} {r.hours}h{'' if r.limits else ' no limits'}"
                        for r in sorted(patient.results, key=lambda r: r.test))
    return (f"{patient.id}: {patient.sex} {patient.age}; {orders} | {results} | {patient.conditions}"
            f" over: {sorted(patient.resolved)} hsct {patient.transplant}")


@pytest.mark.parametrize("name", NAMES)
def test_engine_and_second_opinion_agree_on(name, judged):
    wrong = [(one, engine) for one, engine, said in judged[name] if engine != said]
    assert not wrong, (f"{len(wrong)} differ; engine {'alerts' if wrong[0][1] else 'is silent'}: "
                       f"{describe(wrong[0][0])}")


@pytest.mark.parametrize("name", NAMES)
def test_patients_show_both_answers_of(name, judged):
    import meaning
    told = sum(said for _, _, said in judged[name])
    assert len(judged[name]) - told >= FEW
    if name in meaning.OFF:
        assert told == 0
    else:
        assert told >= FEW, f"{name} is told for {told} of {len(judged[name])} patients"


def test_a_checked_verdict_is_never_shown(alerts):
    checked = {record["id"] for record in facts.records() if record.get("verdict", "").startswith("checked")}
    seen = [alert for alert in alerts if alert["rule"] in checked]
    assert seen
    assert {alert["display"] for alert in seen} == {"suppressed"}
