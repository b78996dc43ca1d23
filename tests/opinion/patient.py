"""A made-up patient: plain facts, and the same as FHIR resources."""
import dataclasses
import datetime
import functools
import random
from decimal import Decimal

import facts

NOW = datetime.datetime(2026, 6, 15, 12, 0, 0)
NOW_TEXT = "2026-06-15T12:00:00Z"
LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
SITE = "urn:x-opinion:codes"   # codes.csv maps it: what no public code says
ROUTES = {"oral": "26643006", "intravenous": "47625008", "subcutaneous": "34206005",
          "intrathecal": "72607000"}
# analyte of the records -> system, code, unit
TESTS = {name: (LOINC, code, unit) for name, code, unit in (
    ("ANC", "751-8", "10*9/L"), ("platelets", "777-3", "10*9/L"), ("WBC", "6690-2", "10*9/L"),
    ("hemoglobin", "718-7", "g/dL"), ("creatinine", "2160-0", "mg/dL"), ("BUN", "3094-0", "mg/dL"),
    ("ALT", "1742-6", "U/L"), ("AST", "1920-8", "U/L"), ("total-bilirubin", "1975-2", "mg/dL"),
    ("direct-bilirubin", "1968-7", "mg/dL"), ("potassium", "2823-3", "mmol/L"),
    ("sodium", "2951-2", "mmol/L"), ("calcium", "17861-6", "mg/dL"), ("albumin", "1751-7", "g/dL"),
    ("uric-acid", "3084-1", "mg/dL"), ("phosphate", "2777-1", "mg/dL"), ("glucose", "2345-7", "mg/dL"),
    ("IgG", "2465-3", "mg/dL"), ("LVEF", "10230-1", "%"), ("eGFR", "98979-8", "mL/min/{1.73_m2}"),
    ("temperature", "8310-5", "Cel"), ("BP-systolic", "8480-6", "mm[Hg]"), ("TSH", "3016-3", "m[IU]/L"),
    ("weight", "29463-7", "kg"), ("height", "8302-2", "cm"), ("QTcF", "76634-5", "ms"),
    ("QTc", "8636-3", "ms"))}
TESTS["neuropathy-grade"] = (SITE, "NEUROPATHY", "{CTCAE_grade}")
TESTS["cardiac-adverse-event-grade"] = (SITE, "CARDIAC", "{CTCAE_grade}")
# tests that are answered by a code
CODED = {"hCG": (LOINC, "2118-8"), "HBsAg": (LOINC, "5195-3"), "anti-HBc": (LOINC, "13952-7"),
         "t(11;14)": (LOINC, "77037-0"), "smoking": (LOINC, "72166-2"), "bleeding": (SITE, "BLEEDING"),
         "eye-exam": (SITE, "EYE"), "dental-check": (SITE, "DENTAL"), "antibody-screen": (SITE, "SCREEN")}
ANSWERS = {"positive": "10828004", "negative": "260385009", "smoker": "449868002", "former": "8517006"}
UPPER = {"ALT": Decimal(40), "AST": Decimal(40), "total-bilirubin": Decimal("1.2")}
# condition of this file -> a code of conditions.tsv, or of the site
CONDITIONS = {
    "multiple-myeloma": (SNOMED, "109989006"), "diabetes": (ICD10, "E11.9"),
    "hypercalcaemia": (ICD10, "E83.52"), "dialysis": (SNOMED, "105502003"),
    "menopause": (SNOMED, "76498008"), "hysterectomy": (SNOMED, "116140006"),
    "neuropathy": (ICD10, "G62.9"), "g6pd-deficiency": (ICD10, "D75.A"),
    "heart-failure": (ICD10, "I50.9"), "pregnant": (ICD10, "Z33.1"), "coronary": (ICD10, "I25.10"),
    "stroke": (ICD10, "I63.9"), "bleeding": (ICD10, "K92.2"), "thrombocytopenia": (ICD10, "D69.6"),
    "smoker": (ICD10, "F17.210"), "kidney-disease": (ICD10, "N18.4"), "aki": (ICD10, "N17.9"),
    "crs": (ICD10, "D89.83"), "bcl2": (SITE, "BCL2"), "child-pugh-b": (SITE, "CPB"),
    "child-pugh-c": (SITE, "CPC"), "uncontrolled-hypertension": (SITE, "HTN"),
    "dehydration": (SITE, "DRY"), "infection": (SITE, "INFECTION"), "high-risk": (SITE, "HIGHRISK"),
    "hla-b5801": (SITE, "HLAB5801"), "transplant-eligible": (SITE, "ELIGIBLE"),
    "collection": (SITE, "COLLECTION"),
}
TRANSPLANT = (SNOMED, "425983008")


@dataclasses.dataclass
class Order:
    drug: str                    # generic name of drugs.tsv
    dose: Decimal | None = None  # at once
    unit: str = "mg"
    every: int = 24              # hours
    since: float = 30            # days ago; negative: ahead
    until: float | None = None   # days ago
    status: str = "active"
    route: str | None = None
    time: str | None = None      # of the day

    @property
    def over(self):
        return self.status in ("stopped", "completed") or self.until is not None and self.until >= 0

    @property
    def planned(self):
        return not self.over and self.since < 0

    @property
    def active(self):
        return not self.over and self.status == "active" and self.since >= 0

    @property
    def held(self):
        return not self.over and self.status == "on-hold" and self.since >= 0

    @property
    def daily(self):
        return None if self.dose is None else self.dose * 24 / self.every


