"""Checks the rule files under mappings/ against their schema and against the records they were made from.

The records lie beside the project (../shared/reference/clinical-rules.json). Where they are absent the
tests that need them are skipped; the checks that need only the files themselves always run. What the
rules say of charts is checked by their own cases, which the program plays (rule_cases_test).
"""
import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MAPPINGS = PROJECT / "mappings"
RECORDS = PROJECT.parent / "shared" / "reference" / "clinical-rules.json"

needs_records = pytest.mark.skipif(
    not RECORDS.is_file(), reason="the records (../shared/reference/clinical-rules.json) are not here")

# ---- reading


def without_remarks(text):
    """Blank // remarks that stand outside of strings."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda m: m.group(1) or "", text)


def read(path):
    return json.loads(without_remarks(path.read_text(encoding="utf-8")), parse_float=Decimal)


SCHEMA = read(MAPPINGS / "schema" / "rules.schema.json")
RULE_FILES = sorted((MAPPINGS / "rules").glob("*.json"))
FILES = {path.name: read(path) for path in RULE_FILES}
RULES = [rule for root in FILES.values() for rule in root["rules"]]
CLASSES = read(MAPPINGS / "classes.json")["classes"]
DRUGS = {line.split(",")[0] for line in (MAPPINGS / "codes" / "drugs.csv").read_text(encoding="utf-8").splitlines()}
DEFINITIONS = read(MAPPINGS / "definitions.json")["definitions"]
RECORD_OF = {}
if RECORDS.is_file():
    RECORD_OF = {record["id"]: record
                 for record in json.loads(RECORDS.read_text(encoding="utf-8"), parse_float=Decimal)}

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule["id"] for rule in RULES])

# ---- a validator for the part of JSON Schema that rules.schema.json uses

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def type_is(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def joined(where, key):
    return f"{where}/{key}"


def combined(value, options, where):
    """The problems of each option; the option with the fewest is what was probably meant."""
    return sorted((problems(value, option, where) for option in options), key=len)


def check_object(value, schema, where):
    found = []
    properties = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in value:
            found.append(f"{where}: {key} is missing")
    for key, needed in schema.get("dependentRequired", {}).items():
        found += [f"{where}: {key} needs {other}"
                  for other in needed if key in value and other not in value]
    for key, item in value.items():
        if key in properties:
            found += problems(item, properties[key], joined(where, key))
        elif schema.get("additionalProperties") is False:
            found.append(f"{where}: {key} is not known here")
        elif isinstance(schema.get("additionalProperties"), dict):
            found += problems(item, schema["additionalProperties"], joined(where, key))
        if "propertyNames" in schema:
            found += problems(key, schema["propertyNames"], joined(where, key))
    if len(value) < schema.get("minProperties", 0):
        found.append(f"{where}: too little is said")
    return found


def check_array(value, schema, where):
    found = []
    for i, item in enumerate(value):
        if "items" in schema:
            found += problems(item, schema["items"], joined(where, i))
    if len(value) < schema.get("minItems", 0):
        found.append(f"{where}: at least {schema['minItems']} are needed")
    if schema.get("uniqueItems") and len({json.dumps(item) for item in value}) < len(value):
        found.append(f"{where}: something stands there twice")
    return found


def check_scalar(value, schema, where):
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{where}: {value!r} does not fit {schema['pattern']}")
        if len(value) < schema.get("minLength", 0):
            found.append(f"{where}: the text is empty")
    if type_is(value, "integer"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            found.append(f"{where}: {value} is out of range")
    return found


KEYWORDS = {"$schema", "$defs", "$ref", "title", "description", "type", "enum", "const", "pattern",
            "minLength", "minimum", "maximum", "required", "properties", "additionalProperties",
            "propertyNames", "minProperties", "dependentRequired", "items", "minItems", "uniqueItems",
            "anyOf", "oneOf", "if", "then", "else"}


def problems(value, schema, where=""):
    """What is wrong with a value, as texts; none when the schema is satisfied."""
    assert set(schema) <= KEYWORDS, f"the schema uses {set(schema) - KEYWORDS}, which this test cannot read"
    found = []
    if "$ref" in schema:
        found += problems(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], where)
    if "type" in schema and not type_is(value, schema["type"]):
        return found + [f"{where}: this is no {schema['type']}"]
    found += check_scalar(value, schema, where)
    if isinstance(value, dict):
        found += check_object(value, schema, where)
    if isinstance(value, list):
        found += check_array(value, schema, where)
    if "anyOf" in schema:
        options = combined(value, schema["anyOf"], where)
        found += options[0]
    if "oneOf" in schema:
        fitting = [one for one in combined(value, schema["oneOf"], where) if not one]
        if len(fitting) != 1:
            found.append(f"{where}: {len(fitting)} of the {len(schema['oneOf'])} ways fit, not one")
    if "if" in schema:
        way = "else" if problems(value, schema["if"], where) else "then"
        found += problems(value, schema.get(way, {}), where)
    return found


# ---- the schema


@pytest.mark.parametrize("name", FILES)
def test_a_rule_file_satisfies_the_schema(name):
    assert problems(FILES[name], SCHEMA) == []


def test_the_definitions_satisfy_the_schema():
    assert problems(read(MAPPINGS / "definitions.json"), SCHEMA) == []


def test_every_part_of_the_schema_is_used_by_another_part():
    used = set(re.findall(r'"#/\$defs/([A-Za-z]+)"', json.dumps(SCHEMA, default=str)))
    assert used == set(SCHEMA["$defs"])


WRONG_CLAUSES = {
    "an unknown kind of clause": {"ordr": "lenalidomide"},
    "an unknown key": {"order": "lenalidomide", "dayly": "at most 2 mg"},
    "an order that is there and not there": {"order": "aspirin", "noOrder": "aspirin"},
    "a result that may be of any age without saying so": {"result": "platelets", "is": "below 25 10*9/L"},
    "a threshold without a unit": {"result": "platelets", "is": "below 25", "within": "7 d"},
    "a threshold with a sign": {"result": "platelets", "is": "< 25 10*9/L", "within": "7 d"},
    "a duration without a space": {"result": "platelets", "is": "below 25 10*9/L", "within": "7d"},
    "a duration in words": {"result": "platelets", "is": "below 25 10*9/L", "within": "a week"},
    "an empty list": {"all": []},
    "a name with capital letters": {"order": "Lenalidomide"},
    "an overlap of one drug": {"order": "class:imid", "overlap": "1 d"},
    "an exception without a note": {"unless": {"order": "aspirin"}},
    "an exception with two notes": {"unless": {"order": "aspirin"}, "note": "a", "whenUnknown": "b"},
    "a gap with a span and a schedule": {"noResult": "creatinine", "within": "7 d", "schedule": [{"within": "9 d"}]},
    "a maximum without a dose": {"ceiling": "loratadine", "by": "crcl", "within": "30 d", "table": [{"max": "daily"}]},
    "an age in months": {"age": "above 60 mo"},
    "a rise without what it is compared with": {"result": "creatinine", "rose": "at least 0.5 mg/dL", "within": "7 d"},
}


@pytest.mark.parametrize("clause", WRONG_CLAUSES.values(), ids=WRONG_CLAUSES.keys())
def test_the_schema_refuses(clause):
    assert problems(clause, {"$ref": "#/$defs/clause"}) != []


RIGHT_CLAUSES = {
    "a multiple of the upper limit": {"result": "alt", "is": "above 3 x upper limit", "within": "30 d"},
    "a multiple of the lowest value": {"result": "creatinine", "is": "at least 1.5 x lowest in 7 d", "within": "7 d"},
    "a rise": {"result": "creatinine", "rose": "at least 0.5 mg/dL", "since": "baseline", "within": "7 d"},
    "a fall": {"result": "lvef", "fell": "at least 10 %", "since": "previous", "within": "180 d"},
    "a baseline": {"baseline": "creatinine", "is": "below 1.4 mg/dL"},
    "a coded result of any age": {"result": "hbsag", "is": "positive", "within": "ever"},
    "a test that was never made": {"noResult": "hbsag", "within": "ever"},
    "two of three": {"atLeast": 2, "of": [{"sex": "female"}, {"age": "above 60 a"}, {"allergy": "class:nsaid"}]},
    "a course": {"course": "lenalidomide", "is": "above 28 d"},
    "the start of a cycle": {"cycleStart": "ixazomib", "cycle": "28 d", "within": "3 d"},
    "something that cannot be computed": {"notComputable": "crcl", "within": "30 d"},
    "an order by route and dose": {"order": ["melphalan"], "route": ["oral"], "single": "above 2 mg", "is": "planned"},
    "an order that ended": {"order": "denosumab", "is": "ended", "endedWithin": "180 d"},
}


@pytest.mark.parametrize("clause", RIGHT_CLAUSES.values(), ids=RIGHT_CLAUSES.keys())
def test_the_schema_allows(clause):
    assert problems(clause, {"$ref": "#/$defs/clause"}) == []


# ---- the rules among themselves


def test_no_rule_id_is_used_twice():
    assert [id for id, n in Counter(rule["id"] for rule in RULES).items() if n > 1] == []


@pytest.mark.parametrize("name", FILES)
def test_a_rule_file_has_an_owner_and_a_day_of_review(name):
    assert FILES[name]["owner"] == "pharmacy"
    assert FILES[name]["reviewBy"] == "2027-11-23"


@each_rule
def test_a_rule_yields_only_to_rules_that_exist(rule):
    ids = {other["id"] for other in RULES} - {rule["id"]}
    assert set(rule.get("yieldsTo", [])) <= ids


# rules that never hold without a stronger one: their record is a part of the other
ALWAYS_YIELDS = {"zol-aminoglycoside"}


@each_rule
def test_a_rule_has_cases_that_fire_stay_silent_and_cannot_tell(rule):
    outcomes = {case["then"] for case in rule["cases"]}
    assert {"yields" if rule["id"] in ALWAYS_YIELDS else "fires", "silent", "cannot tell"} <= outcomes


@each_rule
def test_a_rule_that_yields_or_persists_has_a_case_for_it(rule):
    outcomes = {case["then"] for case in rule["cases"]}
    assert ("yields" in outcomes) == ("yieldsTo" in rule)
    assert ("stays" in outcomes) == ("persists" in rule)


@each_rule
def test_each_display_of_a_rule_has_a_case(rule):
    display = rule["display"]
    wanted = {display} if isinstance(display, str) else {"interruptive", display["otherwise"]}
    assert {case["display"] for case in rule["cases"] if "display" in case} == wanted


@each_rule
def test_no_two_cases_of_a_rule_have_one_name(rule):
    names = Counter(case["name"] for case in rule["cases"])
    assert [name for name, n in names.items() if n > 1] == []


# ---- walking a rule


def clauses(node):
    """All objects in a clause, itself first."""
    if isinstance(node, dict):
        yield node
        for item in node.values():
            yield from clauses(item)
    elif isinstance(node, list):
        for item in node:
            yield from clauses(item)


def clauses_of(rule):
    for key in ("when", "persists", "display"):
        yield from clauses(rule.get(key))


def as_list(value):
    return value if isinstance(value, list) else [value]


def members(name):
    """A name, or what is in a class, classes in it included."""
    if not name.startswith("class:"):
        return {name}
    return set().union(*(members(word) for word in CLASSES[name.removeprefix("class:")]["members"]))


def unfolded(node):
    """All objects in a clause, those of the definitions that it names too."""
    for clause in clauses(node):
        yield clause
        if "definition" in clause:
            yield from unfolded(DEFINITIONS[clause["definition"]])


def names_in(rule, keys):
    asked = [clause for key in ("when", "persists", "display") for clause in unfolded(rule.get(key))]
    words = [word for clause in asked for key in keys for word in as_list(clause.get(key, []))]
    return set().union(*(members(word) for word in words)) if words else set()


NUMBER = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"


def numbers(text):
    return {Decimal(number) for number in re.findall(NUMBER, text)}


def days(duration):
    number, unit = duration.split(" ")
    return int(number) * {"d": 1, "wk": 7}[unit]


# ---- each rule and its record


@needs_records
@each_rule
def test_a_rule_has_a_record_under_its_id(rule):
    assert rule["id"] in RECORD_OF


@needs_records
@each_rule
def test_a_rule_has_the_words_of_its_record(rule):
    record = RECORD_OF[rule["id"]]
    pairs = {"kind": "kind", "title": "title", "severity": "severity", "severityBasis": "severity_basis",
             "context": "context", "mechanism": "mechanism", "recommendation": "recommendation",
             "sources": "sources", "verdict": "verdict"}
    assert {key: rule.get(key) for key in pairs} == {key: record.get(name) for key, name in pairs.items()}
    assert rule["code"] == (record["detectedissue_code"] or "none")


@needs_records
@each_rule
def test_a_rule_has_the_verification_of_its_record(rule):
    record = RECORD_OF[rule["id"]]
    wanted = {"grade": record["verification"], "note": record["verification_note"]}
    if "verification_strength" in record:
        wanted["strength"] = record["verification_strength"]
    assert rule["verification"] == wanted


@needs_records
@each_rule
def test_a_rule_is_shown_as_its_record_suggests(rule):
    suggested, display = RECORD_OF[rule["id"]]["suggested_display"], rule["display"]
    plain = {"interruptive": "interruptive", "passive": "passive", "suppress": "suppressed"}
    if suggested in plain:
        assert display == plain[suggested]
    elif isinstance(display, str):
        assert suggested.startswith(display.removesuffix("ed"))
    else:
        assert "interruptive" in suggested and display["otherwise"] in suggested


# schedules that begin stricter than the window of the record: "weekly for 4 weeks" of the recommendation
STRICTER_FIRST = {"imid-preg-test-gap": [7]}
# results that tell the context, for which the record of the rule gives no window: that of the notes, section 6
CONTEXT_DAYS = {("den-ckd-ca", "crcl"): 30, ("den-ckd-ca", "egfr"): 30}


@needs_records
@each_rule
def test_a_rule_has_the_window_of_its_record(rule):
    window = RECORD_OF[rule["id"]]["window_days"]
    if window and window["days"] is not None:
        assert rule["window"] == f"{window['days']} d: {window['rationale']} (project choice)"
        measured = [clause for clause in clauses_of(rule) if {"result", "noResult", "ceiling"} & set(clause)]
        missing = {clause.get("noResult") for clause in measured} - {None}
        for clause in measured:
            if clause.get("result") in missing and clause["within"] == "ever":
                continue  # the last value, however old, of a test that is overdue
            first = clause.get("schedule", [clause])[-1 if rule["id"] in STRICTER_FIRST else 0]
            context = CONTEXT_DAYS.get((rule["id"], clause.get("result")))
            assert days(first["within"]) == (context or window["days"])
    else:
        spans = {clause["within"] for clause in clauses_of(rule) if "result" in clause} - {"ever"}
        assert spans == ({rule["window"].split(":")[0]} if "window" in rule else set())


@needs_records
@each_rule
def test_a_schedule_has_the_spans_that_its_record_names(rule):
    window = RECORD_OF[rule["id"]]["window_days"]
    for clause in clauses_of(rule):
        spans = [days(step["within"]) for step in clause.get("schedule", [])]
        if spans and rule["id"] in STRICTER_FIRST:
            assert spans == STRICTER_FIRST[rule["id"]] + [window["days"]]
        elif spans:
            assert spans[0] == window["days"]
            assert all(re.search(rf"\b{span}\b", window["rationale"]) for span in spans[1:])


# analyte of a record -> analyte of labs/analytes.csv; where a test has several, any of them
ANALYTES = {"ALT": "alt", "ANC": "neutrophils", "AST": "ast", "BP-systolic": "bp-systolic", "BUN": "bun",
            "CrCl": "crcl", "HBsAg": "hbsag", "IgG": "igg", "LVEF": "lvef", "QTcF": "qtcf", "TSH": "tsh",
            "WBC": "wbc", "antibody-screen": "antibody-screen", "bleeding": "bleeding",
            "calcium-corrected": "calcium-corrected", "cardiac-adverse-event-grade": "cardiac-event-grade",
            "creatinine": "creatinine", "eGFR": "egfr", "eye-exam": "eye-exam", "glucose": "glucose",
            "hCG": "hcg", "hemoglobin": "hemoglobin", "neuropathy-grade": "neuropathy-grade",
            "phosphate": "phosphate", "platelets": "platelets", "potassium": "potassium",
            "sodium": "sodium", "temperature": "temperature", "total-bilirubin": "bilirubin-total",
            "uric-acid": "uric-acid"}
# what a record names like an analyte and the rule takes from elsewhere
FROM_CONDITIONS = {"bleeding-with-thrombocytopenia": {"class:active-bleeding", "thrombocytopenia"}}
COMPARATORS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def lab_leaves(lab):
    if "any_of" in lab or "all_of" in lab or "of" in lab:
        for key in ("any_of", "all_of", "of"):
            for part in lab.get(key, []):
                yield from lab_leaves(part)
    elif lab:
        yield lab


def threshold_of(text):
    """("below", 1.0, "10*9/L") or ("above", 3, "x upper limit"); None for ranges and codes."""
    match = re.fullmatch(rf"(below|at most|above|at least) ({NUMBER}) ([^ ]+|x (?:upper limit|baseline))", text)
    return (match[1], Decimal(match[2]), match[3]) if match else None


def lowest_in_rule(leaf, results):
    """A rise since, or a multiple of, the lowest value in a span."""
    since, size = leaf["relative_to"], f"{COMPARATORS[leaf['comparator']]} {leaf['threshold']}"
    if leaf["unit"] == "1":
        return f"{size} x {since}" in [clause.get("is") for clause in results]
    return f"{size} {leaf['unit']}" in [clause.get("rose") for clause in results if clause.get("since") == since]


def threshold_in_rule(leaf, results):
    """Does one of the result clauses ask what the leaf of the record asks?"""
    comparator, limit, unit = leaf["comparator"], leaf["threshold"], leaf["unit"]
    if comparator == "=":
        return {"present": "positive"}.get(limit, limit) in [clause.get("is") for clause in results]
    if comparator == "drop>=":
        fell = [threshold_of(clause["fell"]) for clause in results if clause.get("since") == leaf["relative_to"]]
        return ("at least", Decimal(limit), unit.split("{")[0]) in fell
    if leaf.get("relative_to") == "baseline" and unit != "1":
        rose = [threshold_of(clause["rose"]) for clause in results if clause.get("since") == "baseline"]
        return (COMPARATORS[comparator], Decimal(limit), unit) in rose
    if leaf.get("relative_to", "").startswith("lowest"):
        return lowest_in_rule(leaf, results)
    if "relative_to" in leaf:
        unit = {"ULN": "x upper limit", "baseline": "x baseline"}[leaf["relative_to"]]
    wanted = (COMPARATORS[comparator], Decimal(limit), unit)
    return wanted in [threshold_of(clause["is"]) for clause in results if "is" in clause]


@needs_records
@each_rule
def test_a_rule_has_the_thresholds_of_its_record(rule):
    record = RECORD_OF[rule["id"]]
    for leaf in lab_leaves(record.get("lab", {})):
        if leaf["analyte"] in FROM_CONDITIONS:
            wanted = FROM_CONDITIONS[leaf["analyte"]]
            assert wanted <= {clause.get("condition") for clause in clauses(rule["when"])
                              if isinstance(clause.get("condition"), str)}
            continue
        assert leaf["analyte"] in ANALYTES, "add the analyte to ANALYTES of this test"
        analyte = ANALYTES[leaf["analyte"]]
        if leaf["comparator"] in ("no-result-within", "no-result"):
            assert analyte in {clause.get("noResult") for clause in unfolded(rule["when"])}
        elif leaf["comparator"] == "absent":
            found = {"result": analyte, "is": leaf["threshold"], "within": rule["window"].split(":")[0]}
            other = {**found, "is": "positive"}          # is another rule's matter
            assert {"not": {"any": [found, other]}} in list(clauses(rule["when"]))
            assert analyte in {clause.get("noResult") for clause in clauses(rule["when"])}
        elif leaf["comparator"] == "not-computable":
            assert analyte in {clause.get("notComputable") for clause in unfolded(rule["when"])}
        elif "dose" not in record or "relative_to" in leaf:
            results = [clause for clause in unfolded(rule["when"]) if clause.get("result") == analyte]
            assert threshold_in_rule(leaf, results), leaf


# rules with numbers of other records, which their "choice" names
BORROWED = {"ac-plt-50": ["ac-enox-renal"], "car-vte-proph-gap": ["imid-vte-proph-gap"], "mm-triple-cns": ["gaba-renal"],
            "bsa-step-active-infection": ["bsa-cyp-nti"], "bma-vitd-gap": ["crit-calcium-thiazide"],
            "crit-repeat-count-gap": ["len-combo-plt-hold", "ixa-plt-hold", "pom-plt-hold", "bor-mono-plt-hold",
                                      "tec-plt-hold", "elr-plt-hold", "tal-plt-hold", "car-plt-hold"]}


# what a rule takes from the grades of the notes (section 5, CTCAE v5.0), as it stands there
FROM_GRADES = {"car-plt-hold": ("| platelets 10^9/L | LLN-75 | <75-50 |", "75")}
NOTES = RECORDS.with_name("clinical-notes.md")


def numbers_of(rule):
    """The numbers of the rule's record, of those that it borrows from, and of the grades."""
    ids = [rule["id"], *BORROWED.get(rule["id"], [])]
    found = set().union(*(numbers(json.dumps(RECORD_OF[id], default=str)) for id in ids))
    if rule["id"] in FROM_GRADES:
        row, number = FROM_GRADES[rule["id"]]
        assert row in NOTES.read_text(encoding="utf-8")
        found.add(Decimal(number))
    return found


