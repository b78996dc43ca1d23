"""Every case of every rule says the same when its results arrive in another unit.

The cases are rewritten: each result with a number is told in every unit of labs/units.csv that it
converts to exactly, and the program plays them again. So both sides of each limit are shown in every
unit that a laboratory may send.
"""
import csv
import functools
import json
import os
import re
import subprocess
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MAPPINGS = PROJECT / "mappings"
PROGRAM = os.environ.get("MYELOMA_ADAPTER", str(PROJECT / "build/release/myeloma-adapter"))
RESULT = re.compile(r"^(?P<analyte>[a-z0-9-]+) (?P<mark><=|>=|<|>)?(?P<number>[0-9]+(\.[0-9]+)?) (?P<unit>[^ ,]+)"
                    r"(?P<rest>(,.*)?)$")
DIGITS = 12                                    # more is no number that a laboratory sends


@functools.cache
def ways():
    """analyte -> unit -> (add, factor, then_add), without those whose factor is a range."""
    found = defaultdict(dict)
    with open(MAPPINGS / "labs/units.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if ".." in row["factor"]:
                continue
            factor = Fraction(row["factor"].split("/")[0]) if row["factor"] else Fraction(1)
            if "/" in row["factor"]:
                factor /= Fraction(row["factor"].split("/")[1])
            found[row["analyte"]][row["unit"]] = (
                Fraction(row["add"] or 0), factor, Fraction(row["then_add"] or 0))
    return found


def decimal_of(value):
    """The number as it is written, None when it is negative or does not end soon."""
    scaled = value * 10 ** DIGITS
    if value < 0 or scaled.denominator != 1:
        return None
    text = f"{int(scaled):0{DIGITS + 1}d}"
    text = f"{text[:-DIGITS]}.{text[-DIGITS:]}".rstrip("0").rstrip(".")
    return text if len(text) <= DIGITS else None


def in_unit(words, unit):
    """The words of a result in another unit; None where that is not the same result."""
    match = RESULT.match(words)
    units = ways().get(match["analyte"], {}) if match else {}
    if not match or match["unit"] not in units or unit not in units or "upper" in match["rest"]:
        return None
    add, factor, then_add = units[match["unit"]]
    canonical = (Fraction(match["number"]) + add) * factor + then_add
    add, factor, then_add = units[unit]
    number = decimal_of((canonical - then_add) / factor - add)
    if number is None:
        return None
    return f"{match['analyte']} {match['mark'] or ''}{number} {unit}{match['rest']}"


def cases_in_unit(rule, unit):
    """The cases of which a result could be told in that unit."""
    for case in rule["cases"]:
        results = case.get("results", rule.get("given", {}).get("results", []))
        changed = [in_unit(words, unit) or words for words in results]
        if changed != results:
            yield {**case, "results": changed}


@functools.cache
def rules():
    return {path: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted((MAPPINGS / "rules").glob("*.json"))}


def seen_in(unit):
    return any(True for root in rules().values() for rule in root["rules"] for _ in cases_in_unit(rule, unit))


UNITS = [unit for unit in sorted({unit for units in ways().values() for unit in units}) if seen_in(unit)]


def test_the_units_of_counts_and_chemistry_are_among_them():
    assert {"/uL", "10*9/L", "K/uL", "umol/L", "mmol/L", "g/L", "mg/dL", "[degF]"} <= set(UNITS)


@pytest.mark.parametrize("unit", UNITS)
def test_the_cases_hold_with_results_in(unit, tmp_path):
    for path in MAPPINGS.rglob("*"):
        here = tmp_path / path.relative_to(MAPPINGS)
        if path.is_dir():
            here.mkdir(exist_ok=True)
        elif path not in rules():
            here.symlink_to(path)
        else:
            again = [{**rule, "cases": [*cases_in_unit(rule, unit)] or rule["cases"]}
                     for rule in rules()[path]["rules"]]
            here.write_text(json.dumps({**rules()[path], "rules": again}), encoding="utf-8")
    done = subprocess.run([PROGRAM, "test", "--mappings", str(tmp_path)], capture_output=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout.decode()[:4000] + done.stderr.decode()[:2000]
