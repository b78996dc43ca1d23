"""Checks the code files under mappings/ against the reference tables they were derived from.

The reference tables lie beside the project (../shared/reference). Where they are absent the tests that
need them are skipped; the checks that need only the files themselves always run.
"""
import csv
import functools
import json
import re
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MAPPINGS = PROJECT / "mappings"
REFERENCE = PROJECT.parent / "shared" / "reference"
TERMINOLOGY = REFERENCE / "terminology"

needs_reference = pytest.mark.skipif(
    not TERMINOLOGY.is_dir(), reason="the reference tables (../shared/reference) are not here")

# ---- what the mappings decided differently from a plain reading of the tables, each with its reason ----

# generic name in drugs.tsv -> concept, where it is not simply the name in lower case with hyphens
CONCEPT_OF_GENERIC = {
    "acetaminophen": "paracetamol",                                    # the rules say paracetamol
    "amphotericin B liposomal": "amphotericin-b",                      # same codes as amphotericin B
    "ciltacabtagene autoleucel": "cilta-cel",
    "daratumumab and hyaluronidase": "daratumumab",
    "idecabtagene vicleucel": "ide-cel",
    "pegylated liposomal doxorubicin": "doxorubicin-liposomal",
    "tbo-filgrastim": "filgrastim",                                    # a PIN of filgrastim in RxNorm
    "trimethoprim and sulfamethoxazole": "sulfamethoxazole-trimethoprim",
}
COMPOUND = "sulfamethoxazole-trimethoprim"
COMPOUND_PARTS = {"sulfamethoxazole", "trimethoprim"}

# ingredient codes that two generics claim: the one that owns it
RXNORM_OWNER = {"3639": "doxorubicin"}
UNII_OWNER = {"80168379AG": "doxorubicin"}

# (code, concept) of the tables that the code's own name contradicts
RXNORM_LEFT_OUT = {
    ("203223", "digoxin"): "digoxin antibody fragments, the antidote",
    ("1597615", "piperacillin-and-tazobactam"): "ceftolozane with tazobactam",
    ("1597616", "piperacillin-and-tazobactam"): "brand of ceftolozane with tazobactam",
    ("1597620", "piperacillin-and-tazobactam"): "ceftolozane with tazobactam",
}
# the tables give these to the first concept, their name says the second
RXNORM_REASSIGNED = {
    "80773": ("doxorubicin", "doxorubicin-liposomal"),     # Doxil
    "2675321": ("doxorubicin", "doxorubicin-liposomal"),   # Caelyx
    "1191495": ("doxorubicin", "doxorubicin-liposomal"),
    "2531369": ("melphalan", "melphalan-flufenamide"),
    "2531370": ("melphalan", "melphalan-flufenamide"),
    "2531371": ("melphalan", "melphalan-flufenamide"),
    "2531372": ("melphalan", "melphalan-flufenamide"),
    "2531373": ("melphalan", "melphalan-flufenamide"),
    "2531376": ("melphalan", "melphalan-flufenamide"),
    "2531377": ("melphalan", "melphalan-flufenamide"),
}
# one ATC code, several generics that are no combination: the concept that keeps it
ATC_OWNER = {
    "A04AD12": "aprepitant", "A10AB01": "insulin-regular-human", "A10AC01": "insulin-isophane",
    "A10AE01": "insulin-regular-human", "A10AF01": "insulin-regular-human", "L01DB01": "doxorubicin",
    "L04AA06": "mycophenolic-acid",
}
ATC_LEFT_OUT = {
    ("L01AA10", "melphalan"): "L01AA10 is melphalan flufenamide",
    ("G03AA06", "levonorgestrel"): "G03AA06 is norgestrel with ethinylestradiol",
}
ATC_COMBINATION_OF_TWO_PLAIN_ROWS = {"A10AD01"}             # premixed regular and isophane insulin
ATC_LOCAL_BY_GROUP = ("B05C", "C05B", "G02CC", "N01B")      # irrigation, heparins for the skin, vaginal, local anaesthetic

LOINC_LEFT_OUT = {"85369-7": "quality-control blood, not the patient's"}
LOINC_BESIDE = {                                            # not in the lab table, but in the clinical notes (section 8)
    "764-1": ("band-neutrophil-pct", "Band form neutrophils/Leukocytes in Blood by Manual count")}
LOINC_WITHOUT_CHECK_DIGIT = {"5895-7"}                      # deprecated INR, still sent
LOINC_SPLIT = {                                             # analyte -> codes that are kept apart, and as what
    "anc": {"768-2": "segmented-neutrophils", "30451-9": "segmented-neutrophils"},
    "neutrophil_pct": {"26505-8": "segmented-neutrophil-pct", "769-0": "segmented-neutrophil-pct",
                       "32200-8": "segmented-neutrophil-pct"},
    "egfr": {c: "egfr-other" for c in (                                # not CKD-EPI 2021
        "33914-3", "48642-3", "48643-1", "50044-7", "50210-4", "50384-7", "62238-1", "69405-9", "70969-1",
        "76633-7", "77147-7", "78006-4", "88293-6", "88294-4", "94677-2", "97952-6")},
    "qtc": {"76634-5": "qtcf", "76635-2": "qtcb"},
    "hba1c": {"41995-2": "hba1c-mass"},
    "flc_kappa": {"38176-4": "flc-kappa-urine", "38177-2": "flc-kappa-urine-24h"},
    "flc_lambda": {"38178-0": "flc-lambda-urine"},
    "flc_ratio": {"41759-2": "flc-ratio-urine"},
    "m_protein_urine": {"40661-1": "m-protein-urine-concentration"},
    "hcg_quant": {c: "hcg-mass-or-molar" for c in (
        "2107-1", "2111-3", "2114-7", "2115-4", "2119-6", "25373-2", "34670-0", "55869-2", "93769-8", "99104-2")},
}
CELL_COUNTS = {"neutrophils", "segmented-neutrophils", "band-neutrophils", "granulocytes", "wbc", "platelets",
               "lymphocytes"}