def said_otherwise(clause, number, record):
    """A record says percent for a share of the baseline, weeks or cycles of 28 days for a course; one that
    has lasted for more than a day is no new start."""
    words = json.dumps(record, default=str)
    share = f"within {abs(number - 1) * 100:.0f}% of baseline"
    if str(clause.get("is", "")).endswith("x baseline") and share in words:
        return True
    if "course" in clause and number == 1 and record["context"] == "new start":
        return True
    if "course" in clause and number % 7 == 0 and re.search(rf"\b{number // 7} weeks?\b", words):
        return True
    return "course" in clause and number % 28 == 0 and f"{number // 28} cycles" in words


def shares(record):
    """The doses that a table of percents gives, where the record says of what."""
    dose = record.get("dose", {})
    whole = re.search(rf"(?:vs|percent of) ({NUMBER})", dose.get("check", ""))
    if not whole or dose["unit"] != "%":
        return set()
    return {Decimal(whole[1]) * row["max"] / 100 for row in dose["table"]}


@needs_records
@each_rule
def test_every_limit_and_maximum_of_a_rule_stands_in_its_record(rule):
    record = RECORD_OF[rule["id"]]
    words = numbers_of(rule) | shares(record)
    for clause in clauses_of(rule):
        texts = [clause[key] for key in ("is", "rose", "fell", "single", "daily", "age", "max")
                 if isinstance(clause.get(key), str)]
        if isinstance(clause.get("when"), str):
            texts.append(clause["when"])
        for text in texts:
            for match in re.finditer(rf"(?:^|below |most |above |least |to |every )({NUMBER})", text):
                if said_otherwise(clause, Decimal(match[1]), record):
                    continue
                if match[0].startswith("every") and "every other day" in json.dumps(record, default=str):
                    assert match[1] == "48"
                    continue
                assert Decimal(match[1]) in words, f"{text}: {match[1]} is not in the record"


