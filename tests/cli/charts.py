"""Small FHIR R4 charts for the tests, and the program that reads them.

Times count from NOW, so that a chart says "five days ago". Codes are those of mappings/codes/.
"""
import datetime
import gzip
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("MYELOMA_ADAPTER", str(ROOT / "build/release/myeloma-adapter"))
MAPPINGS = ROOT / "mappings"
SHARED = ROOT.parent / "shared"

NOW = datetime.datetime(2026, 6, 15, 12, 0, 0)
NOW_TEXT = "2026-06-15T12:00:00Z"

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

# RxNorm products (SCD) as an electronic record orders them.
DRUGS = {
    "acyclovir": ("197311", "acyclovir 400 MG Oral Tablet"),
    "allopurinol": ("197320", "allopurinol 300 MG Oral Tablet"),
    "apixaban": ("1364435", "apixaban 2.5 MG Oral Tablet"),
    "aspirin": ("243670", "aspirin 81 MG Oral Tablet"),
    "bortezomib": ("402243", "bortezomib 3.5 MG Injection"),
    "bupropion": ("993557", "24 HR bupropion hydrochloride 300 MG Extended Release Oral Tablet"),
    "calcium carbonate and cholecalciferol": (
        "152770", "calcium carbonate 1250 MG / cholecalciferol 0.01 MG Oral Tablet"),
    "carbamazepine": ("197441", "carbamazepine 100 MG Oral Tablet"),
    "carfilzomib": ("1806940", "carfilzomib 60 MG Injection"),
    "ciprofloxacin eye drops": ("309307", "ciprofloxacin 3 MG/ML Ophthalmic Solution"),
    "ciprofloxacin": ("309309", "ciprofloxacin 500 MG Oral Tablet"),
    "clarithromycin": ("197517", "clarithromycin 500 MG Oral Tablet"),
    "cyclophosphamide": ("197550", "cyclophosphamide 50 MG Oral Tablet"),
    "daratumumab": ("1726439", "20 ML daratumumab 20 MG/ML Injection"),
    "denosumab": ("1046398", "1.7 ML denosumab 70 MG/ML Injection"),
    "dexamethasone": ("2261802", "dexamethasone 20 MG Oral Tablet"),
    "digoxin": ("197604", "digoxin 0.125 MG Oral Tablet"),
    "epoetin alfa": ("1721684", "1 ML epoetin alfa 10000 UNT/ML Injection"),
    "fluvoxamine": ("903884", "fluvoxamine maleate 100 MG Oral Tablet"),
    "glipizide": ("310490", "glipizide 5 MG Oral Tablet"),
    "haloperidol": ("310671", "haloperidol 1 MG Oral Tablet"),
    "iohexol": ("5956", "iohexol"),
    "ixazomib": ("1723770", "ixazomib 4 MG Oral Capsule"),
    "lenalidomide 10": ("602910", "lenalidomide 10 MG Oral Capsule"),
    "lenalidomide 15": ("643712", "lenalidomide 15 MG Oral Capsule"),
    "lenalidomide": ("643720", "lenalidomide 25 MG Oral Capsule"),
    "lisinopril": ("314076", "lisinopril 10 MG Oral Tablet"),
    "loratadine": ("311372", "loratadine 10 MG Oral Tablet"),
    "losartan": ("979492", "losartan potassium 50 MG Oral Tablet"),
    "melphalan": ("197919", "melphalan 2 MG Oral Tablet"),
    "metformin": ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
    "naproxen": ("198014", "naproxen 500 MG Oral Tablet"),
    "omeprazole": ("198051", "omeprazole 20 MG Delayed Release Oral Capsule"),
    "ondansetron": ("312086", "ondansetron 8 MG Oral Tablet"),
    "oxycodone": ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet"),
    "pamidronate": ("1737461", "pamidronate disodium 90 MG Injection"),
    "pomalidomide 2": ("1369726", "pomalidomide 2 MG Oral Capsule"),
    "pomalidomide": ("1369734", "pomalidomide 4 MG Oral Capsule"),
    "prednisone": ("312615", "prednisone 20 MG Oral Tablet"),
    "rifampin": ("198202", "rifampin 300 MG Oral Capsule"),
    "thalidomide": ("360176", "thalidomide 100 MG Oral Capsule"),
    "trimethoprim-sulfamethoxazole": ("198335", "sulfamethoxazole 800 MG / trimethoprim 160 MG Oral Tablet"),
    "venetoclax": ("1747561", "venetoclax 100 MG Oral Tablet"),
    "zoledronic acid": ("1865665", "zoledronic acid 4 MG Injection"),
    "zolpidem": ("854873", "zolpidem tartrate 10 MG Oral Tablet"),
}

