"""Patients around each record: its drugs and partners present or missing, its results at, just
beside and far from each threshold, at, within and beyond its window; then noise of other records."""
import random
from decimal import Decimal

import facts
from patient import (CODED, CONDITIONS, TESTS, UPPER, Order, Patient, Result, pick)

STEP = {"10*9/L": "0.01", "g/dL": "0.1", "U/L": "1", "%": "1", "mm[Hg]": "1", "ms": "1", "kg": "1",
        "cm": "1", "mL/min/{1.73_m2}": "1", "{CTCAE_grade}": "1"}
USUAL = {"ANC": "3.0", "platelets": "200", "WBC": "5.5", "hemoglobin": "13", "creatinine": "0.9",
         "BUN": "15", "ALT": "20", "AST": "20", "total-bilirubin": "0.6", "potassium": "4.2",
         "sodium": "140", "calcium": "9.4", "albumin": "4.0", "uric-acid": "5", "phosphate": "3.5",
         "glucose": "100", "IgG": "900", "LVEF": "60", "temperature": "37.0", "BP-systolic": "125",
         "TSH": "2.0", "weight": "72", "height": "175", "QTcF": "420"}
CREATININES = ["0.8", "1.0", "1.2", "1.3", "1.4", "1.5", "1.6", "1.8", "2.0", "2.4", "3.0", "3.1", "4.0",
               "4.6", "6.0", "9.0"]
GAPS = ("no-result-within", "no-result", "absent")
DOSES = {  # mg at once, hours between doses
    "lenalidomide": [(5, 24), (10, 24), (15, 24), (25, 24), (15, 48), (20, 48), ("2.5", 24)],
    "pomalidomide": [(1, 24), (2, 24), (3, 24), (4, 24)], "thalidomide": [(100, 24)],
    "ixazomib": [(3, 168), (4, 168), ("2.3", 168)],
    "dexamethasone": [(4, 24), (20, 168), (40, 168), (39, 168), (20, 72), (10, 48)],
    "prednisone": [(10, 24), (20, 24), (19, 24), (60, 24)], "prednisolone": [(20, 24), (5, 24)],
    "zoledronic acid": [(4, 672), ("3.5", 672), ("3.3", 672), (3, 672)],
    "belantamab mafodotin": [(None, 504)],
    "pamidronate": [(90, 672), (91, 672), (60, 672)],
    "acyclovir": [(400, 12), (200, 12), (400, 24), (800, 12)],
    "valacyclovir": [(500, 24), (1000, 24), (500, 12)],
    "levofloxacin": [(500, 24), (250, 24), (250, 48), (750, 24)],
    "gabapentin": [(300, 8), (600, 8), (300, 24), (1200, 8), (700, 12), (400, 12)],
    "allopurinol": [(300, 24), (100, 24), (200, 24)], "loratadine": [(10, 24), (10, 48)],
    "enoxaparin": [(40, 24), (30, 24), (20, 12), (20, 24), (80, 12)],
    "panobinostat": [(20, 56), (10, 56), (15, 56)], "vitamin c": [(500, 24), (499, 24), (250, 12), (1000, 24)],
}
PER_M2 = {"bortezomib": ["1.3", "0.7", "0.71", "1.0"], "melphalan": ["16", "12", "8", "140", "200", "8.1", "12.1"],
          "pegylated liposomal doxorubicin": ["30", "15", "7.5", "20"]}
ROUTES = {"bortezomib": ["subcutaneous", "intravenous", "intravenous", "intrathecal"],
          "daratumumab": ["subcutaneous", "intravenous"], "melphalan": ["oral", "intravenous", "intravenous"],
          "vincristine": ["intravenous", "intrathecal"]}
STARTS = [0.5, 1, 1.5, 2, 3, 3.5, 5, 6.5, 7, 7.5, 13.5, 14, 14.5, 20, 21.5, 22, 27.5, 28, 28.5, 30, 31.5, 41.5,
          42.5, 56, 56.5, 60, 84, 84.5, 112, 113, 120, 183, 200, 340]