# ---- dose tables

ROW_BOUNDS = {"crcl_min_exclusive": ">", "crcl_gt": ">", "crcl_min": ">=", "crcl_gte": ">=",
              "crcl_max": "<=", "crcl_max_exclusive": "<", "crcl_lt": "<"}
HOLDS = {">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<": lambda a, b: a < b,
         "<=": lambda a, b: a <= b}


def record_hours(row, daily):
    if "interval_h" in row:
        return row["interval_h"]
    if daily:
        return 24
    frequency = row.get("frequency")
    if frequency is None:
        return None
    return 48 if frequency.startswith("every other day") else {"daily": 24}[re.split(r"[ ,]", frequency)[0]]


def record_limit(table, crcl, dialysis, daily):
    """(maximum, hours between doses) of the first row that fits; None where the table has a gap."""
    for row in table:
        assert set(row) <= set(ROW_BOUNDS) | {"max_dose", "frequency", "interval_h", "dialysis", "note"}
        fits = all(HOLDS[ROW_BOUNDS[key]](crcl, row[key]) for key in ROW_BOUNDS if key in row)
        if fits and row.get("dialysis", dialysis) == dialysis:
            return Decimal(row["max_dose"]), record_hours(row, daily)
    return None


def holds_for(text, value):
    """A limit of a table, "at least 30 mL/min", or none."""
    if text is None:
        return True
    low = re.match(rf"({NUMBER}) to ({NUMBER}) ", text)
    if low:
        return Decimal(low[1]) <= value <= Decimal(low[2])
    word, limit, _ = threshold_of(text)
    return HOLDS[{value: key for key, value in COMPARATORS.items()}[word]](value, limit)


