"""The same chart in another shape gives the same alerts.

Patients of make_patients, written in other orders, twice, with other codes, systems, units, references,
in R5, as a Bundle, compressed. SAME_PATIENTS: patients for each record (2); OPINION_SEED: another crowd.
"""
import copy
import gzip
import json
import os
import random
from decimal import Decimal

import pytest

import facts
from test_opinion import SEED, replay

COUNT = int(os.environ.get("SAME_PATIENTS", "2"))
pytestmark = pytest.mark.skipif(not facts.HERE, reason="the records (../shared/reference) are not here")


def lines(resources):
    return "".join(json.dumps(resource) + "\n" for resource in resources).encode()


def seen(alerts, words=True):
    """What a reader of the alerts sees; without words where units or labels are others."""
    return sorted(json.dumps([alert["patient"], alert["rule"], alert["severity"], alert["display"], alert["status"],
                              sorted(alert["subjects"]), sorted(also["rule"] for also in alert["also"]),
                              sorted(alert["implicated"]), sorted(alert["evidence"]),
                              alert["detail"] if words else ""]) for alert in alerts)


@pytest.fixture(scope="module")
def chart():
    import make_patients
    import patient as made
    return [resource for one in make_patients.make(COUNT, SEED) for resource in made.resources(one)]


@pytest.fixture(scope="module")
def plain(chart):
    return replay(lines(chart), "-")


def each(chart, change):
    changed = copy.deepcopy(chart)
    for resource in changed:
        change(resource)
    return changed


def codings(resource):
    for key in ("code", "medicationCodeableConcept"):
        yield from [resource[key]["coding"]] if key in resource else []
    for dosage in resource.get("dosageInstruction", []):
        yield from [dosage["route"]["coding"]] if "route" in dosage else []


# ---- shapes that keep every word

def shuffled(chart):
    return random.Random(SEED).sample(chart, len(chart))


def doubled(chart):
    return [one for resource in chart for one in (resource, resource)]


def more_codings(chart):
    """Codes of the house and of a system that says something else, before and behind."""
    def change(resource):
        for coding in codings(resource):
            coding.insert(0, {"system": "urn:oid:1.2.3.4.5", "code": "HOUSE-1", "display": ""})
            coding.append({"system": "http://www.ama-assn.org/go/cpt", "code": "99999"})
    return each(chart, change)


def other_systems(chart):
    """As OID, with a slash behind, with a version."""
    spellings = {
        "http://www.nlm.nih.gov/research/umls/rxnorm": ["urn:oid:2.16.840.1.113883.6.88",
                                                        "http://www.nlm.nih.gov/research/umls/rxnorm/"],
        "http://loinc.org": ["urn:oid:2.16.840.1.113883.6.1", "http://loinc.org/", "http://loinc.org|2.77"],
        "http://snomed.info/sct": ["urn:oid:2.16.840.1.113883.6.96", "http://snomed.info/sct/731000124108"],
        "http://hl7.org/fhir/sid/icd-10-cm": ["urn:oid:2.16.840.1.113883.6.90"]}
    rng = random.Random(SEED)

    def change(resource):
        for coding in codings(resource):
            for one in coding:
                one["system"] = rng.choice(spellings.get(one["system"], [one["system"]]))
                one["version"] = "2026"
    return each(chart, change)


def contained(chart):
    def change(resource):
        if "medicationCodeableConcept" in resource:
            resource["contained"] = [{"resourceType": "Medication", "id": "drug",
                                      "code": resource.pop("medicationCodeableConcept")}]
            resource["medicationReference"] = {"reference": "#drug"}
    return each(chart, change)


def referred(chart):
    """Medications of their own, some before and some behind the orders."""
    library = []

    def change(resource):
        if "medicationCodeableConcept" in resource:
            name = f"drug-{len(library)}"
            library.append({"resourceType": "Medication", "id": name,
                            "code": resource.pop("medicationCodeableConcept")})
            resource["medicationReference"] = {"reference": f"Medication/{name}"}
    changed = each(chart, change)
    return library[::2] + changed + library[1::2]


def release_5(chart):
    def change(resource):
        if "medicationCodeableConcept" in resource:
            resource["medication"] = {"concept": resource.pop("medicationCodeableConcept")}
        if "performedDateTime" in resource:
            resource["occurrenceDateTime"] = resource.pop("performedDateTime")
    return each(chart, change)


