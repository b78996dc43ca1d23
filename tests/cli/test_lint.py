"""`myeloma-adapter lint`: what the rules themselves give away, and that ours give nothing away."""
import json
import time

import pytest

from charts import MAPPINGS, program
from test_rule_cases import rule

NEVER = {"all": [{"order": "lenalidomide"},
                 {"result": "platelets", "is": "below 25 10*9/L", "within": "14 d"},
                 {"result": "platelets", "is": "at least 50 10*9/L", "within": "14 d"}]}
CLEAN = {"all": [{"order": "lenalidomide"},
                 {"result": "sodium", "is": "below 120 mmol/L", "within": "14 d"}]}
OLD = {"all": [{"order": "lenalidomide"},
               {"result": "sodium", "is": "below 120 mmol/L", "within": "ever"}]}


@pytest.fixture
def site(tmp_path):
    """Writes a rule file of a site and gives its folder."""
    def write(*rules, **more):
        path = tmp_path / "site"
        path.mkdir()
        content = {"theme": "Site", "owner": "o", "reviewBy": "2030-01-01", "rules": list(rules), **more}
        (path / "house.json").write_text(json.dumps(content, indent=1))
        return path
    return write


def lint(*arguments, **more):
    return program("lint", "--mappings", MAPPINGS, *arguments, **more)


def findings(*arguments, code=1):
    """The findings about the rules of the site, as JSON."""
    said = lint("--format", "json", *arguments)
    assert said.code == code, said.err
    return [f for f in json.loads(said.out)["findings"] if f["file"].endswith("house.json")]


def checks(*arguments, code=1):
    return {f["check"] for f in findings(*arguments, code=code) if f["severity"] != "note"}


def test_our_rules_are_clean_and_it_takes_less_than_a_second():
    start = time.monotonic()
    said = lint()
    assert (said.code, said.err) == (0, "")
    assert time.monotonic() - start < 1
    assert said.out.splitlines()[-1].startswith("0 errors, 0 warnings, ")
    assert all(" note: " in line for line in said.out.splitlines()[:-1])


def test_names_that_no_code_becomes_are_listed_with_the_rules_they_blind():
    notes = [line for line in lint().out.splitlines() if line.endswith("[unmapped]")]
    assert any("Eye examination; it blinds bel-eye-gap" in line for line in notes)


def test_a_code_of_the_site_takes_a_name_off_the_list(tmp_path):
    codes = tmp_path / "codes.csv"
    codes.write_text("system,code,concept,comment\nurn:oid:1.2.3.4,EYE,eye-exam,Eye examination\n")
    assert "bel-eye-gap; a local" not in lint("--codes", codes).out


def test_a_finding_is_told_with_place_severity_and_way_out(site):
    folder = site(rule(when=NEVER))
    said = lint(folder)
    lines = (folder / "house.json").read_text().splitlines()
    line = 1 + max(i for i, text in enumerate(lines) if '"result"' in text) - 1
    told = [text for text in said.out.splitlines() if text.endswith("[contradiction]")]
    assert said.code == 1
    assert len(told) == 1
    assert told[0].startswith(f"{folder}/house.json:{line}:")
    assert ": error: this is never true together with line" in told[0]
    assert "; correct one of them [" in told[0]


@pytest.mark.parametrize("option", [[], ["--rules"]])
def test_rules_of_a_site_are_found_by_folder_or_option(site, option):
    assert "contradiction" in checks(*option, site(rule(when=NEVER)))


def test_a_number_of_any_age_is_told(site):
    assert checks(site(rule(when=OLD))) == {"missing-recency"}


def test_a_finding_that_is_accepted_with_a_reason_is_counted_and_not_told(site):
    folder = site(rule(when=OLD, accepted={"missing-recency": "a house rule"}))
    before = json.loads(lint("--format", "json").out)["accepted"]
    assert checks(folder, code=0) == set()
    assert json.loads(lint("--format", "json", folder).out)["accepted"] == before + 1


def test_what_is_accepted_and_not_found_is_told(site):
    assert checks(site(rule(accepted={"overlap": "long ago"}))) >= {"accepted-unneeded"}


@pytest.mark.parametrize("wrong", [{"severityBasis": " - "}, {"sources": [{"document": "?"}]}])
def test_a_severity_that_rests_on_nothing(site, wrong):
    assert "missing-source" in checks(site(rule(**wrong)))


def test_a_source_that_can_be_read(site):
    rules = rule(when=CLEAN, sources=[{"document": "House rules", "url": "https://intranet.example/rules"}])
    assert "missing-source" not in {f["check"] for f in findings(site(rules), code=0)}


def test_a_kind_of_case_that_is_missing(site):
    made = rule()
    made["cases"] = made["cases"][1:]
    assert "missing-case" in checks(site(made))


@pytest.mark.parametrize("day, overdue", [("2026-06-30", False), ("2026-07-01", True)])
def test_reviews_are_asked_for_on_a_day(site, day, overdue):
    folder = site(rule(when=CLEAN, reviewBy="2026-06-30"))
    assert checks("--as-of", day, folder, code=int(overdue)) == ({"review-overdue"} if overdue else set())


def test_two_rules_of_which_neither_yields(site):
    assert "overlap" in checks(site(rule(id="site-one"), rule(id="site-two")))


@pytest.mark.parametrize("wrong", [["--format", "xml"], ["--as-of", "tomorrow"], ["--nonsense"],
                                   ["one", "two"]])
def test_wrong_usage(wrong):
    said = lint(*wrong)
    assert said.code == 2
    assert "--help" in said.err


def test_what_does_not_load_is_told_as_check_does(site):
    said = lint(site(rule(when={"order": "lenalidomid"})))
    assert said.code == 1
    assert 'did you mean "lenalidomide"?' in said.err
    assert said.out == ""


def test_the_help_lists_every_check():
    said = program("lint", "--help")
    schema = json.loads((MAPPINGS / "schema" / "rules.schema.json").read_text())
    for name in schema["$defs"]["rule"]["properties"]["accepted"]["propertyNames"]["enum"]:
        assert f"\n  {name} " in said.out
    assert said.code == 0


def test_what_a_rule_accepts_stands_where_people_read_it():
    words = "missing-recency: The count is to be repeated because it is old"
    shown = program("rules", "show", "crit-repeat-count-gap", "--mappings", MAPPINGS)
    assert words in " ".join(shown.out.split())
    assert words in " ".join(program("rules", "--booklet", "--mappings", MAPPINGS).out.split())