def is_asked(rule, ceiling, value):
    """Does the rule ask the table at this value? By the table's own words, or by a result clause."""
    results = [clause["is"] for clause in clauses(rule["when"]) if clause.get("result") == ceiling["by"]]
    return holds_for(ceiling.get("is") or next(iter(results), None), value)


def rule_row_fits(row, crcl, dialysis):
    also = {"": True, "condition": dialysis, "noCondition": not dialysis}[next(iter(row.get("and", {})), "")]
    if "and" in row:
        assert list(row["and"].values()) == ["class:any-dialysis"]
    return holds_for(row.get("when"), crcl) and also


def rule_limit(table, crcl, dialysis):
    for row in table:
        if rule_row_fits(row, crcl, dialysis):
            amount, unit, *often = row["max"].split(" ")
            assert unit in ("mg", "mg/m2")
            hours = None if not often else 24 if often == ["daily"] else int(often[1])
            return Decimal(amount), hours
    return None


def probes(table):
    edges = {Decimal(str(row[key])) for row in table for key in ROW_BOUNDS if key in row}
    near = {edge + step for edge in edges for step in (Decimal("-0.001"), Decimal(0), Decimal("0.001"))}
    return sorted(near | {Decimal(1), Decimal(200)})


def check_single_maxima(rule, table):
    """A short table is said with order clauses: more than one of its maxima alerts."""
    maxima = {Decimal(row["max_dose"]) for row in table if "max_dose" in row}
    above = {threshold_of(clause[key])[1] for clause in clauses(rule["when"]) for key in ("single", "daily")
             if clause.get(key, "").startswith("above")}
    if maxima and "ceiling" not in json.dumps(rule["when"], default=str):
        assert above and above <= maxima


