"""The records and tables that the second opinion is formed from: the reference, never our mappings."""
import csv
import functools
import json
import re
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
HERE = (REFERENCE / "clinical-rules.json").is_file()


@functools.cache
def records():
    return json.loads((REFERENCE / "clinical-rules.json").read_text(encoding="utf-8"))


@functools.cache
def classes():
    """class -> the words of its working list, from the first code block of the notes' section 3."""
    notes = (REFERENCE / "clinical-notes.md").read_text(encoding="utf-8")
    return json.loads(re.search(r"```json\n(.*?)```", notes, re.S)[1])


@functools.cache
def table(name):
    lines = (REFERENCE / "terminology" / name).read_text(encoding="utf-8").split("\n")
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


# words of the lists and records -> generic names of drugs.tsv; a word that stands neither here nor there has no code
SYNONYMS = {
    "ide-cel": ["idecabtagene vicleucel"], "cilta-cel": ["ciltacabtagene autoleucel"],
    "doxorubicin liposomal": ["pegylated liposomal doxorubicin"],
    "doxorubicin-liposomal": ["pegylated liposomal doxorubicin"],
    "unfractionated heparin": ["heparin"], "paracetamol": ["acetaminophen"],
    "sulfamethoxazole-trimethoprim": ["trimethoprim and sulfamethoxazole"],
    "tenofovir": ["tenofovir disoproxil", "tenofovir alafenamide"],
    "neomycin (systemic)": ["neomycin"], "isavuconazole": ["isavuconazonium"],
    "grapefruit juice": [], "St John's wort": ["st. john's wort"],
    "conjugated estrogens": ["estrogens, conjugated"],
    "esterified estrogens": ["estrogens, esterified"],
    "mycophenolate": ["mycophenolate mofetil", "mycophenolic acid"],
    "sacubitril/valsartan": ["valsartan"], "etonogestrel ring": ["etonogestrel"],
    "norelgestromin patch": ["norelgestromin"],
    "ethinyl estradiol/levonorgestrel": ["ethinyl estradiol", "levonorgestrel"],
    "ethinyl estradiol/norethindrone": ["ethinyl estradiol", "norethindrone"],
    "ethinyl estradiol/drospirenone": ["ethinyl estradiol", "drospirenone"],
    "MMR": ["measles, mumps and rubella vaccine live"], "varicella": ["varicella vaccine live"],
    "live attenuated influenza nasal": ["influenza vaccine live intranasal"],
    "zoster live (discontinued in US)": ["zoster vaccine live"],
    "yellow fever": ["yellow fever vaccine live"], "oral typhoid Ty21a": ["typhoid vaccine live oral"],
    "rotavirus": ["rotavirus vaccine live"], "BCG": ["bcg live (tice)"],
    "dengue live": ["dengue vaccine live"], "chikungunya live": ["chikungunya vaccine live"],
    "ascorbic acid >= 500 mg/day (project cut)": ["vitamin c"], "amphotericin-b": ["amphotericin b"],
    "calcium": ["calcium carbonate", "calcium gluconate"], "iron": ["ferrous sulfate"],
    "magnesium-antacid": ["magnesium oxide"],
    "vitamin-d": ["cholecalciferol", "ergocalciferol", "calcitriol"],
    "aspirin 81-325 mg": ["aspirin"],
}
OF_THE_SITE = {"nalidixic-acid": ["nalidixic acid"]}   # codes.csv
# words that mean all drugs with a tag of drugs.tsv, or another list
TAGS = {"any insulin": "insulin", "DPP-4 inhibitors": "dpp4", "calcium-channel blockers": "ccb",
        "TNF inhibitors": "tnf_inhibitor", "JAK inhibitors": "jak_inhibitor"}
LISTS = {"sulfonylureas": "sulfonylurea", "SGLT2 inhibitors": "sglt2", "ACE inhibitors": "ace-inhibitor",
         "ARBs": "arb", "beta-blockers": "beta-blocker", "thiazides": "thiazide",
         "any anticoagulant": "anticoagulant"}
# the lists are working lists: what drugs.tsv tags as the same kind belongs to them, as far as records name it
MORE = {"fluoroquinolone": ["enoxacin"]}
# members that need more than the drug to count: a dose, a use, a habit
CONDITIONAL = {"aspirin >325 mg/day", "timolol ophthalmic", "tobacco smoking", "charbroiled food",
               "cefepime (renal impairment)"}


@functools.cache
def generics():
    return {row["generic"].lower(): row for row in table("drugs.tsv")}


def tagged(tag):
    return [name for name, row in generics().items() if tag in row["classes"].split(";")]


def known(word):
    """The generic names of drugs.tsv that a word stands for."""
    if word in CONDITIONAL:
        return []
    if word in TAGS:
        return tagged(TAGS[word])
    if word in LISTS:
        return sorted(drugs_of("class:" + LISTS[word]))
    if word in OF_THE_SITE:
        return OF_THE_SITE[word]
    found = SYNONYMS.get(word, [word.lower(), word.lower().replace("-", " ")])
    return [name for name in dict.fromkeys(found) if name in generics()]


@functools.cache
def drugs_of(word):
    """A drug or class:x of a record -> generic names, those in it."""
    if word.startswith("class:"):
        found = [name for member in classes().get(word[6:], []) for name in known(member)]
        return frozenset(found + MORE.get(word[6:], []))
    return frozenset(known(word))


@functools.cache
def drugs_of_words(words):
    return frozenset(name for word in words if not word.startswith("condition:")
                     for name in drugs_of(word))


def drugs_of_all(words):
    return drugs_of_words(tuple(words))


@functools.cache
def antibacterials():
    """For systemic use by their ATC code, but sulfonamides and trimethoprim: those are prophylaxis here."""
    return frozenset(name for name, row in generics().items()
                     if any(code.startswith("J01") and not code.startswith("J01E")
                            for code in re.split("[;,]", row["atc"])))


def leaves(lab):
    if any(key in lab for key in ("any_of", "all_of", "of")):
        for key in ("any_of", "all_of", "of"):
            for part in lab.get(key, []):
                yield from leaves(part)
    elif lab:
        yield lab
