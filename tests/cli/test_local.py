"""Codes and rules that a site lays over ours: --codes, --rules, and the configuration."""
import json
import re

import pytest

from charts import MAPPINGS, program, replay

HEAD = "system,code,concept,comment\n"


@pytest.fixture
def site(tmp_path):
    """Writes a file of the site and gives its path."""
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path
    return write


def generation(*options):
    run = program("check", "--mappings", MAPPINGS, *options)
    assert (run.code, run.err) == (0, "")
    return re.search(r"generation ([a-z2-7]+)", run.out)[1]


def rule_of_ours():
    return json.loads((MAPPINGS / "rules/lenalidomide.json").read_text())["rules"][0]


def test_local_codes_and_rules_count_in_the_generation(site):
    codes = site("codes/a.csv", HEAD + "urn:site,LEN10,lenalidomide,\n")
    plain, local = generation(), generation("--codes", codes.parent)
    assert plain != local
    assert local == generation("--codes", codes)


def test_an_order_with_a_local_code_is_known(site):
    order = {"resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order",
             "subject": {"reference": "Patient/1"}, "authoredOn": "2026-05-01",
             "medicationCodeableConcept": {"coding": [{"system": "urn:site", "code": "LEN10"}]}}
    recorded = site("order.json", order)
    codes = site("codes.csv", HEAD + "urn:site,LEN10,lenalidomide,\n")
    assert "unmapped: 1 orders" in replay(recorded).err
    run = replay("--codes", codes, recorded)
    assert "unmapped: 0 orders" in run.err and "1 in the cohort" in run.err


def map_of(target, code, source="urn:site", equivalence="equivalent", **more):
    return {"resourceType": "ConceptMap", "status": "active", "group": [{
        "source": source, "target": target, "element": [{"code": "LEN10", "target": [
            {"code": code, "equivalence": equivalence, **more}]}]}]}


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CONCEPTS = "urn:x-myeloma-adapter:concepts"


@pytest.mark.parametrize("target, code, said", (
    (RXNORM, "602910", "Active order: lenalidomide, 10 mg once daily"),
    (CONCEPTS, "lenalidomide", "Active order: lenalidomide"),
))
def test_an_order_with_a_code_of_a_concept_map_is_known(site, target, code, said):
    recorded = site("order.json", {
        "resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/1"}, "authoredOn": "2026-05-01",
        "medicationCodeableConcept": {"coding": [{"system": "urn:site", "code": "LEN10"}]},
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "capsule"}}]}]})
    codes = site("maps/site.json", map_of(target, code))
    assert "unmapped: 1 orders" in replay(recorded).err
    run = program("replay", "--mappings", MAPPINGS, "--codes", codes.parent, "--explain",
                  "--as-of", "2026-05-04T10:00:00Z", recorded)
    assert run.code == 0 and "unmapped: 0 orders" in run.err and "1 in the cohort" in run.err
    assert said in run.out


def test_a_concept_map_that_differs_from_us_stops_check_unless_it_overrides(site):
    codes = site("map.json", map_of(CONCEPTS, "pomalidomide", RXNORM))
    codes.write_text(codes.read_text().replace("LEN10", "602910"))
    run = program("check", "--mappings", MAPPINGS, "--codes", codes)
    assert run.code == 1
    assert re.search(rf'{codes}:1:\d+: rxnorm 602910 is "pomalidomide" here and "lenalidomide" in '
                     r"codes/rxnorm\.csv:\d+:1; ", run.err)
    codes = site("map.json", map_of(CONCEPTS, "pomalidomide", RXNORM, extension=[
        {"url": "urn:x-myeloma-adapter:overrides", "valueBoolean": True}]))
    codes.write_text(codes.read_text().replace("LEN10", "602910"))
    generation("--codes", codes)


def test_a_concept_map_with_a_slip_is_told_with_its_place(site):
    codes = site("map.json", map_of(CONCEPTS, "lenalidomid"))
    run = program("check", "--mappings", MAPPINGS, "--codes", codes)
    assert run.code == 1
    assert re.search(rf'{codes}:1:\d+: "lenalidomid" is no drug.*did you mean "lenalidomide"', run.err)


def test_a_conflict_names_both_places_and_stops_check(site):
    codes = site("codes.csv", HEAD + "rxnorm,342369,pomalidomide,\n")
    run = program("check", "--mappings", MAPPINGS, "--codes", codes)
    line = (MAPPINGS / "codes/rxnorm.csv").read_text().split("\n342369,")[0].count("\n") + 2
    assert run.code == 1
    assert (f'{codes}:2:8: rxnorm 342369 is "pomalidomide" here and "lenalidomide" in '
            f'codes/rxnorm.csv:{line}:1; keep one of the two, or say yes under "overrides"') in run.err


def test_a_row_that_overrides_is_no_conflict(site):
    generation("--codes", site("codes.csv", "system,code,concept,comment,overrides\n"
                               "rxnorm,342369,pomalidomide,for a test,yes\n"))


