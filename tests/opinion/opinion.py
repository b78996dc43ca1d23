"""A second opinion: whether a record of clinical-rules.json holds for a patient.

Slow and obvious on purpose, and blind to mappings/: it reads the record itself and the working lists
of the notes; meaning.py says what the words of a `context` mean. True, False, or None where it cannot
be told; only True is an alert.
"""
from decimal import Decimal
from fractions import Fraction

from facts import drugs_of, drugs_of_all
from patient import UPPER

PAUSE = 28   # days: a longer one between two orders is a new course (one 28-day cycle)


# ---- three values

def all_of(*values):
    if any(value is False for value in values):
        return False
    return None if any(value is None for value in values) else True


def any_of(*values):
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def negated(value):
    return None if value is None else not value


COMPARE = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
           ">=": lambda a, b: a >= b}


# ---- orders

def active(patient, words):
    return patient.active(drugs_of_all(words))


def takes(patient, words):
    return bool(active(patient, words))


def two_different(patient, drugs, days=0):
    """Two different drugs at once, for more than so many days."""
    names = {order.drug for order in patient.active(drugs)}
    # a renewed order goes on with its course
    lasted = sorted((course_days(patient, {name}) for name in names), reverse=True)
    return len(lasted) > 1 and (not days or lasted[1] > days)


def course_days(patient, drugs):
    """How long the present treatment lasts: back from the newest start over orders without a long pause."""
    orders = [order for order in patient.orders if order.drug in drugs and order.since >= 0]
    if not orders:
        return None
    start, changed = min(order.since for order in orders), True
    while changed:
        changed = False
        for order in orders:
            end = order.until if order.over and order.until is not None else 0
            if order.since > start and end <= start + PAUSE:
                start, changed = order.since, True
    return start


# ---- computed results

def weight_at(patient, hours):
    """The newest weight of then, at most a year old."""
    found = [r for r in patient.all("weight") if hours <= r.hours <= hours + 365 * 24]
    return found[0].value if found else None


def gault(patient, creatinine, hours=0):
    """Cockcroft-Gault with the weight of the notes: actual below BMI 30, adjusted from there; at the
    age and weight of now, or of so many hours ago."""
    kg = weight_at(patient, hours)
    if creatinine is None or kg is None or patient.sex not in ("male", "female"):
        return None
    age = patient.age - (1 if hours > 151 * 24 else 0)   # born on 15 January, now it is June
    value = (140 - age) * dosing_weight(patient, Fraction(kg)) / (72 * Fraction(creatinine))
    return value * (Fraction("0.85") if patient.sex == "female" else 1)


def dosing_weight(patient, kg):
    cm = patient.newest("height")
    if cm is None or kg / (Fraction(cm) / 100) ** 2 < 30:
        return kg
    ideal = ((Fraction("45.5") if patient.sex == "female" else 50)
             + Fraction("2.3") * (Fraction(cm) / Fraction("2.54") - 60))
    return kg if kg < ideal else ideal + Fraction("0.4") * (kg - ideal)


def crcl(patient, days):
    return gault(patient, patient.newest("creatinine", days))


def egfr(patient, days):
    """CKD-EPI 2021 of the newest creatinine, or what the laboratory reports at that time or later."""
    reported, creatinine = patient.newest_result("eGFR", days), patient.newest_result("creatinine", days)
    if reported and (not creatinine or reported.hours <= creatinine.hours):
        return float(reported.value)
    if not creatinine or patient.sex not in ("male", "female"):
        return None
    female = patient.sex == "female"
    ratio = float(creatinine.value) / (0.7 if female else 0.9)
    return (142 * min(ratio, 1) ** (-0.241 if female else -0.302) * max(ratio, 1) ** -1.2
            * 0.9938 ** patient.age * (1.012 if female else 1))


def corrected_calcium(patient, days):
    calcium, albumin = patient.newest("calcium", days), patient.newest("albumin", days)
    if calcium is None or albumin is None:
        return None
    return calcium + Decimal("0.8") * (4 - albumin)


COMPUTED = {"CrCl": crcl, "eGFR": egfr, "calcium-corrected": corrected_calcium}


def value_of(patient, analyte, days):
    return COMPUTED[analyte](patient, days) if analyte in COMPUTED else patient.newest(analyte, days)


def baseline(patient, test, drugs):
    """The last value before the first dose of the present course (notes 10.5)."""
    begun = course_days(patient, drugs)
    if begun is None:
        return None
    before = [result for result in patient.all(test) if result.hours > begun * 24]
    return before[0] if before else None


# ---- results

def leaf(patient, lab, days):
    analyte, word, limit = lab["analyte"], lab["comparator"], lab["threshold"]
    if analyte == "bleeding":   # a finding, or a diagnosis
        found = patient.newest("bleeding", days)
        return any_of(None if found is None else found == "positive", patient.has("bleeding"))
    value = value_of(patient, analyte, days)
    if value is None:
        return None
    if word == "=":
        return value == limit
    limit = Fraction(str(limit))
    if lab.get("relative_to") == "ULN":
        if not patient.newest_result(analyte, days).limits:
            return None
        limit *= Fraction(UPPER[analyte])
    return COMPARE[word](value if isinstance(value, float) else Fraction(value), limit)