def check_percents(rule, table):
    """A table of percents is no ceiling unless the record says of what: the rule says so."""
    if table and not any("max_dose" in row for row in table) and not shares(RECORD_OF[rule["id"]]):
        assert "not compared" in rule["choice"]


# An EMA variant is a sentence: the sentence, and the table that it says.
EMA_VARIANTS = {"len-renal-combo": (
    "30-<50: 10 mg; <30: 7.5 mg daily or 15 mg q48h; dialysis 5 mg",
    [{"crcl_gte": 50, "max_dose": 25, "frequency": "daily"},
     {"crcl_min": 30, "crcl_max_exclusive": 50, "max_dose": 10, "frequency": "daily"},
     {"crcl_max_exclusive": 30, "dialysis": False, "max_dose": 15, "frequency": "every other day"},
     {"crcl_max_exclusive": 30, "dialysis": True, "max_dose": 5, "frequency": "daily"}])}


def tables_by_crcl(part, profile):
    """The ceilings by creatinine clearance in the clause, but for those of the other profile."""
    if isinstance(part, list):
        return [table for one in part for table in tables_by_crcl(one, profile)]
    if not isinstance(part, dict) or {"profile": {"us": "eu", "eu": "us"}[profile]} in part.get("all", []):
        return []
    if part.get("by") == "crcl":
        return [part]
    return [table for one in part.values() for table in tables_by_crcl(one, profile)]