# what else a record asks for, in the words of patient.py: put in now and then
MORE_CONDITIONS = {
    "pom-renal-dialysis": ["dialysis"], "pom-hepatic": ["child-pugh-b", "child-pugh-c"],
    "len-renal-combo": ["dialysis"], "ixa-renal": ["dialysis"], "mel-hd-renal": ["dialysis"],
    "len-preg": ["pregnant"], "pom-preg": ["pregnant"], "thal-preg": ["pregnant"],
    "imid-preg-test-gap": ["menopause", "hysterectomy"], "pom-smoking": ["smoker"],
    "ben-cyp1a2-inducer": ["smoker"], "car-plt-hold": ["bleeding", "thrombocytopenia"],
    "pan-plt-hold": ["bleeding"], "tec-plt-hold": ["bleeding"], "elr-plt-hold": ["bleeding"],
    "tal-plt-hold": ["bleeding"], "car-renal-hold": ["dialysis"], "ste-glucose-gap": ["diabetes"],
    "ven-bortez": ["bcl2"], "bsa-step-active-infection": ["infection"], "cart-gcsf-gmcsf": ["crs"],
    "zol-severe-renal": ["hypercalcaemia"], "den-ckd-ca": ["dialysis"], "bma-vitd-gap": ["hypercalcaemia"],
    "esa-htn": ["uncontrolled-hypertension"], "ac-dual": ["coronary", "stroke"],
    "mm-contrast": ["hypercalcaemia", "dehydration"], "crit-calcium-thiazide": ["hypercalcaemia"],
    "mm-levofloxacin-early": ["high-risk"], "gen-g6pd": ["g6pd-deficiency"], "gen-hlab5801": ["hla-b5801"],
    "route-bor-iv-pn": ["neuropathy"], "car-age75": ["heart-failure", "coronary"],
    "mm-triple-cns": ["kidney-disease", "aki"], "len-mobilisation": ["transplant-eligible", "collection"],
}
MORE_DRUGS = {
    "bor-vmp-cycle-start": ["melphalan", "prednisone"], "bor-vmp-day-hold": ["melphalan", "prednisone"],
    "bor-mono-anc-hold": ["melphalan", "prednisolone"], "bor-mono-plt-hold": ["melphalan", "prednisone"],
    "car-vte-proph-gap": ["lenalidomide", "dexamethasone"], "ixa-dex-contraceptive": ["dexamethasone"],
    "ixa-maintenance": ["lenalidomide", "dexamethasone"], "pld-bortez-counts": ["bortezomib"],
    "thal-hormonal": ["rifampin", "ethinyl estradiol"], "dex-age75": ["lenalidomide", "isatuximab"],
    "ste-glucose-gap": ["metformin"], "ste-pjp-proph-gap": ["dexamethasone"], "esa-hb10": ["lenalidomide", "bortezomib"],
    "bsa-step-active-infection": ["cefepime", "meropenem"], "ac-plt-50": ["enoxaparin"],
    "mm-raas-volume": ["lisinopril", "furosemide", "losartan"], "imid-duplicate": ["lenalidomide", "thalidomide"],
    "mm-qt-multi": ["ondansetron", "haloperidol"], "len-renal-combo": ["dexamethasone"],
    "mm-levofloxacin-early": ["levofloxacin"], "route-intrathecal": ["vincristine"],
}
# test: values; at any age
MORE_RESULTS = {
    "imid-preg-test-gap": {"hCG": ["negative", "negative", "positive"]}, "ven-bortez": {"t(11;14)": ["positive", "negative"]},
    "gen-t1114": {"t(11;14)": ["positive", "negative"]}, "pom-smoking": {"smoking": ["smoker", "former"]},
    "ben-cyp1a2-inducer": {"smoking": ["smoker", "former"]}, "hbv-positive-therapy": {"anti-HBc": ["positive", "negative"]},
    "dara-hbv-gap": {"anti-HBc": ["positive", "negative"]}, "mm-qt-multi": {"QTc": ["469", "470", "510"]},
    "imid-vte-proph-gap": {"platelets": ["49", "50", "49.9"]}, "pan-plt-hold": {"bleeding": ["positive", "negative"]},
    "tec-plt-hold": {"bleeding": ["positive", "negative"]}, "elr-plt-hold": {"bleeding": ["positive", "negative"]},
    "tal-plt-hold": {"bleeding": ["positive", "negative"]}, "pace-vcr-hepatic": {"direct-bilirubin": ["3", "3.1", "0.9"]},
    "den-ckd-ca": {"creatinine": CREATININES, "eGFR": ["29", "30", "70"]}, "mm-contrast": {"eGFR": ["29", "30", "70"]},
    "bma-onj-dental": {"dental-check": ["negative", "positive"]}, "car-k-gap": {"potassium": ["4.0"]},
    "crit-repeat-count-gap": {"platelets": ["9", "10", "24", "25", "29", "30"]},
    "crit-febrile-neutropenia": {"ANC": ["0.4", "0.9", "1.1", "2"]}, "mm-triple-cns": {"creatinine": CREATININES},
    "acv-renal": {"creatinine": ["7", "9", "12"]}, "mel-hd-renal": {"creatinine": CREATININES}, "car-renal-hold": {"creatinine": CREATININES},
}
# these ask for much at once: more patients, so that enough of them have it all
RARE = {"len-mobilisation": 4, "bor-vmp-cycle-start": 8, "ixa-hepatic": 4, "acv-renal": 6, "bsa-igg-low": 3,
        "pan-qt-start": 8, "pan-counts-start": 2, "bsa-febrile-neutropenia": 3, "gcsf-timing": 2, "pom-febrile-neutropenia": 3, "pace-vcr-hepatic": 3, "allo-renal": 3,
        "ac-enox-renal": 3, "pam-creat-rise": 2, "zol-creat-rise": 2, "len-maint-anc-hold": 2,
        "len-maint-plt-hold": 2, "len-maint-start-counts": 2, "den-rebound": 2, "ste-glucose-critical": 2,
        "car-renal-hold": 3, "bma-duplicate": 2,
        "lor-renal": 2, "levo-renal": 2, "val-renal": 2, "bor-hepatic": 2, "mel-hd-renal": 2, "mel-iv-bun": 2, "mel-nalidixic": 2, "ixa-dex-same-time": 2}
