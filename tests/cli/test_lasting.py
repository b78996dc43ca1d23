"""Alerts that last beyond their trigger: who looks once, at the end, sees what somebody saw who looked all
along. What raised an alert may have come and gone while nobody looked.

LASTING_PATIENTS: patients of each test (300); LASTING_SEED: others (1).
"""
import os
import random

import pytest

from charts import condition, ndjson, order, patient, play, result

PATIENTS = int(os.environ.get("LASTING_PATIENTS", "300"))
SEED = int(os.environ.get("LASTING_SEED", "1"))
DAYS = 20
# Values on all sides of the limits of the rules that have "persists".
VALUES = {
    "platelets": (10, 24.9, 25, 30, 49.9, 50, 60, 69, 74, 99, 150),
    "neutrophils": (0.3, 0.49, 0.5, 0.8, 0.99, 1.0, 1.4, 3.0),
    "creatinine": (0.8, 0.9, 1.0, 1.2, 1.3, 1.6, 1.9, 2.4, 4.0),
    "calcium": (6.5, 7.0, 7.6, 8.0, 9.0, 10.6, 11.1, 12.0),
    "potassium": (4.0, 5.4, 5.5, 5.9, 6.0, 6.5),
    "glucose": (120, 249, 251, 299, 301, 400),
    "alt": (20, 39, 41, 130, 210), "ast": (20, 39, 41, 130, 210),
    "wbc": (2.9, 3.5, 4.0, 6.0), "weight": (70,), "height": (175,),
}
# A calcium that cannot be corrected, a creatinine without a baseline: that cannot be told, and whoever
# had an alert keeps it. Here every clause can be told.
BASELINES = {"creatinine": 1.0}
TOGETHER = {"calcium": ("albumin", 4.0)}
DRUGS = ("pomalidomide", "lenalidomide", "ixazomib", "carfilzomib", "zoledronic acid", "pamidronate",
         "denosumab", "dexamethasone", "prednisone", "bortezomib", "melphalan")


def measured(name, pid, analyte, value, days):
    high = {"alt": 40, "ast": 40}.get(analyte)
    limits = {"referenceRange": [{"high": {"value": high, "unit": "U/L", "code": "U/L",
                                           "system": "http://unitsofmeasure.org"}}]} if high else {}
    return result(f"{pid}-{name}", analyte, value, days, patient=pid, **limits)


def somebody(chance, pid, drugs, analytes, tests):
    """Results at whole hours, the last of them at the end, so that all are looked at then."""
    chart = [patient(id=pid), condition(id=f"{pid}-c", patient=pid)]
    for i, drug in enumerate(drugs):
        since = chance.randrange(1, DAYS)
        chart.append(order(f"{pid}-m{i}", drug, since=since, patient=pid))
        chart += [measured(f"{i}-{analyte}", pid, analyte, value, since + 0.1)
                  for analyte, value in BASELINES.items()]
    hours = sorted(chance.sample(range(1, DAYS * 24), tests), reverse=True)
    for i, hour in enumerate(hours):
        analyte = chance.choice(analytes)
        chart.append(measured(i, pid, analyte, chance.choice(VALUES[analyte]), hour / 24))
        if analyte in TOGETHER:
            chart.append(measured(f"{i}-with", pid, *TOGETHER[analyte], hour / 24))
    chart.append(measured("end", pid, "weight", 70, 0))
    return chart


def crowd(drugs, analytes, tests):
    chance = random.Random(SEED)
    return [(f"q{i}", somebody(chance, f"q{i}", drugs(chance), analytes, tests))
            for i in range(PATIENTS)]


def standing(chart, *arguments):
    alerts = play(ndjson(chart), "--all", *arguments, timeout=300).alerts
    return {(a["patient"], a["rule"], tuple(a["subjects"]), a["detail"])
            for a in alerts if a["status"] == "open"}


LASTING = "What raised this alert has eased"


@pytest.fixture(scope="module")
def everybody():
    people = crowd(lambda chance: chance.sample(DRUGS, chance.randrange(1, 4)), tuple(VALUES), 80)
    return [resource for _, chart in people for resource in chart]


def test_who_looks_once_sees_what_was_seen_all_along(everybody):
    along = standing(everybody)
    once = standing(everybody, "--as-of", "2026-06-15T12:00:00Z")
    assert along - once == set()
    assert once - along == set()
    lasting = {rule for _, rule, _, detail in along if LASTING in detail}
    assert len(lasting) >= 10, lasting


# ---- one rule, by hand: pom-plt-hold opens below 25, lasts below 50, for results of 14 days

def low(results):
    """results: (hours before the end, platelets), oldest first."""
    is_open, before = False, None
    for hours, platelets in results:
        if before is not None and before - hours > 14 * 24:
            is_open = False     # the one before grew too old
        is_open = platelets < 25 or (is_open and platelets < 50)
        before = hours
    return is_open and before <= 14 * 24


def test_the_hold_of_pomalidomide_lasts_from_below_25_to_50_platelets():
    chance = random.Random(SEED)
    chart, wanted = [], set()
    for i in range(PATIENTS):
        pid = f"q{i}"
        hours = sorted(chance.sample(range(0, 45 * 24), chance.randrange(1, 9)), reverse=True)
        results = [(hour, chance.choice(VALUES["platelets"])) for hour in hours]
        chart += [patient(id=pid), condition(id=f"{pid}-c", patient=pid),
                  order(f"{pid}-m", "pomalidomide", dose="4 mg", since=50, patient=pid)]
        chart += [measured(hour, pid, "platelets", value, hour / 24) for hour, value in results]
        if low(results):
            wanted.add(f"Patient/{pid}")
    found = {who for who, rule, _, _ in standing(chart, "--as-of", "2026-06-15T12:00:00Z")
             if rule == "pom-plt-hold"}
    assert PATIENTS / 10 < len(wanted) < PATIENTS * 9 / 10
    assert found == wanted