def check_table(rule, ceiling, table, daily):
    """What the rule asks is as recorded; what it does not ask is the full dose, the first row."""
    for crcl in probes(table):
        for dialysis in (False, True):
            wanted = record_limit(table, crcl, dialysis, daily)
            said = rule_limit(ceiling["table"], crcl, dialysis)
            if not is_asked(rule, ceiling, crcl):
                said = record_limit(table[:1], crcl, dialysis, daily)
            assert wanted in (None, said), f"{crcl} mL/min"


@needs_records
@each_rule
def test_a_dose_table_of_the_ema_is_that_of_the_profile_eu(rule):
    said = RECORD_OF[rule["id"]].get("dose", {}).get("ema_variant")
    wanted, table = EMA_VARIANTS.get(rule["id"], (None, None))
    assert said == wanted
    if table:
        ceiling, = tables_by_crcl(rule["when"], "eu")
        check_table(rule, ceiling, table, daily=False)


@needs_records
@each_rule
def test_a_dose_table_gives_the_maxima_of_its_record(rule):
    dose = RECORD_OF[rule["id"]].get("dose", {})
    table, daily = dose.get("table", []), dose.get("check") in ("daily", "total daily dose")
    ceilings = tables_by_crcl(rule["when"], "us")
    if not ceilings:
        check_single_maxima(rule, table)
        check_percents(rule, table)
    elif not table:
        pytest.fail("the record has no table")
    for ceiling in ceilings:
        check_table(rule, ceiling, table, daily)