# a broader concept that a class supplies is not repeated for a code that has a narrower one
CONDITION_BROADER = {
    "multiple-myeloma": ("any-multiple-myeloma", {
        "multiple-myeloma-in-remission", "multiple-myeloma-in-relapse", "multiple-myeloma-not-in-remission",
        "smouldering-myeloma", "myeloma-kidney", "myeloma-neuropathy", "myeloma-hypogammaglobulinaemia"}),
    "vte": ("any-vte", {"dvt", "pe"}),
    "diabetes-any": ("any-diabetes", {"diabetes-type-1", "diabetes-secondary-drug"}),
    "stem-cell-transplant-any": ("stem-cell-transplant", {"stem-cell-transplant-autologous"}),
}
TRANSPLANT_NOT_SAID_AUTOLOGOUS = {"153351000119102", "2631000119108", "737300001"}
CONDITION_SYSTEMS = {
    "http://snomed.info/sct": "snomed", "http://hl7.org/fhir/sid/icd-10-cm": "icd-10-cm",
    "http://www.cms.gov/Medicare/Coding/ICD10": "icd-10-pcs", "http://loinc.org": "loinc",
}

# members that the working lists say in words
MEMBER_IN_WORDS = {
    "doxorubicin liposomal": {"doxorubicin-liposomal"}, "levoketoconazole": {"ketoconazole"},
    "fosnetupitant": {"netupitant"}, "neomycin (systemic)": {"neomycin"},
    "isavuconazole": {"isavuconazonium"}, "St John's wort": {"st-johns-wort"},
    "conjugated estrogens": {"estrogens-conjugated"}, "esterified estrogens": {"estrogens-esterified"},
    "ethinyl estradiol/levonorgestrel": {"ethinyl-estradiol", "levonorgestrel"},
    "ethinyl estradiol/norethindrone": {"ethinyl-estradiol", "norethindrone"},
    "ethinyl estradiol/drospirenone": {"ethinyl-estradiol", "drospirenone"},
    "etonogestrel ring": {"etonogestrel"}, "norelgestromin patch": {"norelgestromin"},
    "MMR": {"measles-mumps-and-rubella-vaccine-live"}, "varicella": {"varicella-vaccine-live"},
    "zoster live (discontinued in US)": {"zoster-vaccine-live"},
    "live attenuated influenza nasal": {"influenza-vaccine-live-intranasal"},
    "yellow fever": {"yellow-fever-vaccine-live"}, "oral typhoid Ty21a": {"typhoid-vaccine-live-oral"},
    "rotavirus": {"rotavirus-vaccine-live"}, "BCG": {"bcg-live-tice"}, "dengue live": {"dengue-vaccine-live"},
    "chikungunya live": {"chikungunya-vaccine-live"}, "sacubitril/valsartan": {"sacubitril", "valsartan"},
    "ACE inhibitors": {"class:ace-inhibitor"}, "ARBs": {"class:arb"}, "beta-blockers": {"class:beta-blocker"},
    "thiazides": {"class:thiazide"}, "unfractionated heparin": {"heparin"},
    "any anticoagulant": {"class:anticoagulant"}, "aspirin 81-325 mg": {"aspirin"},
    "tricyclic antidepressants": {"class:tricyclic"}, "antipsychotics": {"class:antipsychotic"},
    "systemic corticosteroids": {"class:systemic-corticosteroid"}, "fluoroquinolones": {"class:fluoroquinolone"},
    "cefepime (renal impairment)": {"cefepime"}, "sulfonylureas": {"class:sulfonylurea"},
    "SGLT2 inhibitors": {"class:sglt2"}, "mycophenolate": {"mycophenolate-mofetil", "mycophenolic-acid"},
    "green tea extract": {"green-tea-extract"}, "EGCG": {"green-tea-extract"},
    "epigallocatechin gallate": {"green-tea-extract"},
    "ascorbic acid >= 500 mg/day (project cut)": {"vitamin-c"},
}
MEMBER_BY_TAG = {"calcium-channel blockers": "ccb", "stimulants": "stimulant", "any insulin": "insulin",
                 "DPP-4 inhibitors": "dpp4", "TNF inhibitors": "tnf_inhibitor", "JAK inhibitors": "jak_inhibitor"}
MEMBER_LEFT_TO_RULES = {("nsaid", "aspirin >325 mg/day")}
CLASS_WIDENED_BY_TAG = {"nsaid": "nsaid", "fluoroquinolone": "fluoroquinolone", "anticoagulant": "anticoagulant"}

FIRST_RULES = """
    len-combo-anc-hold len-combo-plt-hold len-maint-anc-hold len-maint-plt-hold len-renal-combo len-renal-maint
    len-cbc-gap pom-cyp1a2-strong pom-anc-hold pom-plt-hold ste-fluoroquinolone ste-bupropion lor-none lor-renal
    mm-nsaid-renal ste-nsaid imid-vte-proph-gap imid-duplicate bor-mono-plt-hold bor-cyp3a4-inducer car-plt-hold
    ste-antidiabetic zol-renal-dose zol-creat-gap bma-duplicate crit-anc-05
""".split()

# analytes that rules name and no LOINC code of the tables says: a site maps its own codes
UNCODED_ANALYTES = {
    "antibody-screen", "bleeding", "cardiac-event-grade", "dental-check", "eye-exam", "neuropathy-grade",
    "hcg",                                                      # computed from the three below it
}
UNCODED_UNITS = {("cardiac-event-grade", "{CTCAE_grade}"), ("neuropathy-grade", "{CTCAE_grade}")}

