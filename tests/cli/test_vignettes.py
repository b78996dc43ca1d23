"""What the rules say about whole patients: vignettes N-01 and on of the clinical notes (section 9),
and each rule's own record in clinical-rules.json, evaluated once with --as-of.

`RULES` are the rules judged here; what others say about the same patient is not looked at.
"""
import pytest

from charts import (NOW_TEXT, condition, order, patient, play, result, transplant)

RULES = set("""
    len-combo-anc-hold len-combo-plt-hold len-maint-anc-hold len-maint-plt-hold len-renal-combo
    len-renal-maint len-cbc-gap pom-cyp1a2-strong pom-anc-hold pom-plt-hold ste-fluoroquinolone
    ste-bupropion lor-none lor-renal mm-nsaid-renal ste-nsaid imid-vte-proph-gap imid-duplicate
    bor-mono-plt-hold bor-cyp3a4-inducer car-plt-hold ste-antidiabetic zol-renal-dose
    zol-creat-gap bma-duplicate crit-anc-05""".split())

HIGH, MODERATE, LOW = "high", "moderate", "low"
LOUD, QUIET = "interruptive", "passive"


# ---- what the vignettes are made of

def person(sex="male", age=66, kg=80, creatinine=1.0, anc=3.0, platelets=200, days=1, **skip):
    """A myeloma patient with today's usual results; a value of None leaves one out."""
    values = {"weight": kg, "creatinine": creatinine, "neutrophils": anc, "platelets": platelets}
    return [patient(sex=sex, age=age), condition()] + [
        result(f"o-{name}", name, value, days)
        for name, value in values.items() if value is not None]


ASPIRIN = order("aspirin", "aspirin", "81 mg")
DEX = order("dex", "dexamethasone", "40 mg", unit="wk")
LEN = order("len", "lenalidomide", "25 mg")
POM = order("pom", "pomalidomide", "4 mg")
BOR = order("bor", "bortezomib", "2.3 mg", unit="wk")
CAR = order("car", "carfilzomib", "50 mg", unit="wk")
IXA = order("ixa", "ixazomib", "4 mg", unit="wk")
DARA = order("dara", "daratumumab", "1280 mg", unit="wk")
CYC = order("cyc", "cyclophosphamide", "500 mg", unit="wk")
NAPROXEN = order("nap", "naproxen", "500 mg", times=2, since=2)
CIPRO = order("cip", "ciprofloxacin", "500 mg", times=2, since=2)
LORATADINE = order("lor", "loratadine", "10 mg", since=5)
ZOL = order("zol", "zoledronic acid", "4 mg", period=4, unit="wk")

RD = [LEN, DEX, ASPIRIN]
VD = [BOR, DEX]
CYBORD = [CYC, BOR, DEX]


def maintenance(dose="10 mg", drug="lenalidomide 10", since=100):
    return [transplant(), order("len", drug, dose, since=since), ASPIRIN]