# analyte of a table -> the word that the keys of its record begin with
TABLE_WORDS = {"bun": "bun", "wbc": "wbc", "platelets": "plt", "bilirubin-total": "bilirubin"}


def row_holds(row, word, value):
    """A row of a record by another result than the clearance; its other results do not stand in the way."""
    if isinstance(row.get(word), str):
        low, _, high = row[word].partition("-")
        return Decimal(low) <= value <= Decimal(high) if high else value > Decimal(low.removeprefix(">"))
    signs = {"_lt": "<", "_gte": ">=", "_lte": "<=", "_gt": ">"}
    return all(HOLDS[sign](value, row[word + end]) for end, sign in signs.items() if word + end in row)


def record_maximum(dose, row):
    if "max_dose" in row:
        return Decimal(row["max_dose"])
    return Decimal(re.search(rf"(?:vs|percent of) ({NUMBER})", dose["check"])[1]) * row["max"] / 100


@needs_records
@each_rule
def test_a_dose_table_by_another_result_gives_the_maxima_of_its_record(rule):
    dose = RECORD_OF[rule["id"]].get("dose", {})
    for clause in clauses(rule["when"]):
        if clause.get("by") not in TABLE_WORDS:
            continue
        word = TABLE_WORDS[clause["by"]]
        texts = [text for row in dose["table"] for key, text in row.items() if key.startswith(word)]
        edges = set().union(*(numbers(str(text)) for text in texts))
        for value in sorted(edge + step for edge in edges for step in (Decimal("-0.001"), 0, Decimal("0.001"))):
            wanted = next(row for row in dose["table"] if row_holds(row, word, value))
            if is_asked(rule, clause, value):
                said = next(row for row in clause["table"] if holds_for(row.get("when"), value))
                assert said["max"] == f"{record_maximum(dose, wanted).normalize():f} mg/m2", value
            else:
                assert wanted == dose["table"][0], value  # the full dose