# Analyte: LOINC code, display, unit.
ANALYTES = {
    "neutrophils": ("751-8", "Neutrophils [#/volume] in Blood by Automated count", "10*9/L"),
    "platelets": ("777-3", "Platelets [#/volume] in Blood by Automated count", "10*9/L"),
    "creatinine": ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL"),
    "glucose": ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL"),
    "weight": ("29463-7", "Body weight", "kg"),
    "height": ("8302-2", "Body height", "cm"),
    "albumin": ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL"),
    "alt": ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume]", "U/L"),
    "ast": ("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume]", "U/L"),
    "bilirubin": ("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "mg/dL"),
    "bun": ("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "mg/dL"),
    "calcium": ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL"),
    "egfr": ("98979-8", "Glomerular filtration rate by CKD-EPI 2021", "mL/min/{1.73_m2}"),
    "hemoglobin": ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"),
    "igg": ("2465-3", "IgG [Mass/volume] in Serum or Plasma", "mg/dL"),
    "lvef": ("10230-1", "Left ventricular Ejection fraction", "%"),
    "potassium": ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L"),
    "qtc": ("8636-3", "Q-T interval corrected", "ms"),
    "sodium": ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L"),
    "systolic": ("8480-6", "Systolic blood pressure", "mm[Hg]"),
    "tsh": ("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L"),
    "wbc": ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "10*9/L"),
}

# Tests that say yes or no.
CODED = {
    "hbsag": ("5195-3", "Hepatitis B virus surface Ag [Presence] in Serum"),
    "anti-hbc": ("13952-7", "Hepatitis B virus core Ab [Presence] in Serum or Plasma"),
    "hcg": ("2118-8", "Choriogonadotropin (pregnancy test) [Presence] in Serum or Plasma"),
}
ANSWERS = {"positive": "10828004", "negative": "260385009"}

CONDITIONS = {
    "myeloma": (SNOMED, "109989006", "Multiple myeloma"),
    "type 2 diabetes": ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9",
                        "Type 2 diabetes mellitus without complications"),
    "gi bleed": ("http://hl7.org/fhir/sid/icd-10-cm", "K92.2",
                 "Gastrointestinal hemorrhage, unspecified"),
    "menopause": ("http://hl7.org/fhir/sid/icd-10-cm", "Z78.0", "Asymptomatic menopausal state"),
    "thrombocytopenia": ("http://hl7.org/fhir/sid/icd-10-cm", "D69.6",
                         "Thrombocytopenia, unspecified"),
}
TRANSPLANT = (SNOMED, "425983008", "Autologous peripheral blood stem cell transplant")


# ---- times