def release_5_references(chart):
    def change(resource):
        if "medicationReference" in resource:
            resource["medication"] = {"reference": resource.pop("medicationReference")}
    return each(referred(chart), change)


@pytest.mark.parametrize("shape", [shuffled, doubled, more_codings, other_systems, contained, referred, release_5,
                                   release_5_references], ids=lambda shape: shape.__name__)
def test_the_alerts_are_the_same(shape, chart, plain):
    assert seen(replay(lines(shape(chart)), "-")) == seen(plain)


# ---- the same facts in other words

def more_answers(chart):
    """An answer of the house beside the one that is known; the alert prints the first."""
    def change(resource):
        if "valueCodeableConcept" in resource:
            resource["valueCodeableConcept"]["coding"].insert(0, {"system": "urn:oid:1.2.3.4.5", "code": "YES"})
    return each(chart, change)


def other_codes(chart):
    """Another code of the same drug: ATC where it has one, a precise ingredient."""
    import patient as made
    others = {}
    for name, row in facts.generics().items():
        codes = made.drug_codes(name)
        if len(codes) > 1 and not any(mark in row["atc"] for mark in COMBINATIONS):
            others[codes[0]] = codes[1:]
    rng = random.Random(SEED)

    def change(resource):
        for one in resource.get("medicationCodeableConcept", {}).get("coding", []):
            mine = one["system"], one["code"]
            one["system"], one["code"] = rng.choice(others.get(mine, [mine]))
    return each(chart, change)


def registry_codes(chart):
    """SNOMED CT or UNII instead of the RxNorm ingredient; the liposomal form shares its substance."""
    others, uniis = {}, {row["rxcui"]: row["unii"] for row in facts.table("unii.tsv") if row["tty"] == "IN"}
    for name, row in facts.generics().items():
        code = row["rxnorm_in"].split(";")[0].split(",")[0].strip()
        parts = dict(part.split("=") for part in row["snomed"].split(";") if part)
        found = [("http://snomed.info/sct", codes.split(",")[0]) for codes in parts.values()]
        found += [("http://fdasis.nlm.nih.gov", uniis[code])] if code in uniis else []
        if code and found and "doxorubicin" not in name:
            others["http://www.nlm.nih.gov/research/umls/rxnorm", code] = found
    assert len(others) > 400
    rng = random.Random(SEED)

    def change(resource):
        for one in resource.get("medicationCodeableConcept", {}).get("coding", []):
            mine = one["system"], one["code"]
            one["system"], one["code"] = rng.choice(others.get(mine, [mine]))
    return each(chart, change)


# codes of ATC that are another drug or bring a second one: contraceptives, antivirals, antihypertensives, netupitant,
# mycophenolate; or several codes
COMBINATIONS = (",", ";", "G03A", "G02B", "J05AR", "C09D", "A04AA55", "L04AA06")
UNITS = {"10*9/L": ("/uL", 1000), "g/dL": ("g/L", 10), "kg": ("g", 1000), "cm": ("m", Decimal("0.01"))}


def other_units(chart):
    """Exact factors only: a value at its limit stays there."""
    def change(resource):
        for quantity in [resource.get("valueQuantity")] if "valueQuantity" in resource else []:
            if quantity["code"] in UNITS:
                unit, factor = UNITS[quantity["code"]]
                quantity["value"] = float(Decimal(str(quantity["value"])) * factor)
                quantity["unit"] = quantity["code"] = unit
    return each(chart, change)


@pytest.mark.parametrize("shape", [more_answers, other_codes, registry_codes, other_units],
                         ids=lambda shape: shape.__name__)
def test_the_alerts_say_the_same_in_other_words(shape, chart, plain):
    assert seen(replay(lines(shape(chart)), "-"), words=False) == seen(plain, words=False)


# ---- other files

def test_a_bundle_and_compressed_files_give_the_same(chart, plain, tmp_path):
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in chart]}
    (tmp_path / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    (tmp_path / "bundle.json.gz").write_bytes(gzip.compress(json.dumps(bundle).encode()))
    (tmp_path / "chart.ndjson.gz").write_bytes(gzip.compress(lines(chart)))
    for path in tmp_path.iterdir():
        assert seen(replay(b"", str(path))) == seen(plain), path.name