# ---- drugs

# a word of a record that is a class here, or no drug
CLASS_OF = {"calcium": "class:calcium", "condition:hypercalcaemia": "hypercalcaemia",
            "condition:multiple-myeloma": "class:any-multiple-myeloma", "iron": "class:iron",
            "magnesium-antacid": "magnesium-oxide", "tenofovir": "class:tenofovir",
            "vitamin-d": "class:vitamin-d"}
# a class of a record that its title and context narrow; the rule says so in "choice"
NARROWED = {("pom-smoking", "class:cyp1a2-inducer-smoking"): "tobacco-smoker"}
# partners that have no code: the rules that cannot see them say so in "choice"
NO_CODE = {"alcohol", "disulfiram", "succinylcholine", "zinc"}


@needs_records
@each_rule
def test_a_rule_is_about_the_drugs_of_its_record(rule):
    record = RECORD_OF[rule["id"]]
    drugs = set().union(*(members(CLASS_OF.get(name, name)) for name in record["drugs"]))
    assert drugs <= names_in(rule, ["order"])


@needs_records
@each_rule
def test_a_rule_names_the_partners_of_its_record(rule):
    for partner in RECORD_OF[rule["id"]].get("partners", []):
        if partner in NO_CODE and partner not in DRUGS:
            assert partner in rule["choice"].lower()
            continue
        named = NARROWED.get((rule["id"], partner)) or CLASS_OF.get(partner, partner)
        assert members(named) <= names_in(rule, ["order", "noOrder", "condition"])


@needs_records
@each_rule
def test_a_lingering_drug_lingers_as_long_as_its_record_says(rule):
    clears = RECORD_OF[rule["id"]]["clears_when"]
    for clause in clauses_of(rule):
        for length in clause.get("lingers", {}).values():
            assert length in clears


# an alert that lasts while a value is so ends when it is
ENDS = {"below": ">=", "at most": ">", "above": "<=", "at least": "<"}


@needs_records
@each_rule
def test_an_alert_that_persists_ends_at_the_value_of_its_record(rule):
    clears = RECORD_OF[rule["id"]]["clears_when"]
    triggers = [clause for clause in clauses(rule["when"]) if "result" in clause]
    for clause in clauses(rule.get("persists")):
        if "result" not in clause or clause in triggers:
            continue
        word, limit, unit = threshold_of(clause["is"])
        if unit.startswith("x "):
            assert "baseline" in clears
        else:
            ends = rf"{ENDS[word]} ?{limit}\b"
            assert re.search(ends, f"{clears} {RECORD_OF[rule['id']]['severity_basis']}")