# Each: the chart, and the alerts it gives: rule, severity, display, and the rules merged into it.
VIGNETTES = {
    "N-01: with dexamethasone platelets of 28 hold lenalidomide, neutrophils of 1.2 do not": (
        person(anc=1.2, platelets=28) + RD,
        [("len-combo-plt-hold", HIGH, LOUD)]),
    "N-02: maintenance holds at neutrophils of 0.45, with the critical value in the same alert": (
        person("female", 58, anc=0.45, days=2) + maintenance(),
        [("len-maint-anc-hold", HIGH, LOUD, "crit-anc-05")]),
    "N-03: a count of 20 days ago holds nothing": (
        person("female", 58, anc=0.45, days=20) + maintenance(),
        []),
    "N-04: 10 mg of maintenance are too much for a clearance of 38.7": (
        person("female", 69, kg=60, creatinine=1.3) + maintenance(),
        [("len-renal-maint", HIGH, LOUD)]),
    "N-05: 15 mg of maintenance are right for a clearance of 90": (
        person("male", 70, kg=92.6) + maintenance("15 mg", "lenalidomide 15"),
        []),
    "N-06: maintenance goes on at neutrophils of 0.9": (
        person("male", 61, anc=0.9, platelets=80) + maintenance(since=1)
        + [transplant("t90", since=90)],
        []),
    "N-10: lenalidomide with dexamethasone and nothing against thrombosis": (
        person("male", 65, platelets=140) + [LEN, DEX],
        [("imid-vte-proph-gap", HIGH, LOUD)]),
    "N-12: pomalidomide with fluvoxamine": (
        person("male", 59) + [POM, ASPIRIN, order("flu", "fluvoxamine", "100 mg")],
        [("pom-cyp1a2-strong", HIGH, LOUD)]),
    "N-13: pomalidomide already halved for fluvoxamine": (
        person("male", 59) + [order("pom", "pomalidomide 2", "2 mg"), ASPIRIN,
                              order("flu", "fluvoxamine", "100 mg")],
        []),
    "N-14: clarithromycin does not slow the clearance of pomalidomide by CYP1A2": (
        person("male", 59) + [POM, ASPIRIN, order("cla", "clarithromycin", "500 mg", times=2)],
        []),
    "N-18: bortezomib goes on at platelets of 26 and neutrophils of 0.6": (
        person("male", 63, anc=0.6, platelets=26) + VD,
        []),
    "N-20: glipizide beside dexamethasone": (
        person("female", 55) + VD + [result("o-glu", "glucose", 180), condition(
            "c2", "type 2 diabetes"), order("gli", "glipizide", "5 mg"),
            order("lis", "lisinopril", "10 mg")],
        [("ste-antidiabetic", MODERATE, QUIET)]),
    "N-21: carfilzomib with coded bleeding and thrombocytopenia": (
        person("male", 70, platelets=15) + [CAR, DEX, condition("c2", "gi bleed", since=1),
                                            condition("c3", "thrombocytopenia", since=1)],
        [("car-plt-hold", HIGH, LOUD)]),
    "N-25: naproxen in myeloma, with the stomach warning in the same alert": (
        person("male", 66, creatinine=1.1) + [IXA, NAPROXEN] + RD,
        [("mm-nsaid-renal", HIGH, LOUD, "ste-nsaid")]),
    "N-26: zoledronic acid at a clearance of 32.6": (
        person("female", 71, kg=60, creatinine=1.5) + [ZOL, result("o-base", "creatinine", 0.9, 60)],
        [("zol-renal-dose", HIGH, LOUD)]),
    "N-33: loratadine at a clearance of 23.7": (
        person("female", 73, kg=60, creatinine=2.0) + [DARA, LORATADINE],
        [("lor-renal", LOW, QUIET)]),
    "N-34: bupropion beside weekly dexamethasone": (
        person("male", 61) + [DEX, order("bup", "bupropion", "300 mg")],
        [("ste-bupropion", MODERATE, QUIET)]),
    "N-35: bupropion in CyBorD": (
        person("female", 60) + CYBORD + [order("bup", "bupropion", "300 mg")],
        [("ste-bupropion", MODERATE, QUIET)]),
    "N-39: no clearance without a weight": (
        person("female", 72, kg=None, creatinine=1.5) + [LEN, ASPIRIN],
        []),
    "N-40: VRd with platelets of 8": (
        person("male", 69, platelets=8) + RD + [BOR],
        [("bor-mono-plt-hold", HIGH, LOUD), ("len-combo-plt-hold", HIGH, LOUD)]),

    "neutrophils of exactly 1.0 hold nothing": (
        person(anc=1.0) + RD, []),
    "neutrophils of 0.99 hold lenalidomide with dexamethasone": (
        person(anc=0.99) + RD, [("len-combo-anc-hold", HIGH, LOUD)]),
    "neutrophils of 0.4 hold lenalidomide with dexamethasone, critical value included": (
        person(anc=0.4) + RD, [("len-combo-anc-hold", HIGH, LOUD, "crit-anc-05")]),
    "a critical value of five days ago is no longer critical, and still holds": (
        person(anc=0.4, days=5) + RD, [("len-combo-anc-hold", HIGH, LOUD)]),
    "platelets of 29 hold maintenance": (
        person(platelets=29) + maintenance(), [("len-maint-plt-hold", HIGH, LOUD)]),
    "platelets of exactly 30 hold no maintenance": (
        person(platelets=30) + maintenance(), []),
    "25 mg with dexamethasone are too much for a clearance of 54.8": (
        person(age=66, kg=80, creatinine=1.5) + RD, [("len-renal-combo", HIGH, LOUD)]),
    "25 mg with dexamethasone are right for a clearance of 82": (
        person(age=66, kg=80, creatinine=1.0) + RD, []),
    "no count for 20 days in the second cycle": (
        person(days=20, platelets=None) + RD,
        [("len-cbc-gap", MODERATE, QUIET)]),
    "no count for 20 days in the fifth cycle": (
        person(days=20, platelets=None) + [order("len", "lenalidomide", "25 mg", since=120),
                                           DEX, ASPIRIN],
        []),
    "pomalidomide stops at neutrophils of 0.4": (
        person(anc=0.4) + [POM, ASPIRIN], [("pom-anc-hold", HIGH, LOUD, "crit-anc-05")]),
    "pomalidomide goes on at neutrophils of 0.5": (
        person(anc=0.5) + [POM, ASPIRIN], []),
    "pomalidomide stops at platelets of 24": (
        person(platelets=24) + [POM, ASPIRIN], [("pom-plt-hold", HIGH, LOUD)]),
    "platelets of 40 alone stop no pomalidomide": (
        person(platelets=40) + [POM, ASPIRIN], []),
    "a fluoroquinolone beside dexamethasone at 66": (
        person(age=66) + [DEX, CIPRO], [("ste-fluoroquinolone", HIGH, LOUD)]),
    "a fluoroquinolone beside dexamethasone at 50": (
        person(age=50) + [DEX, CIPRO], [("ste-fluoroquinolone", HIGH, QUIET)]),
    "a fluoroquinolone as eye drops": (
        person() + [DEX, POM, ASPIRIN, order("cip", "ciprofloxacin eye drops", None)], []),
    "pomalidomide, dexamethasone and ciprofloxacin make two different alerts": (
        person() + [POM, DEX, ASPIRIN, CIPRO],
        [("pom-cyp1a2-strong", HIGH, LOUD), ("ste-fluoroquinolone", HIGH, LOUD)]),
    "ciprofloxacin that ended yesterday still counts": (
        person() + [POM, ASPIRIN, order("cip", "ciprofloxacin", "500 mg", 8, 1, times=2)],
        [("pom-cyp1a2-strong", HIGH, LOUD)]),
    "ciprofloxacin that ended three days ago counts no more": (
        person() + [POM, ASPIRIN, order("cip", "ciprofloxacin", "500 mg", 10, 3, times=2)],
        []),
    "loratadine with lenalidomide": (
        person() + RD + [LORATADINE], []),
    "loratadine at a clearance of 30.6": (
        person("female", 73, kg=65, creatinine=1.68) + [DARA, LORATADINE], []),
    "loratadine every other day at a clearance of 23.7": (
        person("female", 73, kg=60, creatinine=2.0)
        + [DARA, order("lor", "loratadine", "10 mg", period=2)], []),
    "naproxen in myeloma without a steroid": (
        person() + [BOR, NAPROXEN], [("mm-nsaid-renal", HIGH, LOUD)]),
    "maintenance without prophylaxis is told quietly": (
        person() + maintenance()[:2], [("imid-vte-proph-gap", HIGH, QUIET)]),
    "apixaban is prophylaxis": (
        person() + [LEN, DEX, {**order("api", None, "5 mg"), "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "B01AF02"}]}}],
        []),
    "no prophylaxis is asked for at platelets of 40": (
        person(platelets=40) + [LEN, DEX], []),
    "two IMiDs for a month": (
        person() + [LEN, POM, ASPIRIN], [("imid-duplicate", HIGH, LOUD)]),
    "two IMiDs since six hours": (
        person() + [LEN, order("pom", "pomalidomide", "4 mg", since=0.25), ASPIRIN], []),
    "bortezomib alone at platelets of 24": (
        person(platelets=24) + VD, [("bor-mono-plt-hold", HIGH, LOUD)]),
    "bortezomib with rifampin": (
        person() + VD + [order("rif", "rifampin", "600 mg")],
        [("bor-cyp3a4-inducer", HIGH, LOUD)]),
    "rifampin that ended ten days ago still counts": (
        person() + VD + [order("rif", "rifampin", "600 mg", 30, 10)],
        [("bor-cyp3a4-inducer", HIGH, LOUD)]),
    "rifampin that ended fifteen days ago counts no more": (
        person() + VD + [order("rif", "rifampin", "600 mg", 30, 15)],
        []),
    "carfilzomib at platelets of 9": (
        person(platelets=9) + [CAR], [("car-plt-hold", HIGH, LOUD)]),
    "carfilzomib at platelets of 15 without bleeding": (
        person(platelets=15) + [CAR], []),
    "metformin beside prednisone-free lenalidomide": (
        person() + [LEN, ASPIRIN, order("met", "metformin", "500 mg")], []),
    "zoledronic acid 4 mg at a clearance of 82": (
        person() + [ZOL], []),
    "zoledronic acid 3 mg at a clearance of 32.6": (
        person("female", 71, kg=60, creatinine=1.5)
        + [order("zol", "zoledronic acid", "3 mg", period=4, unit="wk")], []),
    "zoledronic acid on the day of a dose, without a creatinine for ten days": (
        person(creatinine=None) + [order("zol", "zoledronic acid", "4 mg", since=28, period=4, unit="wk"),
                                    result("o-cr", "creatinine", 1.0, 10)],
        [("zol-creat-gap", HIGH, LOUD)]),
    "zoledronic acid between two doses, without a creatinine for ten days": (
        person(creatinine=None) + [ZOL, result("o-cr", "creatinine", 1.0, 10)], []),
    "zoledronic acid and denosumab": (
        person() + [ZOL, order("den", "denosumab", "120 mg", period=4, unit="wk")],
        [("bma-duplicate", HIGH, LOUD)]),
    "denosumab alone": (
        person() + [order("den", "denosumab", "120 mg", period=4, unit="wk")], []),
    "neutrophils of 0.4 on daratumumab": (
        person(anc=0.4) + [DARA], [("crit-anc-05", HIGH, LOUD)]),
    "neutrophils of 0.4 without a myeloma drug": (
        person(anc=0.4) + [NAPROXEN], [("mm-nsaid-renal", HIGH, LOUD)]),
}


def told(run):
    """(rule, severity, display, merged rules...) of the open alerts that are judged here."""
    return sorted(
        (alert["rule"], alert["severity"], alert["display"],
         *(also["rule"] for also in alert["also"] if also["rule"] in RULES))
        for alert in run.alerts if alert["rule"] in RULES and alert["status"] == "open")


@pytest.mark.parametrize("name", VIGNETTES)
def test_the_patient_gets_exactly_the_alerts_of_the_vignette(name):
    chart, expected = VIGNETTES[name]
    run = play(chart, "--as-of", NOW_TEXT)
    assert run.code == 0, run.err
    assert told(run) == sorted(expected)


def test_bleeding_at_a_count_of_15_withholds_carfilzomib_as_vignette_n21_says():
    chart = person("male", 70, platelets=15) + [CAR, DEX, condition("c2", "gi bleed", since=1)]
    assert told(play(chart, "--as-of", NOW_TEXT)) == [("car-plt-hold", HIGH, LOUD)]


def test_every_rule_fires_in_some_vignette():
    fired = {rule for _, alerts in VIGNETTES.values() for alert in alerts
             for rule in (alert[0], *alert[3:])}
    assert RULES - fired == {"lor-none"}


# ---- rules that never alert

def test_a_suppressed_finding_is_printed_only_with_all():
    chart = person() + RD + [LORATADINE]
    assert not [a for a in play(chart, "--as-of", NOW_TEXT).alerts if a["rule"] == "lor-none"]
    found = [a for a in play(chart, "--as-of", NOW_TEXT, "--all").alerts if a["rule"] == "lor-none"]
    assert found
    assert {a["display"] for a in found} == {"suppressed"}
    assert all("loratadine" in a["subjects"] for a in found)


def test_the_explanation_says_that_loratadine_was_checked_and_is_harmless():
    run = play(person() + RD + [LORATADINE], "--as-of", NOW_TEXT, "--explain", format="table")
    blocks = [line for line in run.out.splitlines() if line.startswith("lor-none")]
    assert any("true" in line and "never an alert" in line for line in blocks), blocks


UNKNOWNS = {
    "no such result": (
        person(anc=None) + RD, "len-combo-anc-hold", "missing"),
    "a result that is too old": (
        person(anc=0.4, days=20) + RD, "len-combo-anc-hold", "too old"),
    "a unit that cannot be converted": (
        person(anc=None) + RD + [result("o-odd", "neutrophils", 0.4, unit="mmol/L")],
        "len-combo-anc-hold", "unit"),
    "a comparator on both sides of the limit": (
        person(anc=None) + RD + [result("o-odd", "neutrophils", 2, comparator="<")],
        "len-combo-anc-hold", "comparator"),
    "a drug that no mapping knows": (
        person(anc=0.4) + [DEX, {**order("odd", None),
                                 "medicationCodeableConcept": {"text": "ward mix"}}],
        "len-combo-anc-hold", "unmapped"),
    "an order whose status is not known": (
        person(anc=0.4) + [{**LEN, "status": "unknown"}, DEX, ASPIRIN],
        "len-combo-anc-hold", "status"),
    "a dose that is free text": (
        person(creatinine=1.5) + [{**LEN, "dosageInstruction": [{"text": "as before"}]},
                                  DEX, ASPIRIN],
        "len-renal-combo", "dose"),
    "a clearance without a weight": (
        person(kg=None, creatinine=1.5) + RD, "len-renal-combo", "input"),
}


@pytest.mark.parametrize("name", UNKNOWNS)
def test_the_explanation_says_why_a_rule_cannot_be_told(name):
    chart, rule, reason = UNKNOWNS[name]
    run = play(chart, "--as-of", NOW_TEXT, "--explain", format="table")
    assert run.code == 0, run.err
    lines = run.out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{rule}  unknown"))
    block = []
    for line in lines[start + 1:]:
        if line and not line.startswith(" "):
            break
        block.append(line)
    assert any("unknown" in line and f"({reason}" in line or f", {reason}" in line
               for line in block), "\n".join(block)
    assert rule not in {alert["rule"] for alert in play(chart, "--as-of", NOW_TEXT).alerts}