FILES = {
    "codes/systems.csv": ["system", "uri", "note"],
    "codes/drugs.csv": ["concept", "name", "note"],
    "codes/rxnorm.csv": ["code", "type", "concept", "strength", "unit", "quantity", "form", "name"],
    "codes/atc.csv": ["code", "concept", "use", "note"],
    "codes/snomed-drugs.csv": ["code", "concept", "name"],
    "codes/unii.csv": ["code", "concept", "name"],
    "codes/cvx.csv": ["code", "concept", "name"],
    "codes/ndc.csv": ["code", "rxnorm"],
    "codes/related-systems.csv": ["system", "also", "note"],
    "codes/name-words.csv": ["word", "kind", "note"],
    "codes/loinc.csv": ["code", "concept", "name"],
    "codes/conditions.csv": ["system", "code", "match", "concept", "name"],
    "codes/uncoded-conditions.csv": ["concept", "name", "note"],
    "codes/dose-forms.csv": ["form", "use", "route"],
    "codes/routes.csv": ["system", "code", "route", "use"],
    "labs/analytes.csv": ["analyte", "name", "unit", "kind", "note"],
    "labs/units.csv": ["analyte", "unit", "add", "factor", "then_add", "note"],
    "labs/unit-spellings.csv": ["seen", "unit"],
    "labs/answers.csv": ["analyte", "condition", "answer", "note"],
}
SORT_KEYS = {
    "codes/systems.csv": lambda r: r["system"],
    "codes/drugs.csv": lambda r: r["concept"],
    "codes/rxnorm.csv": lambda r: (int(r["code"]), r["concept"]),
    "codes/atc.csv": lambda r: (r["code"], r["concept"]),
    "codes/snomed-drugs.csv": lambda r: (int(r["code"]), r["concept"]),
    "codes/unii.csv": lambda r: (r["code"], r["concept"]),
    "codes/cvx.csv": lambda r: (r["code"], r["concept"]),
    "codes/ndc.csv": lambda r: r["code"],
    "codes/related-systems.csv": lambda r: r["system"],
    "codes/name-words.csv": lambda r: r["word"],
    "codes/loinc.csv": lambda r: tuple(int(part) for part in r["code"].split("-")),
    "codes/conditions.csv": lambda r: (r["system"], r["code"], r["match"], r["concept"]),
    "codes/uncoded-conditions.csv": lambda r: r["concept"],
    "codes/dose-forms.csv": lambda r: r["form"],
    "codes/routes.csv": lambda r: (r["system"], r["code"]),
    "labs/analytes.csv": lambda r: r["analyte"],
    "labs/units.csv": lambda r: (r["analyte"], r["unit"]),
    "labs/unit-spellings.csv": lambda r: (r["unit"], r["seen"]),
    "labs/answers.csv": lambda r: (r["analyte"], r["condition"]),
}