@pytest.mark.parametrize("option, what", (("--codes", "codes"), ("--rules", "rule files")))
def test_a_path_that_is_not_there_or_holds_nothing_is_told(tmp_path, option, what):
    run = program("check", "--mappings", MAPPINGS, option, tmp_path / "none")
    assert run.code == 1 and f"{tmp_path}/none: No such file or directory" in run.err
    run = program("check", "--mappings", MAPPINGS, option, tmp_path)
    assert run.code == 1 and f"{tmp_path}: holds no {what}; name a folder with " in run.err


def test_replay_does_not_start_with_codes_that_are_wrong(site):
    codes = site("codes.csv", HEAD + "urn:site,1,lenalidomid,\n")
    run = program("replay", "--codes", codes, "-", input=b"{}")
    assert run.code == 1 and f'{codes}:2:12: "lenalidomid" is no drug' in run.err


def test_a_site_rule_with_our_id_must_say_that_it_overrides(site):
    rule = rule_of_ours()
    rules = {"owner": "site", "reviewBy": "2030-01-01", "rules": [rule]}
    path = site("rules/own.json", rules)
    run = program("check", "--mappings", MAPPINGS, "--rules", path)
    assert run.code == 1
    assert re.search(rf'{path}:1:\d+: there is a rule "{rule["id"]}" already in '
                     r'rules/lenalidomide\.json:\d+:\d+; .*"overrides": true', run.err)
    before = generation()
    site("rules/own.json", rules | {"rules": [rule | {"overrides": True}]})
    assert generation("--rules", path) != before
    count = re.compile(r"(\d+) rules")
    assert (count.search(program("check", "--mappings", MAPPINGS).out)[1]
            == count.search(program("check", "--mappings", MAPPINGS, "--rules", path).out)[1])


def test_the_configuration_names_codes_and_rules(site):
    codes = site("codes/a.csv", HEAD + "urn:site,1,lenalidomid,\n")
    rules = site("rules/own.json", '{"owner": "site", "reviewBy": "2030-01-01", "rules": [{"id": "X"}]}')
    config = site("adapter.json", {"mappings": str(MAPPINGS), "localCodes": [str(codes.parent)],
                                   "localRules": [str(rules)],
                                   "server": {"base": "https://ehr.example/fhir"}})
    run = program("check", "--config", config)
    assert run.code == 1
    assert f"{codes}:2:12: " in run.err and f'{rules}:1:' in run.err


@pytest.mark.parametrize("value, place", (('"codes"', "must be a list"), ("[1]", "list of texts"),
                                          ('[""]', "list of texts")))
def test_a_list_of_paths_that_is_none(site, value, place):
    config = site("adapter.json", '{"server": {"base": "https://ehr.example/fhir"}, '
                                  f'"localCodes": {value}}}')
    run = program("check", "--config", config, "--mappings", MAPPINGS)
    assert run.code == 1 and place in run.err


# ---- drugs without a code

def order(**concept):
    return {"resourceType": "MedicationRequest", "id": "1", "status": "active", "intent": "order",
            "subject": {"reference": "Patient/1"}, "authoredOn": "2026-05-01",
            "medicationCodeableConcept": concept}


def explained(site, name, *options, **concept):
    path = site(name, order(**concept))
    return program("replay", "--as-of", "2026-05-04T10:00:00Z", "--explain", *options, path)


def test_an_order_with_a_text_alone_is_matched_by_name_and_says_so(site):
    run = explained(site, "order.json", text="Revlimid 10 mg cap")
    assert run.code == 0 and "unmapped: 0 orders" in run.err and "1 in the cohort" in run.err
    assert "Active order: lenalidomide (matched by name, no code)" in run.out
    alerts = replay("--all", "--as-of", "2026-05-04T10:00:00Z", site("order.json",
                    order(text="Revlimid 10 mg cap"))).out
    assert "(matched by name, no code)" in alerts


def test_a_code_is_no_weaker_match(site):
    run = explained(site, "order.json", text="Revlimid 10 mg cap", coding=[
        {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "342369"}])
    assert "matched by name" not in run.out


def test_matching_by_name_can_be_switched_off(site):
    run = explained(site, "order.json", "--no-drug-names", text="Revlimid 10 mg cap")
    assert "unmapped: 1 orders" in run.err and "0 in the cohort" in run.err


@pytest.mark.parametrize("text", ("Revlimit 10 mg cap", "no Revlimid", "lenalidomide, dexamethasone"))
def test_a_text_that_is_no_name_stays_unmapped(site, text):
    assert "unmapped: 1 orders" in explained(site, "order.json", text=text).err


def test_a_condition_is_never_matched_by_name(site):
    path = site("condition.json", {"resourceType": "Condition", "id": "1",
                                   "subject": {"reference": "Patient/1"},
                                   "code": {"text": "Multiple myeloma"}})
    assert "0 in the cohort" in replay(path).err