def at(days=0, hours=0):
    """The instant so many days (and hours) before NOW."""
    moment = NOW - datetime.timedelta(days=days, hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def born(years):
    return f"{NOW.year - years}-01-15"


# ---- resources

def coding(system, code, display=None):
    made = {"system": system, "code": code}
    return {**made, "display": display} if display else made


def concept(*triple):
    return {"coding": [coding(*triple)]}


def quantity(text, system=UCUM):
    """"25 mg" as a Quantity."""
    value, unit = text.split(" ", 1)
    number = float(value) if "." in value else int(value)
    return {"value": number, "unit": unit, "system": system, "code": unit}


def patient(id="p1", sex="male", age=66, **more):
    return {"resourceType": "Patient", "id": id, "gender": sex, "birthDate": born(age), **more}


def condition(id="c1", what="myeloma", since=400, patient="p1", status="active", **more):
    return {
        "resourceType": "Condition", "id": id,
        "clinicalStatus": concept(CLINICAL, status),
        "verificationStatus": concept(VERIFICATION, "confirmed"),
        "code": concept(*CONDITIONS[what]),
        "subject": {"reference": f"Patient/{patient}"},
        "onsetDateTime": at(since), "recordedDate": at(since), **more}


def transplant(id="t1", since=200, patient="p1", **more):
    return {"resourceType": "Procedure", "id": id, "status": "completed",
            "code": concept(*TRANSPLANT), "subject": {"reference": f"Patient/{patient}"},
            "performedDateTime": at(since), **more}


def dosage(dose, times=1, period=1, unit="d", start=None, end=None):
    repeat = {"frequency": times, "period": period, "periodUnit": unit}
    if start or end:
        repeat["boundsPeriod"] = {k: v for k, v in (("start", start), ("end", end)) if v}
    made = {"timing": {"repeat": repeat}}
    if dose:
        made["doseAndRate"] = [{"doseQuantity": quantity(dose)}]
    return made


def order(id, drug, dose="25 mg", since=30, until=None, status="active", patient="p1",
          times=1, period=1, unit="d", **more):
    """An order begun `since` days before NOW; with `until`, its bounds end that many days before."""
    bounds = {"start": at(since), "end": at(until)} if until is not None else {}
    made = {
        "resourceType": "MedicationRequest", "id": id, "status": status, "intent": "order",
        "subject": {"reference": f"Patient/{patient}"}, "authoredOn": at(since),
        "dosageInstruction": [dosage(dose, times, period, unit, **bounds)]}
    if drug:
        made["medicationCodeableConcept"] = concept(RXNORM, *DRUGS[drug])
    return {**made, **more}


def result(id, analyte, value, days=1, patient="p1", status="final", unit=None, comparator=None,
           **more):
    code, display, usual = ANALYTES[analyte]
    measured = {"value": value, "unit": unit or usual, "system": UCUM, "code": unit or usual}
    if comparator:
        measured["comparator"] = comparator
    return {
        "resourceType": "Observation", "id": id, "status": status,
        "code": concept(LOINC, code, display), "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at(days), "issued": at(days), "valueQuantity": measured, **more}


def version(resource, number, days, hours=0, **changes):
    """The resource as its server stored it: version and lastUpdated; changes replace members."""
    return {**resource, **changes,
            "meta": {"versionId": str(number), "lastUpdated": at(days, hours)}}


def answer(id, what, says, days=1, patient="p1", **more):
    """A test that says positive or negative."""
    return {
        "resourceType": "Observation", "id": id, "status": "final",
        "code": concept(LOINC, *CODED[what]), "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at(days), "issued": at(days),
        "valueCodeableConcept": concept(SNOMED, ANSWERS[says], says), **more}


# ---- containers

def _entry(resource, kind):
    where = f"{resource['resourceType']}/{resource.get('id', '')}"
    entry = {"fullUrl": f"https://ehr.example/fhir/{where}", "resource": resource}
    if kind == "searchset":
        entry["search"] = {"mode": "match"}
    if kind in ("transaction", "batch", "history"):
        entry["request"] = {"method": "PUT", "url": where}
    if kind == "history":
        entry["response"] = {"status": "200"}
        updated = resource.get("meta", {}).get("lastUpdated")
        if updated:
            entry["response"]["lastModified"] = updated
    return entry


def bundle(resources, kind="collection"):
    made = {"resourceType": "Bundle", "type": kind}
    if resources:
        made["entry"] = [_entry(resource, kind) for resource in resources]
    return made


def history(versions):
    """A history Bundle of what happened in this order: servers put the newest first."""
    return bundle(list(reversed(versions)), "history")


def deletion(where, days, hours=0, url=None):
    """An entry of a history that says: from then on this resource is gone."""
    return {"fullUrl": f"https://ehr.example/fhir/{where}",
            "request": {"method": "DELETE", "url": url or where},
            "response": {"status": "204", "lastModified": at(days, hours)}}


def text(value):
    return json.dumps(value, ensure_ascii=False).encode()


def ndjson(resources):
    return b"".join(text(resource) + b"\n" for resource in resources)


def packed(data):
    return gzip.compress(data, mtime=0)


# ---- the program

class Run:
    """What the program said; alerts are the lines of --format json."""

    def __init__(self, done):
        self.code = done.returncode
        self.raw, self.out = done.stdout, done.stdout.decode()
        self.err = done.stderr.decode(errors="replace")

    @property
    def alerts(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def aside(self):
        return [line for line in self.err.splitlines() if "set aside: " in line]

    def one(self, rule):
        found = [alert for alert in self.alerts if alert["rule"] == rule]
        assert len(found) == 1, f"{rule}: {[(a['rule'], a['status']) for a in self.alerts]}\n{self.err}"
        return found[0]


def program(*arguments, input=b"", timeout=60, env=None):
    return Run(subprocess.run([PROGRAM, *map(str, arguments)], input=input, capture_output=True,
                              timeout=timeout, env=env))


def replay(*arguments, input=b"", format="json", timeout=60, mappings=MAPPINGS):
    return program("replay", "--mappings", mappings, "--format", format, *arguments,
                   input=input, timeout=timeout)


def play(resources, *arguments, **more):
    """Replays resources (a Bundle, a list of resources, or bytes) from standard input."""
    if isinstance(resources, list):
        resources = bundle(resources)
    if isinstance(resources, dict):
        resources = text(resources)
    return replay(*arguments, "-", input=resources, **more)