@functools.lru_cache(maxsize=None)
def rows(name):
    with open(MAPPINGS / name, newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


@functools.lru_cache(maxsize=None)
def table(name):
    """A reference table: tab separated, no quoting."""
    lines = (TERMINOLOGY / name).read_text(encoding="utf-8").split("\n")
    head = lines[0].rstrip("\r").split("\t")
    return tuple(dict(zip(head, line.rstrip("\r").split("\t"))) for line in lines[1:] if line)


@functools.lru_cache(maxsize=None)
def classes():
    return json.loads((MAPPINGS / "classes.json").read_text(encoding="utf-8"))["classes"]


def concept_of(generic):
    if generic in CONCEPT_OF_GENERIC:
        return CONCEPT_OF_GENERIC[generic]
    letters = generic.lower().replace("'", "").replace(".", "")
    return "-".join(part for part in re.split("[^a-z0-9]+", letters) if part)


def split(cell):
    return [part.strip() for part in cell.split(";") if part.strip()]


def drug_concepts():
    return {r["concept"] for r in rows("codes/drugs.csv")}


def condition_concepts():
    return {r["concept"] for name in ("codes/conditions.csv", "codes/uncoded-conditions.csv") for r in rows(name)}


@functools.lru_cache(maxsize=None)
def reference_rxnorm():
    """(code, concept) -> the types that the tables give it."""
    found = defaultdict(set)

    def add(code, generic, kind):
        concept = concept_of(generic)
        if RXNORM_OWNER.get(code, concept) != concept:
            return
        if (code, concept) in RXNORM_LEFT_OUT:
            return
        if code in RXNORM_REASSIGNED and RXNORM_REASSIGNED[code][0] == concept:
            concept = RXNORM_REASSIGNED[code][1]
        found[code, concept].add(kind.rstrip("?"))

    for row in table("drugs.tsv"):
        if row["rxnorm_in"]:
            add(row["rxnorm_in"], row["generic"], row["rxnorm_in_tty"])
        for pair in split(row["rxnorm_pin"]):
            add(pair.split("=")[0], row["generic"], "PIN")
    for name in ("drug-products.tsv", "drug-other-rxnorm.tsv"):
        for row in table(name):
            if row["verification"] == "verified":
                add(row["rxcui"], row["generic"], row["tty"])
    by_code = defaultdict(set)
    for code, concept in found:
        by_code[code].add(concept)
    for code, concepts in by_code.items():
        if COMPOUND_PARTS <= concepts:
            found[code, COMPOUND] |= found[code, "trimethoprim"]
    return dict(found)


def reference_analyte(row):
    special = LOINC_SPLIT.get(row["analyte"], {})
    if row["loinc"] in special:
        return special[row["loinc"]]
    return {"anc": "neutrophils"}.get(row["analyte"], row["analyte"].replace("_", "-"))


def reference_factors(text):
    """The entries of a factor cell: unit -> text after the equals sign."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    return dict(p.split("=", 1) for p in parts + [part] if p)


def verhoeff_passes(code):
    d = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
         [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
         [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
         [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]
    p = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    while len(p) < 8:
        p.append([p[-1][p[1][i]] for i in range(10)])
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = d[check][p[place % 8][int(digit)]]
    return check == 0


def loinc_check_digit_passes(code):
    body, check = code.split("-")
    doubled = str(int("".join(reversed(body))[::2]) * 2)
    total = sum(int(c) for c in doubled + "".join(reversed(body))[1::2])
    return (10 - total % 10) % 10 == int(check)


# ------------------------------------------------------------------------------------------- form of the files

@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_is_plain_sorted_csv_with_its_columns(name):
    raw = (MAPPINGS / name).read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf") and b"\r" not in raw and raw.endswith(b"\n")
    text = raw.decode("utf-8")
    table_rows = list(csv.reader(text.splitlines()))
    assert table_rows[0] == FILES[name]
    assert {len(r) for r in table_rows} == {len(FILES[name])}, "a row has too many or too few columns"
    for row in table_rows:
        assert all(cell == cell.strip() for cell in row), row
    data = rows(name)
    assert len({tuple(r.values()) for r in data}) == len(data), "a row stands twice"
    keys = [SORT_KEYS[name](r) for r in data]
    assert keys == sorted(keys), "the rows are not sorted"


def test_every_concept_name_is_a_lower_case_slug():
    names = drug_concepts() | condition_concepts() | set(classes())
    names |= {r["analyte"] for r in rows("labs/analytes.csv")}
    assert [n for n in names if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", n)] == []


def test_a_condition_without_codes_has_none():
    coded = {r["concept"] for r in rows("codes/conditions.csv")}
    assert coded & {r["concept"] for r in rows("codes/uncoded-conditions.csv")} == set()


def test_no_drug_concept_is_also_a_condition_concept():
    assert drug_concepts() & condition_concepts() == set()


# ------------------------------------------------------------------------------------------------------- drugs

# drugs that a rule names and the tables do not have: a site maps its own codes
UNCODED_DRUGS = {"nalidixic-acid"}


def test_a_drug_that_is_not_in_the_drug_table_has_no_code():
    for name in ("codes/rxnorm.csv", "codes/atc.csv"):
        assert not UNCODED_DRUGS & {row["concept"] for row in rows(name)}


@needs_reference
def test_every_generic_of_the_drug_table_has_its_concept_and_no_other_concept_exists():
    assert drug_concepts() - UNCODED_DRUGS == {concept_of(row["generic"]) for row in table("drugs.tsv")}
    assert len(rows("codes/drugs.csv")) == len(drug_concepts())


@needs_reference
def test_every_rxnorm_row_stands_in_the_tables_with_the_same_concept_and_type():
    reference = reference_rxnorm()
    wrong = [(r["code"], r["concept"], r["type"]) for r in rows("codes/rxnorm.csv")
             if r["type"] not in reference.get((r["code"], r["concept"]), ())]
    assert wrong == []


@needs_reference
def test_every_verified_rxnorm_code_of_the_tables_is_present():
    here = {(r["code"], r["concept"]) for r in rows("codes/rxnorm.csv")}
    missing = {key for key in reference_rxnorm() if key not in here}
    assert missing == set()


def test_the_rxnorm_types_are_those_that_rxnorm_has():
    assert {r["type"] for r in rows("codes/rxnorm.csv")} == {
        "IN", "PIN", "MIN", "IN/MIN", "BN", "SCD", "SBD", "SCDC", "SBDC", "SCDF", "SBDF", "SCDG", "GPCK", "BPCK"}


@needs_reference
def test_strength_quantity_and_dose_form_are_those_of_the_product_table():
    here = {(r["code"], r["concept"]): r for r in rows("codes/rxnorm.csv")}
    wrong = []
    for row in table("drug-products.tsv"):
        concept = concept_of(row["generic"])
        got = here.get((row["rxcui"], concept))
        if got is None:
            assert (row["rxcui"], concept) in RXNORM_LEFT_OUT
            continue
        compound = concept in (COMPOUND, "piperacillin-and-tazobactam")   # strengths belong to the ingredients
        strength = ("", "") if compound else (row["strength"], row["unit"])
        form = "" if row["dose_form"].startswith("/") else row["dose_form"]   # two headache powders have no form
        if ((got["strength"], got["unit"]) != strength or got["quantity"] != row["quantity"]
                or re.sub(r" \((local|systemic)\)$", "", got["form"]) != form):
            wrong.append((row["rxcui"], concept))
    assert wrong == []


@needs_reference
def test_a_strength_read_from_a_name_stands_in_that_name():
    products = {row["rxcui"] for row in table("drug-products.tsv")}
    for r in rows("codes/rxnorm.csv"):
        if r["strength"] and r["code"] not in products:
            assert f" {r['strength']} {r['unit']}" in " " + r["name"], r
        if r["form"] and r["code"] not in products and r["type"] not in ("GPCK", "BPCK"):
            assert re.sub(r" \((local|systemic)\)$", "", r["form"]) in r["name"], r


@needs_reference
def test_the_name_of_a_code_mentions_the_drug_it_is_mapped_to():
    words = defaultdict(set)
    for row in table("drugs.tsv"):
        texts = [row["generic"], *split(row["synonyms"])]
        texts += [pair.split("=", 1)[1] for pair in split(row["rxnorm_pin"])]
        words[concept_of(row["generic"])] |= {re.split("[ ,]", t.lower())[0] for t in texts if t}
    words["vitamin-c"].add("ascorbic")
    words["aminocaproic-acid"].add("6-aminocaproic")
    words["immune-globulin"].add("immunoglobulin")
    words["ethacrynic-acid"].add("ethacrynate")
    for name in [r for r in words if r.startswith(("varicella", "zoster"))]:
        words[name] |= {"varicella", "varicella-zoster"}
    silent = []
    for r in rows("codes/rxnorm.csv"):
        if r["type"] == "BN":
            continue
        tokens = set(re.split(r"[^a-z0-9.-]+", r["name"].lower()))
        if not any(w in tokens or any(t.startswith(w + "-") for t in tokens) for w in words[r["concept"]]):
            silent.append((r["code"], r["concept"], r["name"]))
    assert silent == []


def test_an_rxnorm_code_of_two_drugs_names_two_ingredients():
    by_code = defaultdict(list)
    for r in rows("codes/rxnorm.csv"):
        by_code[r["code"]].append(r)
    single = [group for group in by_code.values() if len(group) > 1 and " / " not in group[0]["name"]]
    assert single == []


def test_a_liposomal_product_is_never_plain_doxorubicin():
    for r in rows("codes/rxnorm.csv"):
        if r["concept"] == "doxorubicin":
            assert "liposom" not in r["name"].lower(), r


def test_every_concept_in_a_code_file_is_a_known_drug():
    for name in ("codes/rxnorm.csv", "codes/atc.csv"):
        assert {r["concept"] for r in rows(name)} <= drug_concepts()


@needs_reference
def test_every_atc_code_of_the_tables_is_present_with_its_use_and_no_other():
    want = {}
    for row in table("drugs.tsv"):
        concept = concept_of(row["generic"])
        for column in ("atc", "atc_local_route", "atc_combinations", "atc_superseded"):
            for code in split(row[column]):
                if (code, concept) in ATC_LEFT_OUT or ATC_OWNER.get(code, concept) != concept:
                    continue
                want.setdefault((code, concept), set()).add(column)
    here = {(r["code"], r["concept"]): r for r in rows("codes/atc.csv")}
    assert set(here) == set(want)
    local_groups = {code[:4] for row in table("drugs.tsv") for code in split(row["atc_local_route"])}
    for key, columns in want.items():
        r = here[key]
        assert r["use"] in ("systemic", "local")
        assert ("superseded" in r["note"]) == ("atc_superseded" in columns), r
        if "atc_local_route" in columns:
            assert r["use"] == "local", r
        elif r["use"] == "local":
            # combinations and replaced codes of a local group, and the groups WHO defines by local use
            assert key[0].startswith(ATC_LOCAL_BY_GROUP) or key[0][:4] in local_groups or key[0][0] in "DS", r
        else:
            assert not key[0].startswith(ATC_LOCAL_BY_GROUP), r


@needs_reference
def test_every_snomed_drug_code_of_the_tables_is_present_and_no_other():
    want = {(code.strip(), concept_of(row["generic"])) for row in table("drugs.tsv")
            for part in split(row["snomed"]) for code in part.partition("=")[2].split(",")}
    assert {(r["code"], r["concept"]) for r in rows("codes/snomed-drugs.csv")} == want


@needs_reference
def test_every_unii_of_the_tables_is_present_and_no_other():
    want = {(row["unii"], concept_of(row["generic"])) for row in table("unii.tsv")}
    want = {(code, concept) for code, concept in want if UNII_OWNER.get(code, concept) == concept}
    assert {(r["code"], r["concept"]) for r in rows("codes/unii.csv")} == want


@needs_reference
def test_every_vaccine_code_of_the_drug_table_is_present_and_every_live_vaccine_is_in():
    want = {(code, concept_of(row["generic"])) for row in table("drugs.tsv") for code in split(row["cvx"])}
    assert {(r["code"], r["concept"]) for r in rows("codes/cvx.csv")} == want
    assert {row["cvx"] for row in table("vaccines-cvx.tsv") if row["live_flag"]} <= {code for code, _ in want}


@needs_reference
def test_every_ndc_of_the_tables_is_present_with_its_product_and_no_other():
    want = {(row["ndc11"], row["rxcui"]) for row in table("ndc.tsv") if row["verification"] == "verified"}
    assert {(r["code"], r["rxnorm"]) for r in rows("codes/ndc.csv")} == want
    assert all(re.fullmatch(r"[0-9]{11}", r["code"]) for r in rows("codes/ndc.csv"))


@needs_reference
def test_the_product_of_an_ndc_contains_the_drug_that_the_table_names():
    concepts = defaultdict(set)
    for r in rows("codes/rxnorm.csv"):
        concepts[r["code"]].add(r["concept"])
    assert [row["ndc11"] for row in table("ndc.tsv")
            if concept_of(row["generic"]) not in concepts[row["rxcui"]]] == []


@needs_reference
def test_an_atc_code_of_two_drugs_is_a_combination_product():
    combinations = {code for row in table("drugs.tsv") for code in split(row["atc_combinations"])}
    by_code = Counter(r["code"] for r in rows("codes/atc.csv"))
    plural = {code for code, n in by_code.items() if n > 1}
    assert plural <= combinations | ATC_COMBINATION_OF_TWO_PLAIN_ROWS


# -------------------------------------------------------------------------------------------- dose forms, routes

FORM_ROUTES = {"oral", "parenteral", "transdermal", "topical", "ophthalmic", "otic", "nasal", "inhaled", "rectal",
               "vaginal", "buccal", "sublingual", "other"}
ORDER_ROUTES = {"oral", "intravenous", "subcutaneous", "intramuscular", "intrathecal", "topical", "ophthalmic", "otic",
                "nasal", "inhaled", "rectal", "vaginal", "transdermal", "sublingual", "buccal", "intravitreal",
                "intraarticular"}


@needs_reference
def test_every_dose_form_of_the_product_table_is_classified():
    forms = {row["dose_form"] for row in table("drug-products.tsv") if not row["dose_form"].startswith("/")}
    assert forms <= {r["form"] for r in rows("codes/dose-forms.csv")}


def test_every_dose_form_of_the_code_file_is_classified_once():
    forms = Counter(r["form"] for r in rows("codes/dose-forms.csv"))
    assert max(forms.values()) == 1
    assert {r["form"] for r in rows("codes/rxnorm.csv")} - {""} <= set(forms)
    for r in rows("codes/dose-forms.csv"):
        assert r["use"] in ("systemic", "local") and r["route"] in FORM_ROUTES, r


def test_a_marked_dose_form_has_the_use_it_says_and_its_plain_form_has_the_other():
    use = {r["form"]: r["use"] for r in rows("codes/dose-forms.csv")}
    for form, value in use.items():
        marked = re.fullmatch(r"(.*) \((local|systemic)\)", form)
        if marked:
            assert value == marked[2] and use.get(marked[1], "") != value, form


@pytest.mark.parametrize("name, use", [
    ("dexamethasone 0.7 MG Drug Implant", "local"), ("etonogestrel 68 MG Drug Implant", "systemic"),
    ("dexamethasone 4 MG Oral Tablet", "systemic"), ("lenalidomide 25 MG Oral Capsule", "systemic"),
    ("testosterone 75 MG Drug Implant", "systemic"),
    ("estradiol 0.0006 MG/MG Topical Gel", "systemic"), ("0.5 ML diazepam 5 MG/ML Rectal Gel", "systemic"),
    ("{2 (Hydrocortisone 10 MG/ML Topical Cream) } Pack", "local"),
])
def test_a_product_is_systemic_or_local_as_a_pharmacist_says(name, use):
    uses = {r["form"]: r["use"] for r in rows("codes/dose-forms.csv")}
    found = {uses[r["form"]] for r in rows("codes/rxnorm.csv") if r["name"] == name}
    assert found == {use}


def test_every_route_code_has_one_known_route():
    codes = Counter((r["system"], r["code"]) for r in rows("codes/routes.csv"))
    assert max(codes.values()) == 1
    uses = defaultdict(set)
    for r in rows("codes/routes.csv"):
        assert r["route"] in ORDER_ROUTES and r["use"] in ("systemic", "local"), r
        assert r["system"] in ("snomed", "v3-route", "edqm"), r
        uses[r["route"]].add(r["use"])
    assert {route for route, kinds in uses.items() if len(kinds) > 1} == set()
    assert set(uses) == ORDER_ROUTES


def test_the_routes_that_the_first_rules_lean_on_are_right():
    routes = {(r["system"], r["code"]): r["route"] for r in rows("codes/routes.csv")}
    assert routes["snomed", "26643006"] == "oral" and routes["snomed", "47625008"] == "intravenous"
    assert routes["snomed", "34206005"] == "subcutaneous" and routes["snomed", "72607000"] == "intrathecal"
    assert routes["edqm", "20053000"] == "oral" and routes["edqm", "20045000"] == "intravenous"
    assert routes["edqm", "20066000"] == "subcutaneous" and routes["edqm", "20042000"] == "intrathecal"
    assert routes["v3-route", "PO"] == "oral" and routes["v3-route", "IVPUSH"] == "intravenous"


# ------------------------------------------------------------------------------------------------------- systems

@needs_reference
def test_every_uri_and_oid_of_the_systems_table_is_present():
    uris = {r["uri"] for r in rows("codes/systems.csv")}
    for row in table("systems.tsv"):
        assert row["preferred_uri"] in uris
        if row["oid"]:
            assert row["oid"] in uris and "urn:oid:" + row["oid"] in uris
        for alternate in split(row["alternate_uris"]):
            word = alternate.split(" ")[0]
            if "<" not in word:
                assert word in uris, alternate


def test_a_uri_belongs_to_one_system_and_every_used_system_has_one():
    uris = Counter(r["uri"] for r in rows("codes/systems.csv"))
    assert max(uris.values()) == 1
    names = {r["system"] for r in rows("codes/systems.csv")}
    used = {r["system"] for r in rows("codes/routes.csv")} | {r["system"] for r in rows("codes/conditions.csv")}
    assert used | {"rxnorm", "atc", "loinc", "ucum", "snomed", "ndc", "cvx", "unii"} <= names


@needs_reference
def test_the_first_row_of_a_system_is_its_preferred_uri():
    preferred = {row["preferred_uri"] for row in table("systems.tsv")}
    first = {}
    for r in rows("codes/systems.csv"):
        first.setdefault(r["system"], r["uri"])
    assert {s for s, uri in first.items() if uri not in preferred} == {"v3-route"}


# ---------------------------------------------------------------------------------------------------------- labs

@needs_reference
def test_every_loinc_code_of_the_lab_table_is_present_with_its_analyte_and_no_other():
    want = {row["loinc"]: (reference_analyte(row), row["long_name"]) for row in table("labs.tsv")
            if row["loinc"] not in LOINC_LEFT_OUT} | LOINC_BESIDE
    assert {r["code"]: (r["concept"], r["name"]) for r in rows("codes/loinc.csv")} == want
    assert len(rows("codes/loinc.csv")) == len(want)


def test_every_loinc_check_digit_validates():
    codes = {r["code"] for r in rows("codes/loinc.csv")}
    codes |= {r["code"] for r in rows("codes/conditions.csv") if r["system"] == "loinc"}
    assert {c for c in codes if not loinc_check_digit_passes(c)} == LOINC_WITHOUT_CHECK_DIGIT


def test_the_analytes_of_the_file_are_those_the_codes_and_units_name():
    analytes = {r["analyte"] for r in rows("labs/analytes.csv")}
    assert analytes - UNCODED_ANALYTES == {r["concept"] for r in rows("codes/loinc.csv")}
    assert UNCODED_ANALYTES <= analytes
    assert {r["analyte"] for r in rows("labs/units.csv")} <= analytes


@needs_reference
def test_the_canonical_unit_of_an_analyte_is_that_of_the_lab_table():
    here = {r["analyte"]: r for r in rows("labs/analytes.csv")}
    for row in table("labs.tsv"):
        if row["loinc"] in LOINC_LEFT_OUT:
            continue
        analyte = reference_analyte(row)
        unit = "" if analyte == "m-protein-urine-concentration" else row["canonical_unit"].split(" (")[0]
        if analyte == "urea":  # its own mg/dL is urea mass: kept apart from urea nitrogen
            unit = "mg{urea_nitrogen}/dL"
        assert here[analyte]["unit"] == unit, analyte
        assert here[analyte]["kind"] == ("quantity" if unit else "coded"), analyte


@needs_reference
def test_every_factor_is_that_of_the_lab_table():
    want = {}
    for row in table("labs.tsv"):
        analyte = reference_analyte(row)
        if row["loinc"] in LOINC_LEFT_OUT or analyte == "m-protein-urine-concentration":
            continue
        for unit, text in reference_factors(row["factor"]).items():
            assert want.setdefault((analyte, unit), text) == text
    here = {(r["analyte"], r["unit"]): r for r in rows("labs/units.csv")}
    want |= {("band-neutrophil-pct", unit): text for (of, unit), text in want.items() if of == "neutrophil-pct"}
    assert set(here) - UNCODED_UNITS == set(want)
    for key, text in want.items():
        r = here[key]
        if key == ("temperature", "[degF]"):
            assert text == "(x-32)*5/9" and (r["add"], r["factor"], r["then_add"]) == ("-32", "5/9", "")
        elif key == ("temperature", "K"):
            assert text == "x-273.15" and (r["add"], r["factor"], r["then_add"]) == ("-273.15", "1", "")
        elif key == ("hba1c", "mmol/mol"):
            assert text.startswith("0.09148*x+2.152") and (r["add"], r["factor"], r["then_add"]) == (
                "", "0.09148", "2.152")
        elif key[0] in CELL_COUNTS and key[1] == "10*6/uL":
            assert text == "1000" and r["factor"] == "1..1000" and r["note"]
        else:
            number = text.split("(")[0]
            assert Decimal(r["factor"]) == Decimal(number) and not r["add"] and not r["then_add"], key
            assert bool(r["note"]) == ("(" in text), key


def test_the_canonical_unit_converts_to_itself_and_coded_results_have_no_units():
    units = defaultdict(dict)
    for r in rows("labs/units.csv"):
        units[r["analyte"]][r["unit"]] = r
        assert re.fullmatch(r"[0-9.]+|[0-9]+/[0-9]+|1\.\.1000", r["factor"]), r
    for r in rows("labs/analytes.csv"):
        if r["kind"] == "coded":
            assert r["unit"] == "" and r["analyte"] not in units, r
        elif r["analyte"] == "urea":
            assert r["unit"] == "mg{urea_nitrogen}/dL"
        else:
            own = units[r["analyte"]][r["unit"]]
            assert (own["add"], own["factor"], own["then_add"]) == ("", "1", ""), r


@pytest.mark.parametrize("analyte, unit, value, canonical", [
    ("temperature", "[degF]", "98.6", "37"), ("temperature", "K", "310.15", "37"),
    ("hba1c", "mmol/mol", "48", "6.54304"), ("neutrophils", "/uL", "450", "0.45"),
    ("hemoglobin", "g/L", "84", "8.4"), ("platelets", "10*3/uL", "28", "28"),
    ("flc-kappa", "mg/dL", "2", "20"),
])
def test_a_known_value_converts_exactly(analyte, unit, value, canonical):
    row = next(r for r in rows("labs/units.csv") if (r["analyte"], r["unit"]) == (analyte, unit))
    got = (Fraction(value) + Fraction(row["add"] or 0)) * Fraction(row["factor"]) + Fraction(row["then_add"] or 0)
    assert got == Fraction(canonical)


def test_creatinine_in_micromoles_lands_where_the_label_tables_expect():
    row = next(r for r in rows("labs/units.csv") if (r["analyte"], r["unit"]) == ("creatinine", "umol/L"))
    assert abs(Fraction(row["factor"]) * Fraction("88.4") - 1) < Fraction(1, 1000)


def test_a_unit_spelling_means_one_unit_that_some_analyte_reads():
    units = {r["unit"] for r in rows("labs/units.csv")}
    seen = Counter(r["seen"] for r in rows("labs/unit-spellings.csv"))
    assert max(seen.values()) == 1
    assert set(seen) & units == set(), "a spelling is already the unit of an analyte"
    assert {r["unit"] for r in rows("labs/unit-spellings.csv")} <= units
    # prefixes and letters that mean something else: mega or million, kelvin, coulomb, farad, megasiemens
    assert set(seen) & {"M/uL", "M/ul", "IU/L", "K/uL", "K/ul", "K/mm3", "C", "F", "MS", "G/l", "mg/24.h"} == set()


def test_both_micro_signs_are_read_wherever_one_is():
    spelled = {r["seen"]: r["unit"] for r in rows("labs/unit-spellings.csv")}
    for seen, unit in spelled.items():
        if "\u00b5" in seen:
            assert spelled[seen.replace("\u00b5", "\u03bc")] == unit
        if "\u03bc" in seen:
            assert spelled[seen.replace("\u03bc", "\u00b5")] == unit


def test_a_spelling_keeps_the_power_of_ten_and_the_volume_of_its_unit():
    for r in rows("labs/unit-spellings.csv"):
        digits = str.maketrans("⁹³", "93")
        power = re.match(r"[xX×]? ?10(?:[*^+(]|[Ee])?\(?([0-9⁹³]+)\)?/", r["seen"])
        if power:
            assert r["unit"].startswith(f"10*{power[1].translate(digits)}/"), r
            volume = re.sub("^(mcL|[uµμ]l)$", "uL", r["seen"].split("/")[1], flags=re.I).lower()
            assert volume == r["unit"].split("/")[1].lower(), r


# ---------------------------------------------------------------------------------------------------- conditions

@needs_reference
def test_every_condition_code_of_the_table_is_present_with_its_concept_and_no_other():
    claims = defaultdict(set)
    for row in table("conditions.tsv"):
        concept = row["concept"].replace("_", "-")
        if concept == "history-of-autologous-transplant" and row["code"] in TRANSPLANT_NOT_SAID_AUTOLOGOUS:
            assert "utologous" not in row["display"]
            concept = "history-of-stem-cell-transplant"
        claims[CONDITION_SYSTEMS[row["system"]], row["code"], row["match"]].add(concept)
    for concepts in claims.values():
        for broader, (_, narrower) in CONDITION_BROADER.items():
            if broader in concepts and concepts & narrower:
                concepts.remove(broader)
    want = {key + (concept,) for key, concepts in claims.items() for concept in concepts}
    want |= {(system, "C90.0", "prefix", "multiple-myeloma") for system in ("icd-10", "icd-10-gm")}
    assert {(r["system"], r["code"], r["match"], r["concept"]) for r in rows("codes/conditions.csv")} == want


@needs_reference
def test_a_condition_code_with_two_concepts_has_both_in_the_table():
    claims = defaultdict(set)
    for row in table("conditions.tsv"):
        claims[CONDITION_SYSTEMS[row["system"]], row["code"]].add(row["concept"].replace("_", "-"))
    by_code = defaultdict(set)
    for r in rows("codes/conditions.csv"):
        by_code[r["system"], r["code"]].add(r["concept"])
    assert {key for key, concepts in by_code.items() if len(concepts) > 1 and not concepts <= claims[key]} == set()


def test_a_broader_condition_that_is_not_repeated_is_supplied_by_a_class():
    for broader, (group, narrower) in CONDITION_BROADER.items():
        assert {broader} | narrower <= set(classes()[group]["members"])


def test_every_snomed_code_passes_the_verhoeff_check():
    codes = [r["code"] for name in ("codes/conditions.csv", "codes/routes.csv") for r in rows(name)
             if r["system"] == "snomed"] + [r["code"] for r in rows("codes/snomed-drugs.csv")]
    assert len(codes) > 1000
    assert [c for c in codes if not (c.isdigit() and verhoeff_passes(c))] == []


def test_a_match_is_exact_or_prefix():
    assert {r["match"] for r in rows("codes/conditions.csv")} == {"exact", "prefix"}


@pytest.mark.parametrize("system, code", [
    ("snomed", "109989006"), ("snomed", "94704006"), ("icd-10-cm", "C90.00"), ("icd-10-cm", "C90.01"),
    ("icd-10-cm", "C90.02"), ("icd-10", "C90.0"), ("icd-10-gm", "C90.00"),
])
def test_a_myeloma_code_is_recognised_as_myeloma(system, code):
    concepts = {r["concept"] for r in rows("codes/conditions.csv") if r["system"] == system and (
        r["code"] == code or r["match"] == "prefix" and code.startswith(r["code"]))}
    assert concepts & set(classes()["any-multiple-myeloma"]["members"])


def test_a_plasma_cell_disorder_that_is_not_myeloma_is_not_recognised_as_myeloma():
    group = set(classes()["any-multiple-myeloma"]["members"])
    assert group & {"mgus", "plasmacytoma", "plasma-cell-leukaemia", "plasma-cell-neoplasm", "al-amyloidosis"} == set()
    assert "esrd" not in classes()["any-dialysis"]["members"]


# ------------------------------------------------------------------------------------------------------- classes

def resolve(name, path=()):
    assert name not in path, f"class {name} contains itself"
    out = set()
    for member in classes()[name]["members"]:
        out |= resolve(member[6:], path + (name,)) if member.startswith("class:") else {member}
    return out


def test_every_class_member_exists_and_no_class_contains_itself():
    known = drug_concepts() | condition_concepts()
    for name, entry in classes().items():
        assert set(entry) <= {"name", "members", "note", "unmapped"}, name
        assert len(entry["members"]) == len(set(entry["members"])), name
        assert resolve(name) <= known, name


def test_a_class_holds_drugs_or_conditions_but_not_both():
    for name in classes():
        members = resolve(name)
        assert not (members & drug_concepts() and members & condition_concepts()), name


@needs_reference
def test_every_member_of_the_working_lists_is_a_member_or_visibly_unmapped():
    text = (REFERENCE / "clinical-notes.md").read_text(encoding="utf-8")
    lists = json.loads(re.search("```json\n(.*?)```", text, re.S)[1])
    tagged, named = defaultdict(set), {}
    for row in table("drugs.tsv"):
        for tag in split(row["classes"]):
            tagged[tag].add(concept_of(row["generic"]))
        for synonym in split(row["synonyms"]):
            named[synonym.lower()] = concept_of(row["generic"])
    for row in table("drugs.tsv"):
        named[row["generic"].lower()] = concept_of(row["generic"])
    for name, members in lists.items():
        want, unmapped = set(), []
        for member in members:
            if (name, member) in MEMBER_LEFT_TO_RULES:
                continue
            if member in MEMBER_IN_WORDS:
                want |= MEMBER_IN_WORDS[member]
            elif member in MEMBER_BY_TAG:
                want |= tagged[MEMBER_BY_TAG[member]]
            elif member.lower() in named:
                want.add(named[member.lower()])
            else:
                unmapped.append(member)
        entry = classes()[name]
        extra = set(entry["members"]) - want
        assert want <= set(entry["members"]), name
        assert extra <= tagged[CLASS_WIDENED_BY_TAG.get(name, "")], name
        assert entry.get("unmapped", []) == unmapped, name


def test_aspirin_is_antithrombotic_and_not_an_nsaid():
    assert "aspirin" not in resolve("nsaid")
    assert "aspirin" in resolve("antithrombotic") and "apixaban" in resolve("antithrombotic")


def test_an_order_for_any_of_nineteen_myeloma_drugs_opens_the_cohort():
    assert resolve("myeloma-specific") == set(
        "lenalidomide pomalidomide thalidomide bortezomib carfilzomib ixazomib daratumumab isatuximab elotuzumab "
        "panobinostat selinexor belantamab-mafodotin teclistamab elranatamab talquetamab linvoseltamab ide-cel "
        "cilta-cel melphalan".split())
    assert not resolve("myeloma-specific") & {"dexamethasone", "prednisone", "cyclophosphamide"}


@needs_reference
@pytest.mark.parametrize("rule_id", FIRST_RULES)
def test_every_name_of_a_first_rule_resolves(rule_id):
    rules = {r["id"]: r for r in json.loads((REFERENCE / "clinical-rules.json").read_text(encoding="utf-8"))}
    for name in rules[rule_id]["drugs"] + (rules[rule_id].get("partners") or []):
        if name.startswith("class:"):
            assert resolve(name[6:]), name
        elif name.startswith("condition:"):
            assert name[10:] in condition_concepts(), name
        else:
            assert name in drug_concepts(), name


# -------------------------------------------------------------------------------------------------------- notice

@needs_reference
def test_the_notice_carries_the_statements_the_licensors_ask_for():
    notice = " ".join((PROJECT / "NOTICE").read_text(encoding="utf-8").split())
    readme = " ".join((TERMINOLOGY / "README.md").read_text(encoding="utf-8").split())
    statements = re.findall('"(This (?:product|material) [^"]*)"', readme)
    assert len(statements) == 2
    for statement in statements:
        assert statement in notice