AROUND_INFUSIONS = {"cart-live-vaccine", "cart-steroid-prophylactic", "gcsf-timing"}
YOUNG_WOMEN = {"len-preg", "pom-preg", "thal-preg", "imid-preg-test-gap", "thal-hormonal"}
DRUGS_FOR = {  # these drugs matter more than others of the record's list
    "ste-pjp-proph-gap": "dexamethasone", "dup-dara-route": "daratumumab"}


class Dice(random.Random):
    """Half of the patients are easy ones: nothing that their record asks for is missing, over or too old."""
    easy = False

    def maybe(self, wild):
        return self.random() < (0.97 if self.easy else wild)


def order_of(rng, drug, since=None):
    dose, every = rng.choice(DOSES.get(drug, [(None, 24)]))
    order = Order(drug, None if dose is None or rng.random() < 0.07 else Decimal(dose), every=every,
                  since=rng.choice(STARTS) if since is None else since)
    if drug in PER_M2 and rng.random() < 0.9:
        order.dose, order.unit, order.every = Decimal(rng.choice(PER_M2[drug])), "mg/m2", 168
    if rng.maybe(0.93):
        order.route = rng.choice(ROUTES.get(drug, [None]))
    if drug == "daratumumab" and order.route:
        order.dose, order.unit = (Decimal(rng.choice(["1800", "1799"])), "mg") \
            if order.route == "subcutaneous" else (Decimal(rng.choice(["16", "15.9", "8"])), "mg/kg")
    if drug in facts.antibacterials() and drug not in DOSES:
        order.route = rng.choice(["intravenous", "oral", None])
    if drug in ("ixazomib", "dexamethasone"):
        order.time = rng.choice([None, "08:00:00", "20:00:00", "08:00:00"])
    return state_of(rng, order)


def state_of(rng, order):
    """Most orders run; some are on hold, over, or still to begin."""
    dice = 1 if rng.easy else rng.random()
    if dice < 0.05:
        order.status = "on-hold"
    elif dice < 0.14:
        order.status = rng.choice(["stopped", "completed", "active"])   # active, but past its last day
        order.until = rng.choice([0.5, 1.5, 2, 4.5, 5, 9.5, 13.5, 14, 20, 27.5, 28, 28.5, 59.5, 60, 60.5, 90])
        order.since = order.until + rng.choice([1, 20, 100])
    elif dice < 0.18:
        order.since = -rng.choice([0.5, 3])
    elif dice < 0.22:
        order.until = -rng.choice([0.5, 10])
    return order


def earlier(rng, order):
    """The same drug before, with a short or a long pause between."""
    until = max(order.since, 0) + rng.choice([0, 10, 27.5, 28, 28.5, 60])
    return Order(order.drug, order.dose, order.unit, order.every, until + rng.choice([5, 28, 56, 90]), until,
                 "completed", order.route, order.time)


def around(rng, leaf):
    """A value at, just beside or far from the threshold of a leaf."""
    analyte = leaf["analyte"]
    limit = Decimal(str(leaf["threshold"]))
    if leaf.get("relative_to") == "ULN":
        limit *= UPPER[analyte]
    step = Decimal(STEP.get(TESTS[analyte][2], "0.1"))
    value = limit + step * rng.choice([-1, 0, 0, 1, -20, 20])
    return value if value > 0 else limit


