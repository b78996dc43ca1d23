"""What the words of a record's title, context and end mean, one small function for each record that
is more than its drugs, partners and results. Where the words leave a choice, it stands beside it."""
import datetime
from decimal import Decimal

from facts import antibacterials, drugs_of, drugs_of_all
from opinion import (UPPER, active, all_of, any_of, baseline, course_days, crcl, days_of, dose_above,
                     egfr, gap, gault, general, lab_of, negated, overdue, takes, two_different, value_of)
from patient import NOW

STEROIDS = ["class:systemic-corticosteroid"]
PREDNISONES = ["prednisone", "prednisolone", "methylprednisolone"]
DIABETES = ["class:insulin", "class:oral-antidiabetic", "class:glp1", "class:sglt2"]
BISPECIFIC, CART = ["class:bispecific"], ["class:car-t"]
# no reviewer has confirmed the number (notes 10.8)
OFF = {"lin-anc-hold", "lin-plt-hold", "lin-hb-hold", "bel-plt-hold"}


def months(count):
    """The days of so many calendar months before now."""
    back = NOW.year * 12 + NOW.month - 1 - count
    return (NOW - NOW.replace(year=back // 12, month=back % 12 + 1)) / datetime.timedelta(days=1)


def needs(*clauses):
    """The record itself, and all of these."""
    def found(record, patient):
        truth = general(record, patient)
        return truth if truth is False else all_of(truth, *(clause(record, patient) for clause in clauses))
    return found


def also(words):
    return lambda record, patient: takes(patient, words)


def course_of(words):
    return lambda patient: course_days(patient, drugs_of_all(words))


def ended(patient, words):
    names = drugs_of_all(words)
    return [order for order in patient.orders if order.drug in names and order.over]


def held(patient, words):
    names = drugs_of_all(words)
    return [order for order in patient.orders if order.drug in names and order.held]


def planned(patient, words):
    names = drugs_of_all(words)
    return [order for order in patient.orders if order.drug in names and order.planned]


def route(word):
    """An order of the record's drugs by this route; where it says none it cannot be told."""
    return lambda record, patient: any_of(False, *(
        None if order.route is None else order.route == word for order in active(patient, record["drugs"])))


# ---- phases of treatment

def maintenance(patient):
    """Notes 10.1: lenalidomide alone, daily, at most 15 mg, within 36 months after an own transplant; an
    order that is shorter than a cycle of 28 days has a pause after it."""
    lenalidomide = active(patient, ["lenalidomide"])
    others = patient.active(drugs_of_all(["class:myeloma-any"] + STEROIDS) - drugs_of("lenalidomide"))
    if not lenalidomide or others or patient.transplant is None or patient.transplant > months(36):
        return False
    if any(order.every > 24 or order.until is not None and order.since - order.until < 28
           for order in lenalidomide):
        return False
    return any_of(
        *(None if order.dose is None else order.daily <= 15 for order in lenalidomide))


def combination(_, patient):
    """Everything else; undecidable counts as combination."""
    return maintenance(patient) is not True


def in_maintenance(_, patient):
    return maintenance(patient)


def maintenance_start(record, patient):
    """The first maintenance order: treatment that is no older than a count may be."""
    return all_of(lab_of(record, patient), maintenance(patient), patient.transplant <= 180,
                  course_of(["lenalidomide"])(patient) <= days_of(record)) \
        if takes(patient, ["lenalidomide"]) and patient.transplant is not None else False


def melphalan_and_prednisone(_, patient):
    return takes(patient, ["melphalan"]) and takes(patient, ["prednisone", "prednisolone"])


def without_melphalan_and_prednisone(record, patient):
    return not melphalan_and_prednisone(record, patient)


def cycle_day_1(record, patient):
    """The first day of each 28 days of the course."""
    return course_of(record["drugs"])(patient) % 28 < 1


def given_cart(patient):
    """CAR-T is given on the day its order began, and stays given."""
    return takes(patient, CART) or any(order.since >= 0 for order in ended(patient, CART))


def cart_within_a_year(patient):
    return any(order.active or order.over for order in patient.orders
               if order.drug in drugs_of("class:car-t") and 0 <= order.since <= months(12))


# ---- pregnancy

def able_to_conceive(patient):
    menopause = patient.conditions.get("menopause", 0)
    return (patient.sex == "female" and 12 <= patient.age <= 55
            and menopause <= months(24) and not patient.ever("hysterectomy"))


def pregnancy(record, patient):
    """Asked of everybody but men."""
    return all_of(takes(patient, record["drugs"]), patient.sex != "male",
                  any_of(patient.has("pregnant"), lab_of(record, patient)))


def pregnancy_test_gap(record, patient):
    """No test in the window (a positive one is the pregnancy record's); the recommendation wants one weekly
    in the first 4 weeks."""
    if not takes(patient, record["drugs"]) or not able_to_conceive(patient):
        return False
    return (patient.newest("hCG", days_of(record)) is None
            or gap(record, patient, ["hCG"], [(28, 7)], at_once=True))


# ---- kidney and liver

def baseline_rise(record, patient):
    """Creatinine against the last one before the course; the step depends on that one."""
    def step(base):
        return next(Decimal(str(part["threshold"])) for part in record["lab"]["any_of"]
                    if ("<" in part["when"]) == (base < Decimal("1.4")))
    now, found = patient.newest("creatinine", days_of(record)), []
    for drug in {order.drug for order in active(patient, record["drugs"])}:
        base = baseline(patient, "creatinine", {drug})
        found.append(None if now is None or base is None else now - base.value >= step(base.value))
    return any_of(False, *found)


def bleeding_or_below_10(record, patient):
    """Low platelets beside a bleeding: a diagnosis, or below 75 (grade 2, notes 5)."""
    platelets = patient.newest("platelets", days_of(record))
    low = any_of(patient.has("thrombocytopenia") or None, None if platelets is None else platelets < 75 or None)
    return all_of(takes(patient, record["drugs"]), any_of(
        None if platelets is None else platelets < 10, all_of(patient.has("bleeding"), low)))


def carfilzomib_kidney(record, patient):
    if not takes(patient, record["drugs"]) or patient.has("dialysis"):
        return False
    base, days = baseline(patient, "creatinine", {"carfilzomib"}), days_of(record)
    now, clearance = patient.newest("creatinine", days), crcl(patient, days)
    before = gault(patient, base.value, base.hours) if base else None
    return any_of(None if now is None or base is None else now >= 2 * base.value,
                  None if clearance is None else clearance < 15,
                  None if clearance is None or before is None else clearance <= before / 2)


def aki(record, patient):
    """0.3 mg/dL above the lowest of 48 h, or 1.5 times the lowest of 7 days."""
    if not takes(patient, record["drugs"]):
        return False
    values = [(r.hours, r.value) for r in patient.all("creatinine")]
    if not values or values[0][0] > days_of(record) * 24:
        return None
    hours, now = values[0]
    early = [v for h, v in values[1:] if h - hours <= 48]
    week = [v for h, v in values[1:] if h - hours <= 7 * 24]
    return any_of(now - min(early) >= Decimal("0.3") if early else None,
                  now >= Decimal("1.5") * min(week) if week else None)


def zoledronate_kidney(record, patient):
    """But in hypercalcaemia up to a creatinine of 4.5."""
    creatinine = patient.newest("creatinine", days_of(record))
    exception = patient.has("hypercalcaemia") and creatinine is not None and creatinine <= Decimal("4.5")
    return all_of(general(record, patient), not exception)


def pamidronate_kidney(record, patient):
    """The infusion time is in no order; the 90 mg of both rows are."""
    return any_of(all_of(takes(patient, record["drugs"]), lab_of(record, patient)),
                  dose_above(record, patient, 90))


def ixazomib_kidney(record, patient):
    """The title names dialysis too."""
    return all_of(dose_above(record, patient, 3),
                  any_of(patient.has("dialysis"), lab_of(record, patient)))


def denosumab_calcium(record, patient):
    """In the first month of an order."""
    recent = [order for order in active(patient, record["drugs"]) if order.since <= months(1)]
    clearance, rate = crcl(patient, 30), egfr(patient, 30)
    return all_of(bool(recent), overdue(patient, "calcium", days_of(record), 10 ** 6),
                  any_of(None if clearance is None else clearance < 30,
                         None if rate is None else rate < 30, patient.has("dialysis")))


def not_computable(record, patient):
    return takes(patient, record["drugs"]) and crcl(patient, days_of(record)) is None


def kidney_disease(_, patient):
    """No number in the record: where gabapentin is reduced (gaba-renal), or a diagnosis."""
    clearance = crcl(patient, 30)
    return any_of(None if clearance is None else clearance < 60, patient.has("kidney-disease"),
                  patient.has("aki"), patient.has("dialysis"))


def direct_bilirubin(record, patient):
    """The label means direct bilirubin; unless that is known to be low, the total decides."""
    direct = patient.newest("direct-bilirubin", days_of(record))
    return direct is None or direct > 3


def above_lines(record, patient):
    """Percents of 16 mg/m2 into a vein, the lower line of leukocytes and platelets counts."""
    def most(key, value):
        return next(Decimal(row["max"]) * 16 / 100 for row in record["dose"]["table"]
                    if row.get("else") or value >= row[key])

    def above(order):
        if order.route != "intravenous":
            return None if order.route is None else False
        if order.dose is None or order.unit != "mg/m2":
            return None
        wbc, platelets = (patient.newest(test, days_of(record)) for test in ("WBC", "platelets"))
        return all_of(order.dose <= 16, any_of(
            None if wbc is None else wbc < 4 and order.dose > most("wbc_gte", wbc),
            None if platelets is None else platelets < 100 and order.dose > most("plt_gte", platelets)))
    return any_of(False, *(above(order) for order in active(patient, record["drugs"])))


def intravenous_above(low, most):
    """Into a vein, more than `low` and at most `most` mg/m2."""
    def found(record, patient):
        return any_of(False, *(all_of(
            None if order.route is None else order.route == "intravenous",
            None if order.dose is None or order.unit != "mg/m2" else low < order.dose <= most)
            for order in active(patient, record["drugs"])))
    return found


def liposomal_doxorubicin(record, patient):
    """Percents of 30 mg/m2; a dose that is not known is not within the row."""
    bilirubin = patient.newest("total-bilirubin", days_of(record))
    if not takes(patient, record["drugs"]) or bilirubin is None or bilirubin < Decimal("1.2"):
        return False
    most = Decimal("7.5") if bilirubin > 3 else 15
    return any(order.dose is None or order.unit != "mg/m2" or order.dose > most
               for order in active(patient, record["drugs"]))


# ---- interactions

def lingering(days):
    """Partners count for so many days after their end, whose last second is part of the order."""
    def found(record, patient):
        partners = drugs_of_all(record["partners"])
        return takes(patient, record["drugs"]) and any(
            order.active or order.over and order.until is not None and order.until <= days(order.drug)
            for order in patient.orders if order.drug in partners)
    return found


def unless_dose_at_most(most, what=lambda order: order.dose):
    """A dose that is not known does not excuse."""
    return lambda record, patient: any(order.dose is None or what(order) > most
                                       for order in active(patient, record["drugs"]))


def smoking(_, patient):
    """The newest smoking status; without one the list of problems."""
    status = patient.newest("smoking")
    return status == "smoker" or status is None and patient.has("smoker")


def not_bridging(record, patient):
    """A heparin or fondaparinux beside a vitamin K antagonist bridges; a heart attack, stroke or coronary
    disease is an indication for the antiplatelet."""
    orders = active(patient, ["class:anticoagulant"])
    vka = {"warfarin"}
    bridge = {"heparin", "enoxaparin", "dalteparin", "tinzaparin", "fondaparinux"}
    if any(a.drug != b.drug and not (a.drug in vka and b.drug in bridge or b.drug in vka and a.drug in bridge)
           for a in orders for b in orders):
        return True
    return bool(orders) and takes(patient, ["class:antiplatelet"]) and not (
        patient.ever("coronary") or patient.ever("stroke"))


def therapeutic(record, patient):
    """Enoxaparin of at most 40 mg a day (ac-enox-renal) is prophylaxis; of others no dose is given."""
    return all_of(lab_of(record, patient), any_of(False, *(
        True if order.drug != "enoxaparin" else None if order.dose is None else order.daily > 40
        for order in active(patient, record["drugs"]))))


def enoxaparin_kidney(record, patient):
    """Prophylaxis by the table, treatment at most 1 mg/kg a day (the recommendation)."""
    def above(order):
        if order.dose is None:
            return None
        if order.daily <= 40:
            return order.dose > 30 or order.daily > 30
        kg = patient.newest("weight", 365)
        return None if kg is None else order.daily > kg
    return all_of(lab_of(record, patient),
                  any_of(False, *(above(order) for order in active(patient, record["drugs"]))))


def same_time(record, patient):
    return any(a.time is not None and a.time == b.time for a in active(patient, ["ixazomib"])
               for b in active(patient, ["dexamethasone"]))


def ixazomib_alone(record, patient):
    """Neither partner runs, is on hold or ended within the 28 days."""
    partners = ["lenalidomide", "dexamethasone"]
    return (takes(patient, ["ixazomib"]) and course_of(["ixazomib"])(patient) > 28
            and not takes(patient, partners) and not held(patient, partners)
            and not any(order.until is not None and order.until <= 28 for order in ended(patient, partners)))


def low_qtc(_, patient):
    """"or QTc < 470 recorded", by any formula, in the 30 days of the ECG rules."""
    found = sorted((r for r in patient.results if r.test in ("QTc", "QTcF") and r.hours <= 30 * 24),
                   key=lambda r: r.hours)
    return bool(found) and found[0].value < 470


def calcium_seen(record, patient):
    """A value above 10.5, or the diagnosis where no such value says otherwise."""
    value = value_of(patient, "calcium-corrected", days_of(record))
    return patient.has("hypercalcaemia") if value is None else value > Decimal("10.5")


def diagnosed(_, patient):
    return patient.ever("multiple-myeloma")


# ---- starts, gaps and ends

def new_start(record, patient):
    """Planned, or a treatment of no more than a day; after a pause of over 28 days it is new."""
    orders = [order for order in patient.orders if order.drug == "panobinostat"]
    if not any(order.active or order.planned for order in orders):
        return False
    lasted = course_of(["panobinostat"])(patient)
    begun = lasted is not None and lasted > 1 and any(
        order.active or order.held or order.over and order.until <= 28 for order in orders)
    return all_of(not begun, lab_of(record, patient))


def live_vaccine(record, patient):
    """Prednisone counts by its own condition: 20 mg a day for 14 days."""
    vaccines = active(patient, ["class:live-vaccine"]) + planned(patient, ["class:live-vaccine"])
    strong = any_of(False, *(None if order.dose is None else order.daily >= 20
                             for order in active(patient, PREDNISONES)))
    lasted = course_of(PREDNISONES)(patient)
    drugs = drugs_of("class:myeloma-immunosuppressive") - {"prednisone"}
    return all_of(bool(vaccines), any_of(
        bool(patient.active(drugs)), all_of(strong, lasted is not None and lasted >= 14),
        patient.transplant is not None and patient.transplant <= months(24)))


def near(a, b, days):
    return abs(a.since - b.since) <= days


def cart_live_vaccine(record, patient):
    """Six weeks before a planned infusion, 12 months after one, or later beside another immunosuppressant."""
    vaccines = active(patient, record["partners"]) + planned(patient, record["partners"])
    cart = planned(patient, CART)
    others = drugs_of_all(["class:myeloma-immunosuppressive", "class:immunosuppressant"]) - drugs_of_all(CART)
    return bool(vaccines) and (any(near(a, b, 42) for a in vaccines for b in cart) or cart_within_a_year(patient)
                               or given_cart(patient) and bool(patient.active(others)))


def cart_steroid(record, patient):
    """An order that begins near the planned infusion is routine; one that has run for longer bridges."""
    steroids = active(patient, record["partners"]) + planned(patient, record["partners"])
    return not patient.has("crs") and any(
        near(a, b, 3) for a in steroids for b in planned(patient, CART))


def gcsf_timing(record, patient):
    """24 h before or after; pegfilgrastim not within 14 d before (the recommendation)."""
    def there(words):
        return active(patient, words) + planned(patient, words)
    cytotoxic = record["partners"]
    return any(near(a, b, 1) for a in there(record["drugs"]) for b in there(cytotoxic)) or any(
        near(a, b, 14) for a in active(patient, ["pegfilgrastim"]) for b in planned(patient, cytotoxic))


def long_steroid(record, patient):
    """Dexamethasone by the ordered average of 28 days, or of all its days; prednisone-equivalent: 20 mg of each
    other steroid for 4 weeks."""
    def total(order):
        days = 28 if order.until is None else min(28, order.since - order.until)
        return order.daily * Decimal(days)
    dexamethasone = any_of(False, *(None if order.dose is None else total(order) >= 160
                                    for order in active(patient, ["dexamethasone"])))
    prednisone = any_of(False, *(all_of(
        None if order.dose is None else order.daily >= 20,
        course_of(PREDNISONES)(patient) >= 28) for order in active(patient, PREDNISONES)))
    return all_of(any_of(dexamethasone, prednisone), not takes(patient, record["partners"]))


def steroid_glucose(record, patient):
    """20 mg at once is said of dexamethasone; for the record's other steroids no dose is given."""
    doses = [None if order.dose is None else order.dose >= 20 for order in active(patient, ["dexamethasone"])]
    return all_of(any_of(False, takes(patient, PREDNISONES), *doses),
                  patient.has("diabetes") or takes(patient, DIABETES),
                  overdue(patient, "glucose", days_of(record), 10 ** 6))


def dexamethasone_age(record, patient):
    """A dose beside another myeloma drug is the pulse of a regimen; isatuximab: from 75 on (the note)."""
    regimen = patient.active(drugs_of("class:myeloma-any") - {"dexamethasone", "prednisone"})
    old = patient.age > 75 or patient.age >= 75 and takes(patient, ["isatuximab"])
    return all_of(bool(regimen), old, dose_above(record, patient, 20))


def step_up(patient):
    """No number in the record: the first 14 days, as bsa-cyp-nti says, or a first dose that is planned."""
    lasted = course_of(BISPECIFIC)(patient)
    return bool(active(patient, BISPECIFIC) or planned(patient, BISPECIFIC)) and (lasted is None or lasted <= 14)


def infection(_, patient):
    """An antibiotic into a vein treats; any other may prevent, which cannot be told."""
    orders = patient.active(antibacterials())
    return any_of(patient.has("infection"), any(order.route == "intravenous" for order in orders),
                  None if orders else False)


def rebound(record, patient):
    """The last dose is the end of the last order; a bisphosphonate that is over may have been before it."""
    mine, bone = ["denosumab"], ["class:bisphosphonate"]
    over = ended(patient, mine)
    if not over or any(order.until <= 60 for order in over) or active(patient, mine) or held(patient, mine):
        return False
    if planned(patient, mine) or active(patient, bone) or planned(patient, bone):
        return False
    return None if ended(patient, bone) else True


HOLD_PLATELETS = {  # the hold rules of each drug
    "lenalidomide": 30, "ixazomib": 30, "pomalidomide": 25, "bortezomib": 25, "teclistamab": 25,
    "elranatamab": 25, "talquetamab": 25, "carfilzomib": 10}


def count_not_repeated(record, patient):
    """While the drug is on hold too; linvoseltamab's platelet limit is not confirmed."""
    names = drugs_of_all(record["drugs"])
    mine = {order.drug for order in patient.orders if order.drug in names and (order.active or order.held)}
    anc, platelets = patient.newest_result("ANC"), patient.newest_result("platelets")
    limit = max((HOLD_PLATELETS[drug] for drug in mine if drug in HOLD_PLATELETS), default=0)
    old = days_of(record) * 24
    return bool(mine) and bool(anc and anc.value < 1 and anc.hours > old
                               or platelets and platelets.value < limit and platelets.hours > old)


def febrile_neutropenia(record, patient):
    """"or below 1.0 falling": lower than the count before. Counts are lowest after the dose: a drug that ended
    counts for a cycle more, CAR-T for a year."""
    days, counts = days_of(record), patient.all("ANC")
    temperature, anc = patient.newest("temperature", days), patient.newest("ANC", days)
    falling = None if anc is None or len(counts) < 2 else anc < counts[1].value
    low = None if anc is None else any_of(anc < Decimal("0.5"), all_of(anc < 1, falling))
    after = any(order.until is not None and order.until <= 28 for order in ended(patient, record["drugs"]))
    return all_of(takes(patient, record["drugs"]) or after or cart_within_a_year(patient), low,
                  None if temperature is None else temperature >= Decimal("38.3"))


def lvef(record, patient):
    days = days_of(record)
    base, now = baseline(patient, "LVEF", {"carfilzomib"}), patient.newest("LVEF", days)
    grade = patient.newest("cardiac-adverse-event-grade", days)
    return all_of(takes(patient, record["drugs"]), any_of(
        None if grade is None else grade >= 3, None if now is None else now < 40,
        None if now is None or base is None else base.value - now >= 20))


def daratumumab_dose(record, patient):
    def low(order):
        if order.route is None or order.dose is None:
            return None
        return order.dose < (1800 if order.route == "subcutaneous" else 16)
    return any_of(False, *(low(order) for order in active(patient, record["drugs"])))


def no_prophylaxis(record, patient):
    return not takes(patient, record["partners"])


def enough_platelets(_, patient):
    return not (patient.newest("platelets", 14) or 50) < 50


def screen_positive(record, patient):
    """The title names anti-HBc too."""
    return all_of(takes(patient, record["drugs"]), no_prophylaxis(record, patient), any_of(
        *(None if patient.newest(test) is None else patient.newest(test) == "positive"
          for test in ("HBsAg", "anti-HBc"))))


def any_date(record, patient, *tests):
    return takes(patient, record["drugs"]) and not any(patient.all(test) for test in tests)


def due_at_once(record, patient):
    """The words are "before": due from the first hour of the order."""
    return gap(record, patient, at_once=True)


def before_dose(record, patient):
    """The words are "before dose": due on the day of each dose, for 24 hours from it."""
    due = {order.drug for order in active(patient, record["drugs"])
           if order.every <= 24 or order.since * 24 % order.every < 24}
    return bool(due) and gap({**record, "drugs": sorted(due)}, patient, at_once=True)


CONTEXTS = {
    # the drug alone
    "bor-renal-none": lambda r, p: takes(p, r["drugs"]), "elo-partner": lambda r, p: takes(p, r["drugs"]),
    # the pairs of the title
    "mm-antacid-none": lambda r, p: (
        takes(p, ["class:antacid"]) and takes(p, STEROIDS)
        or takes(p, ["paracetamol"]) and takes(p, ["class:anticoagulant"])),
    "len-combo-anc-hold": needs(combination), "len-combo-plt-hold": needs(combination),
    "len-renal-combo": needs(combination),
    "len-maint-anc-hold": needs(in_maintenance), "len-maint-plt-hold": needs(in_maintenance),
    "len-renal-maint": needs(in_maintenance), "len-maint-start-counts": maintenance_start,
    "len-preg": pregnancy, "pom-preg": pregnancy, "thal-preg": pregnancy,
    "imid-preg-test-gap": pregnancy_test_gap,
    # the steps of the window's own words
    "len-cbc-gap": lambda r, p: gap(r, p, steps=[(56, 9), (84, 16), (None, 35)]),
    "pom-cbc-gap": lambda r, p: gap(r, p, steps=[(56, 9), (None, 35)]),
    "ixa-plt-gap": lambda r, p: gap(r, p, steps=[(84, 16), (None, 35)]),
    "sel-monitor": lambda r, p: gap(r, p, steps=[(months(3), 9), (None, 28)]),
    "bsa-cbc-gap": lambda r, p: gap(r, p, steps=[(42, 9), (None, 30)], at_once=True),
    "len-tsh-gap": due_at_once, "car-bp-gap": due_at_once, "pld-lvef-gap": due_at_once,
    "bor-cbc-gap": before_dose, "zol-creat-gap": before_dose, "bel-eye-gap": before_dose,
    "car-k-gap": lambda r, p: gap(r, p, ["creatinine", "potassium"]),
    "car-age75": lambda r, p: all_of(gap(r, p, at_once=True), p.age >= 75 or any(
        p.ever(name) for name in ("heart-failure", "coronary"))),
    "len-elderly-renal-gap": lambda r, p: p.age >= 65 and gap(r, p, at_once=True),
    "dara-hbv-gap": lambda r, p: any_date(r, p, "HBsAg", "anti-HBc"),   # its end names both
    "dara-antibody-screen-gap": lambda r, p: any_date(r, p, "antibody-screen"),
    # "within 12 months" of its end, not "any dated result" of its window
    "bma-onj-dental": lambda r, p: takes(p, r["drugs"]) and overdue(p, "dental-check", months(12), 10 ** 6),
    "ste-glucose-gap": steroid_glucose, "den-ckd-ca": denosumab_calcium,
    "crit-repeat-count-gap": count_not_repeated, "gen-crcl-incomputable": not_computable,
    # "or platelets < 50" of its end
    "imid-vte-proph-gap": needs(enough_platelets),
    # the title says combination: other IMiDs count like lenalidomide, and platelets as for them
    "car-vte-proph-gap": needs(also(["class:imid", "dexamethasone"]), enough_platelets),
    # "within 1 week of first dose"
    "dara-vzv-proph-gap": needs(lambda r, p: course_of(r["drugs"])(p) > 7),
    "bsa-pjp-proph-gap": lambda r, p: no_prophylaxis(r, p) and (
        takes(p, BISPECIFIC) or cart_within_a_year(p) and course_of(CART)(p) >= 30),
    "bsa-vzv-proph-gap": lambda r, p: no_prophylaxis(r, p) and (
        takes(p, BISPECIFIC) or cart_within_a_year(p)),
    "ste-pjp-proph-gap": long_steroid,
    "mm-levofloxacin-early": lambda r, p: (
        takes(p, r["drugs"]) and course_of(r["drugs"])(p) <= 84 and p.ever("high-risk")
        and not takes(p, ["class:fluoroquinolone"])),   # any of the class prevents as well
    # either supplement is enough ("supplement active"); hypercalcaemia by the number of crit-calcium-thiazide too
    "bma-vitd-gap": needs(lambda r, p: not p.has("hypercalcaemia")
                          and not (value_of(p, "calcium-corrected", 14) or 0) > Decimal("10.5")),
    "len-mobilisation": lambda r, p: (
        takes(p, r["drugs"]) and course_of(r["drugs"])(p) > 4 * 28 and p.has("transplant-eligible")
        and not p.ever("collection") and p.transplant is None),
    "pom-cycle-start": needs(cycle_day_1), "ixa-cycle-start": needs(cycle_day_1),
    "pom-renal-dialysis": lambda r, p: all_of(
        p.has("dialysis"), dose_above(r, p, 3, what=lambda order: order.daily)),
    "pom-hepatic": lambda r, p: any_of(*(all_of(
        p.has(name), dose_above(r, p, most, what=lambda order: order.daily))
        for name, most in (("child-pugh-b", 3), ("child-pugh-c", 2)))),
    "pom-cyp1a2-strong": lambda r, p: all_of(
        lingering(lambda drug: {"ciprofloxacin": 2, "fluvoxamine": 5}.get(drug, -1))(r, p),
        unless_dose_at_most(2, lambda order: order.daily)(r, p)),
    "pom-smoking": lambda r, p: takes(p, r["drugs"]) and smoking(r, p),
    "thal-hormonal": lambda r, p: (
        takes(p, r["drugs"]) and takes(p, ["class:cyp3a4-strong-inducer"])
        and takes(p, ["class:hormonal-contraceptive"]) and able_to_conceive(p)),
    "imid-duplicate": lambda r, p: two_different(p, drugs_of_all(r["drugs"]), 1),
    "pi-duplicate": lambda r, p: two_different(p, drugs_of_all(r["drugs"]), 1),
    "dup-steroid": lambda r, p: two_different(p, drugs_of_all(r["drugs"]), 3),
    "bma-duplicate": lambda r, p: two_different(p, drugs_of_all(r["drugs"] + r["partners"]), 28),
    "bor-mono-anc-hold": needs(without_melphalan_and_prednisone),
    "bor-mono-plt-hold": needs(without_melphalan_and_prednisone),
    # melphalan opens each cycle
    "bor-vmp-cycle-start": needs(melphalan_and_prednisone, lambda r, p: any(
        order.since <= 1 for order in active(p, ["melphalan"]))),
    "bor-vmp-day-hold": needs(melphalan_and_prednisone),
    "bor-hepatic": needs(lambda r, p: dose_above(r, p, Decimal("0.7"), "mg/m2")),
    "bor-cyp3a4-inducer": lingering(lambda drug: 14), "ixa-cyp3a-inducer": lingering(lambda drug: 14),
    "bor-vitamin-c": needs(lambda r, p: any_of(*(
        None if order.dose is None else order.daily >= 500 for order in active(p, ["class:ascorbic-acid-supplement"])))),
    "car-plt-hold": bleeding_or_below_10,
    "car-renal-hold": carfilzomib_kidney, "car-cardiac-hold": lvef,
    "ixa-renal": ixazomib_kidney, "ixa-hepatic": needs(lambda r, p: dose_above(r, p, 3)),
    "ixa-dex-contraceptive": needs(also(["dexamethasone"])), "ixa-dex-same-time": same_time,
    "ixa-maintenance": ixazomib_alone,
    "dara-no-reduction": daratumumab_dose, "hbv-positive-therapy": screen_positive,
    "ste-live-vaccine": live_vaccine, "dex-age75": dexamethasone_age,
    "mel-po-wbc-hold": lambda r, p: all_of(route("oral")(r, p), lab_of(r, p)),
    "mel-iv-bun": needs(intravenous_above(8, 16)), "mel-iv-nadir": above_lines,
    # conditioning is the dose; dialysis counts as a low clearance
    "mel-hd-renal": lambda r, p: all_of(intravenous_above(140, 10 ** 6)(r, p),
                                        any_of(p.has("dialysis"), lab_of(r, p))),
    "mel-cyclosporine": needs(route("intravenous")), "mel-cisplatin-carmustine": needs(route("intravenous")),
    "mel-nalidixic": needs(route("intravenous")),
    "ben-cyp1a2-inducer": lambda r, p: takes(p, r["drugs"]) and (
        takes(p, r["partners"]) or p.newest("smoking") == "smoker" or p.has("smoker")),
    "pld-bortez-counts": needs(also(["bortezomib"])), "pld-hepatic": liposomal_doxorubicin,
    "pace-vcr-hepatic": needs(direct_bilirubin),
    "pan-qt-start": new_start, "pan-counts-start": new_start,
    "pan-cyp3a4-inhibitor": needs(unless_dose_at_most(10)),
    "ven-bortez": needs(lambda r, p: not (p.newest("t(11;14)") == "positive" or p.ever("bcl2"))),
    "bsa-step-active-infection": lambda r, p: all_of(step_up(p), infection(r, p)),
    "bsa-cyp-nti": needs(lambda r, p: course_of(BISPECIFIC)(p) <= 14),
    "bsa-igg-low": lambda r, p: all_of(takes(p, BISPECIFIC) or given_cart(p), lab_of(r, p),
                                       not takes(p, ["immune globulin"])),
    "cart-gcsf-gmcsf": lambda r, p: given_cart(p) and course_of(CART)(p) < 22 and (
        takes(p, ["sargramostim"]) or takes(p, ["filgrastim"]) and p.has("crs")),
    "cart-live-vaccine": cart_live_vaccine, "cart-steroid-prophylactic": cart_steroid,
    "gcsf-timing": gcsf_timing,
    "cart-anc-low": lambda r, p: all_of(given_cart(p), (course_of(CART)(p) or 0) >= 14, lab_of(r, p)),
    "zol-severe-renal": zoledronate_kidney, "pam-renal": pamidronate_kidney,
    "zol-creat-rise": baseline_rise, "pam-creat-rise": baseline_rise,
    "den-rebound": rebound,
    # the indication is read from the orders
    "esa-hb10": needs(lambda r, p: bool(p.active(
        drugs_of("class:myeloma-any") - {"dexamethasone", "prednisone"}))),
    "esa-htn": lambda r, p: all_of(takes(p, r["drugs"]), any_of(
        p.has("uncontrolled-hypertension"), lab_of(r, p))),
    # suppression doses only; treatment has other tables
    "acv-renal": needs(lambda r, p: any(order.dose is not None and order.dose <= 400
                                        for order in active(p, r["drugs"]))),
    "levo-renal": needs(lambda r, p: any(order.dose is not None and order.dose <= 500
                                         for order in active(p, r["drugs"]))),
    "ac-plt-50": therapeutic, "ac-dual": not_bridging, "ac-enox-renal": enoxaparin_kidney,
    "mm-nsaid-renal": lambda r, p: takes(p, r["drugs"]) and diagnosed(r, p),
    "mm-aminoglycoside": lambda r, p: takes(p, r["drugs"]) and diagnosed(r, p),
    "mm-contrast": lambda r, p: all_of(takes(p, r["drugs"]), diagnosed(r, p), any_of(
        None if egfr(p, 30) is None else egfr(p, 30) < 30, p.has("hypercalcaemia"), p.has("dehydration"))),
    "mm-raas-volume": lambda r, p: (
        takes(p, ["class:nsaid"]) and takes(p, ["class:ace-inhibitor", "class:arb"])
        and takes(p, ["class:loop-diuretic"])),
    "mm-qt-multi": needs(lambda r, p: not low_qtc(r, p)),
    "crit-febrile-neutropenia": febrile_neutropenia, "crit-aki": aki,
    "crit-calcium-thiazide": lambda r, p: takes(p, r["drugs"]) and calcium_seen(r, p),
    "gen-g6pd": lambda r, p: takes(p, r["drugs"]) and p.ever("g6pd-deficiency"),
    "gen-hlab5801": lambda r, p: takes(p, r["drugs"]) and p.ever("hla-b5801"),
    "gen-t1114": lambda r, p: takes(p, r["drugs"]) and diagnosed(r, p) and not p.all("t(11;14)"),
    "route-bor-iv-pn": lambda r, p: all_of(route("intravenous")(r, p), p.has("neuropathy")),
    # must be caught before the first dose: planned or on hold too
    "route-intrathecal": lambda r, p: any(
        order.route == "intrathecal" for order in
        active(p, r["drugs"]) + held(p, r["drugs"]) + planned(p, r["drugs"])),
    "dup-dara-route": lambda r, p: {"intravenous", "subcutaneous"} <= {
        order.route for order in active(p, r["drugs"])},
    "mm-triple-cns": needs(kidney_disease),
}