def lab_holds(patient, lab, days):
    if "any_of" in lab:
        return any_of(*(lab_holds(patient, part, days) for part in lab["any_of"]))
    if "all_of" in lab:
        return all_of(*(lab_holds(patient, part, days) for part in lab["all_of"]))
    if "of" in lab:
        held = [lab_holds(patient, part, days) for part in lab["of"]]
        if held.count(True) >= lab["count_at_least"]:
            return True
        return None if held.count(True) + held.count(None) >= lab["count_at_least"] else False
    return leaf(patient, lab, days)


def days_of(record):
    window = record.get("window_days")
    return window["days"] if window else None


def lab_of(record, patient):
    return lab_holds(patient, record["lab"], days_of(record)) if record.get("lab") else True


# ---- doses

ROW = {"crcl_min_exclusive": ">", "crcl_gt": ">", "crcl_min": ">=", "crcl_gte": ">=",
       "crcl_max": "<=", "crcl_max_exclusive": "<", "crcl_lt": "<"}


def hours_of(row):
    words = row.get("frequency", "")
    return row.get("interval_h") or (
        48 if words.startswith("every other day") else 24 if words.startswith("daily") else None)


def row_for(record, clearance, dialysis):
    """The first row that fits; the clearance is not rounded, 49.995 belongs to the row below."""
    for row in record["dose"]["table"]:
        fits = all(COMPARE[word](clearance, Fraction(str(row[key]))) for key, word in ROW.items()
                   if key in row and not str(row[key]).endswith(".99"))
        if fits and row.get("dialysis", dialysis) == dialysis:
            return row
    return None


def above_table(record, patient, order):
    """Is the order above the row of the table for the clearance?"""
    clearance = crcl(patient, days_of(record))
    if clearance is None or order.dose is None or order.unit != "mg":
        return None
    row = row_for(record, clearance, patient.has("dialysis"))
    if row is None:
        return None
    most, hours, check = Decimal(str(row["max_dose"])), hours_of(row), record["dose"]["check"]
    if "daily" in check and hours in (None, 24):
        return order.daily > most
    return order.dose > most or (hours is not None and order.dose * hours / order.every > most)


def has_crcl_table(record):
    return any(key in row and "max_dose" in row
               for row in record.get("dose", {}).get("table", []) for key in ROW)


def dose_above(record, patient, most, unit="mg", what=lambda order: order.dose):
    """Is an order of the record's drugs above so much? None: one has no dose in that unit."""
    return any_of(False, *(None if order.dose is None or order.unit != unit else what(order) > most
                           for order in active(patient, record["drugs"])))


# ---- a record

def general(record, patient):
    """Drugs, partners, result, table: what a record says when its context adds nothing."""
    drugs = drugs_of_all(record["drugs"])
    partners = drugs_of_all(record.get("partners") or [])
    orders = patient.active(drugs)
    if not orders:
        return False
    if record["kind"] == "prophylaxis-gap":
        return not patient.active(partners)
    if record["kind"] == "duplication" and drugs <= partners:
        return two_different(patient, drugs | partners)
    needs = [lab_of(record, patient)]
    if partners:   # no drug is a partner of itself
        needs.append(any(other.drug != order.drug for order in orders
                         for other in patient.active(partners)))
    if has_crcl_table(record):
        needs.append(any_of(*(above_table(record, patient, order) for order in orders)))
    return all_of(*needs)


def overdue(patient, test, span, since):
    """More than `span` days since the last result, or, without a later one, since that day."""
    last = patient.newest_result(test)
    from_day = since if last is None else min(since, last.hours / 24)
    return from_day > span


def gap(record, patient, tests=None, steps=(), at_once=False):
    """No result for longer than the window; `steps`: (to this day of the course, window).

    Where the record asks for the test before the treatment it is due at once, otherwise when the
    order has run for as long as a result may be old.
    """
    found = []
    for drug in {order.drug for order in active(patient, record["drugs"])}:
        lasted = course_days(patient, {drug})
        span = next((days for end, days in steps if end is None or lasted < end), days_of(record))
        found += [overdue(patient, test, span, 10 ** 6 if at_once else lasted)
                  for test in tests or [record["lab"]["analyte"]]]
    return any(found)


def judge(record, patient):
    """Does the record hold for the patient: True, False, or None (cannot be told)?"""
    import meaning
    name = record["id"]
    if name in meaning.OFF:
        return False
    if not patient.names & drugs_of_all(record["drugs"] + (record.get("partners") or [])):
        return False
    if name in meaning.CONTEXTS:
        return meaning.CONTEXTS[name](record, patient)
    if (record.get("lab") or {}).get("comparator") == "no-result-within":
        return gap(record, patient)
    return general(record, patient)