def hours_around(rng, days):
    edge = (days or 7) * 24
    if rng.easy:
        return rng.choice([1, 24, edge - 1, edge])
    return rng.choice([1, 24, 24, 48, edge - 1, edge, edge, edge + 1, edge * 3])


def result_of(rng, leaf, days):
    hours, test = hours_around(rng, days), leaf["analyte"]
    if test in ("CrCl", "eGFR"):
        made = [Result("creatinine", Decimal(rng.choice(CREATININES)), hours)]
        if test == "eGFR" and rng.random() < 0.6:
            made.append(Result("eGFR", around(rng, leaf), rng.choice([hours, hours_around(rng, days)])))
        return made
    if leaf["comparator"] in GAPS:
        hours = rng.choice([hours, *(24 * d + e for d in (4, 7, 9, 14, 16, 28, 30, 35) for e in (-1, 0, 1))])
    if test in CODED:
        return [Result(test, rng.choice(["positive", "negative"]), hours)]
    if test == "calcium-corrected":
        limit = Decimal(9) if leaf["comparator"] in GAPS else Decimal(str(leaf["threshold"]))
        albumin = Decimal(rng.choice(["4.0", "3.0"]))
        wanted = limit + Decimal("0.1") * rng.choice([-1, 0, 0, 1, 10, -10])
        return [Result("calcium", wanted - Decimal("0.8") * (4 - albumin), hours),
                Result("albumin", albumin, hours)]
    if test not in TESTS:
        return []
    if leaf["comparator"] in GAPS:
        return [Result(test, Decimal(USUAL.get(test, "1")), hours)]
    if leaf.get("relative_to", "ULN") != "ULN":
        return compared(rng, test, hours)
    return [Result(test, around(rng, leaf), hours, rng.random() < 0.95)]


def compared(rng, test, hours):
    """A value now, and one or two before it: a day, two days, a week, or before the treatment."""
    if test == "LVEF":
        return [Result(test, Decimal(rng.choice([39, 40, 45, 50])), hours),
                Result(test, Decimal(rng.choice([60, 65, 66, 70])), hours + 24 * rng.choice([1, 130, 400]))]
    base = Decimal(rng.choice(["0.9", "1.0", "1.3", "1.4", "1.8"]))
    rise = Decimal(rng.choice(["0", "0.2", "0.3", "0.4", "0.5", "0.9", "1.0", "1.2", "1.4"]))
    values = [Result(test, base + rise, hours),
              Result(test, base, hours + rng.choice([24, 47, 48, 49, 100, 168, 169, 24 * 130, 24 * 400]))]
    if rng.random() < 0.3:
        values.append(Result(test, base + Decimal("0.3"), hours + rng.choice([36, 60, 140])))
    return values


def about(rng, record, patient):
    """Put what a record asks for into the chart, now and then without a part of it."""
    name, days = record["id"], (record.get("window_days") or {}).get("days")
    partners = [w for w in record.get("partners") or [] if not w.startswith("condition:")]
    gap = record["kind"] == "prophylaxis-gap"
    words = [rng.choice(record["drugs"])] if rng.maybe(0.95) else []
    words += [rng.choice(partners)] if partners and (rng.random() < 0.3 if gap else rng.maybe(0.8)) else []
    drugs = [pick(rng, facts.drugs_of(word)) for word in words]
    if name in DRUGS_FOR and rng.random() < 0.6:
        drugs.append(DRUGS_FOR[name])
    drugs += [drug for drug in MORE_DRUGS.get(name, []) if rng.random() < 0.7]
    for drug in filter(None, drugs):
        patient.orders.append(order_of(rng, drug))
        if rng.random() < 0.12:
            patient.orders.append(earlier(rng, patient.orders[-1]))
    for leaf in facts.leaves(record.get("lab") or {}):
        if rng.maybe(0.8):
            patient.results += result_of(rng, leaf, days)
    for test, values in MORE_RESULTS.get(name, {}).items():
        for _ in range(rng.choice([0, 1, 1, 2])):
            value = rng.choice(values)
            value = value if test in CODED else Decimal(value)
            patient.results.append(Result(test, value, hours_around(rng, rng.choice([days or 30, 14, 30, 365]))))
    if name == "den-rebound":
        for order in patient.orders:
            order.status, order.until = "completed", rng.choice([59.5, 60, 60.5, 90, 300])
            order.since = order.until + 180
    if name in ("den-rebound", "bsa-igg-low") and rng.random() < 0.3:
        patient.orders.append(order_of(rng, "zoledronic acid" if name == "den-rebound" else "immune globulin"))
    if name.startswith("pan-") and name.endswith("-start") and rng.random() < 0.7:
        for order in patient.orders:
            if order.drug == "panobinostat" and not order.over:
                order.since = rng.choice([-3, 0.5, 1, 1.5])
    if name in AROUND_INFUSIONS:
        around_a_start(rng, patient)
    for condition in MORE_CONDITIONS.get(name, []):
        if rng.random() < 0.5:
            patient.conditions[condition] = rng.choice([3, 100, 800])
    if name in YOUNG_WOMEN and rng.random() < 0.8:
        patient.sex, patient.age = "female", rng.choice([34, 50, 55, 56])
    if name.startswith("len-maint") or name == "len-renal-maint" or name == "ste-live-vaccine":
        maintained(rng, patient)