@dataclasses.dataclass
class Result:
    test: str
    value: object                # Decimal, or a word of ANSWERS
    hours: int = 24              # ago
    limits: bool = True          # the report gives the limits of normal


@dataclasses.dataclass
class Patient:
    id: str
    sex: str = "male"            # or "unknown"
    age: int = 66
    orders: list = dataclasses.field(default_factory=list)
    results: list = dataclasses.field(default_factory=list)
    conditions: dict = dataclasses.field(default_factory=dict)  # name -> days ago
    resolved: set = dataclasses.field(default_factory=set)      # of these, those that are over
    transplant: int | None = None                               # autologous, days ago

    @functools.cached_property
    def names(self):
        return frozenset(order.drug for order in self.orders)

    def active(self, names):
        return [order for order in self.orders if order.active and order.drug in names]

    def has(self, condition):
        return condition in self.conditions and condition not in self.resolved

    def ever(self, condition):
        return condition in self.conditions

    def all(self, test):
        """Newest first."""
        return sorted((r for r in self.results if r.test == test), key=lambda r: r.hours)

    def newest_result(self, test, days=None):
        """The newest result of a test, if it is not older than so many days."""
        found = self.all(test)
        return None if not found or days is not None and found[0].hours > days * 24 else found[0]

    def newest(self, test, days=None):
        found = self.newest_result(test, days)
        return None if found is None else found.value


# ---- as FHIR

def at(days=0.0, hours=0):
    return (NOW - datetime.timedelta(days=days, hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


@functools.cache
def drug_codes(generic):
    """Every (system, code) of drugs.tsv that is this drug and nothing else."""
    if generic == "nalidixic acid":
        return [(SITE, "NALIDIXIC")]
    row = facts.generics()[generic]
    # doxorubicin and its liposomal form share the substance
    columns = [(RXNORM, "rxnorm_in"), (ATC, "atc")] if "liposomal dox" not in generic else []
    found = [(system, row[column].split(";")[0].split(",")[0].strip()) for system, column in columns]
    found += [(RXNORM, part.split("=")[0].strip()) for part in row["rxnorm_pin"].split(";")]
    return [(system, code) for system, code in found if code]


def drug_code(generic):
    return coded(*drug_codes(generic)[0])


def order_resource(patient, i, order):
    bounds = {"start": at(order.since)}
    if order.until is not None:
        bounds["end"] = at(order.until)
    repeat = {"frequency": 1, "period": order.every, "periodUnit": "h", "boundsPeriod": bounds}
    if order.time:
        repeat["timeOfDay"] = [order.time]
    dosage = {"timing": {"repeat": repeat}}
    if order.dose is not None:
        dosage["doseAndRate"] = [{"doseQuantity": {"value": float(order.dose), "system": UCUM,
                                                   "code": order.unit, "unit": order.unit}}]
    if order.route:
        dosage["route"] = coded(SNOMED, ROUTES[order.route])
    return {"resourceType": "MedicationRequest", "id": f"{patient.id}-m{i}", "status": order.status,
            "intent": "order", "medicationCodeableConcept": drug_code(order.drug),
            "subject": {"reference": f"Patient/{patient.id}"}, "authoredOn": at(max(order.since, 0)),
            "dosageInstruction": [dosage]}


def result_resource(patient, i, result):
    made = {"resourceType": "Observation", "id": f"{patient.id}-o{i}", "status": "final",
            "subject": {"reference": f"Patient/{patient.id}"},
            "effectiveDateTime": at(hours=result.hours), "issued": at(hours=result.hours)}
    if result.test in CODED:
        return {**made, "code": coded(*CODED[result.test]),
                "valueCodeableConcept": coded(SNOMED, ANSWERS[result.value])}
    system, code, unit = TESTS[result.test]
    if result.test in UPPER and result.limits:
        made["referenceRange"] = [{"high": {"value": float(UPPER[result.test]), "unit": unit,
                                            "system": UCUM, "code": unit}}]
    return {**made, "code": coded(system, code), "valueQuantity": {
        "value": float(result.value), "unit": unit, "system": UCUM, "code": unit}}


def condition_resource(patient, name, days):
    kinds = "http://terminology.hl7.org/CodeSystem/condition-"
    status = "resolved" if name in patient.resolved else "active"
    return {"resourceType": "Condition", "id": f"{patient.id}-c-{name}",
            "clinicalStatus": coded(kinds + "clinical", status),
            "verificationStatus": coded(kinds + "ver-status", "confirmed"),
            "code": coded(*CONDITIONS[name]), "subject": {"reference": f"Patient/{patient.id}"},
            "onsetDateTime": at(days), "recordedDate": at(days)}


def resources(patient):
    yield {"resourceType": "Patient", "id": patient.id, "gender": patient.sex,
           "birthDate": f"{NOW.year - patient.age}-01-15"}
    for i, order in enumerate(patient.orders):
        yield order_resource(patient, i, order)
    for i, result in enumerate(patient.results):
        yield result_resource(patient, i, result)
    for name, days in patient.conditions.items():
        yield condition_resource(patient, name, days)
    if patient.transplant is not None:
        yield {"resourceType": "Procedure", "id": f"{patient.id}-p", "status": "completed",
               "code": coded(*TRANSPLANT), "subject": {"reference": f"Patient/{patient.id}"},
               "performedDateTime": at(patient.transplant)}


def pick(rng: random.Random, items):
    items = sorted(items) if isinstance(items, (set, frozenset)) else list(items)
    return rng.choice(items) if items else None