def around_a_start(rng, patient):
    """The CAR-T or cytotoxic order begins ahead; what must keep a distance begins around it."""
    later = facts.drugs_of("class:car-t") | facts.drugs_of("class:myelosuppressive-cytotoxic")
    start = -rng.choice([0.5, 1, 2, 6, 10, 13.5, 20])
    for order in patient.orders:
        if order.over:
            continue
        if order.drug in later and rng.random() < 0.8:
            order.since = start
        elif rng.random() < 0.8:
            order.since = start + rng.choice([-2, 0, 0.5, 1, 1.5, 3, 3.5, 13, 14, 15, 41, 42, 43])


def maintained(rng, patient):
    if rng.random() < 0.85:
        patient.transplant = rng.choice([100, 170, 180, 181, 400, 720, 740, 1090, 1100])
        for order in patient.orders:
            if order.drug == "lenalidomide" and rng.random() < 0.8:
                order.dose, order.every = Decimal(rng.choice(["10", "5", "2.5", "15"])), 24
                if order.since > 0 and not order.over and rng.random() < 0.6:
                    order.since = rng.choice([3, 13.5, 14, 14.5])


def usual(rng, patient):
    """Other results as they usually are, most of them there."""
    here = {result.test for result in patient.results}
    for test, value in USUAL.items():
        if test not in here and rng.random() < 0.8:
            patient.results.append(Result(test, Decimal(value), rng.choice([24, 72, 400])))
    if "weight" not in here:
        if rng.random() < 0.2:
            patient.results.append(Result("weight", Decimal(rng.choice([50, 110])), rng.choice([30, 364 * 24, 367 * 24])))
        if rng.random() < 0.5:
            patient.results.append(Result("weight", Decimal(70), 24 * 300))


def single(patient):
    """No two running orders of a drug by one route, and no two results of one test at one time: nothing
    to tie-break."""
    orders, kept, seen = {}, [], set()
    for order in patient.orders:
        orders.setdefault((order.drug, order.route, order.since > 0 and order.over), order)
    patient.orders = list(orders.values())
    for result in patient.results:
        if (result.test, result.hours) not in seen:
            seen.add((result.test, result.hours))
            kept.append(result)
    patient.results = kept


def one(rng, record, i):
    patient = Patient(f"{record['id']}-{i}", rng.choice(["male", "female"]),
                      rng.choice([34, 50, 55, 56, 60, 64, 65, 66, 72, 74, 75, 76, 80]))
    if rng.random() < 0.02:
        patient.sex = "unknown"
    if rng.random() < 0.93:
        patient.conditions["multiple-myeloma"] = 400
    rng.easy = rng.random() < 0.5
    about(rng, record, patient)
    rng.easy = False
    if rng.random() < 0.3:
        about(rng, rng.choice(facts.records()), patient)
    usual(rng, patient)
    for name in CONDITIONS:
        if name not in patient.conditions and rng.random() < 0.03:
            patient.conditions[name] = rng.choice([3, 100, 800])
    patient.resolved = {name for name in patient.conditions if rng.random() < 0.06}
    if patient.transplant is None and rng.random() < 0.05:
        patient.transplant = rng.choice([100, 200, 1200])
    single(patient)
    return patient


def make(count, seed):
    """`count` patients for each record, always the same for a seed."""
    rng = Dice(seed)
    for record in facts.records():
        for i in range(count * RARE.get(record["id"], 1)):
            yield one(rng, record, i)
