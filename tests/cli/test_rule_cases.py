"""`myeloma-adapter test`: the cases beside the rules are played, and a failure says where and why."""
import json
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as xml

import pytest

from charts import MAPPINGS, program

RULE = "len-combo-anc-hold"


def rule(id="site-rule", **more):
    """A rule of a site: lenalidomide with platelets below 40."""
    made = {
        "id": id, "kind": "dose-hold", "title": "Lenalidomide: platelets below 40",
        "severity": "high", "severityBasis": "house rule", "display": "passive", "code": "LAB",
        "when": {"all": [{"order": "lenalidomide"},
                         {"result": "platelets", "is": "below 40 10*9/L", "within": "14 d"}]},
        "mechanism": "Marrow.", "recommendation": "Ask.",
        "sources": [{"document": "House rules"}], "verification": {"grade": "verified"},
        "given": {"orders": ["lenalidomide 25 mg daily"]},
        "cases": [
            {"name": "39 fires", "results": ["platelets 39 10*9/L, 1 d ago"], "then": "fires"},
            {"name": "40 does not", "results": ["platelets 40 10*9/L, 1 d ago"], "then": "silent"},
            {"name": "no count", "then": "cannot tell"}]}
    return {**made, **more}


@pytest.fixture
def site(tmp_path):
    """Writes a rule file of a site and gives its folder."""
    def write(*rules, folder="site"):
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        content = {"theme": "Site", "owner": "o", "reviewBy": "2030-01-01", "rules": list(rules)}
        (path / "house.json").write_text(json.dumps(content, indent=1))
        return path
    return write


def play(*arguments, **more):
    return program("test", "--mappings", MAPPINGS, *arguments, **more)


def wrong(**more):
    """The site's rule with a case that expects what the rule does not say."""
    made = rule(**more)
    made["cases"][1]["then"] = "fires"
    return made


def line_of(folder, word):
    text = (folder / "house.json").read_text()
    return text.count("\n", 0, text.index(word)) + 1


# ---- all hold

def test_all_cases_of_our_rules_hold():
    run = play()
    assert (run.code, run.err) == (0, "")
    assert re.fullmatch(r"\d+ cases of \d+ rules hold\n", run.out)


def test_one_rule_can_be_named():
    run = play("--rule", RULE, "--rule", "len-combo-plt-hold")
    assert run.code == 0
    assert re.fullmatch(r"\d+ cases of 2 rules hold\n", run.out)


def test_rules_of_a_site_are_played_with_ours(site):
    ours = int(play().out.split()[0])
    run = play(site(rule()))
    assert run.code == 0
    assert int(run.out.split()[0]) == ours + 3


def test_a_site_may_have_its_rules_in_a_folder_of_that_name(site):
    run = play("--rule", "site-rule", site(rule(), folder="site/rules").parent)
    assert (run.code, run.out) == (0, "3 cases of 1 rules hold\n")


def test_a_rule_that_is_off_is_played_too(site):
    run = play("--rule", "site-rule", site(rule(mode="off")))
    assert (run.code, run.out) == (0, "3 cases of 1 rules hold\n")


def test_thousands_of_cases_take_less_than_two_seconds(site):
    many = [rule(id=f"site-{n}", cases=rule()["cases"] * 10) for n in range(270)]
    folder = site(*many)
    began = time.monotonic()
    run = play(folder)
    assert run.code == 0
    assert time.monotonic() - began < 2


# ---- failures

def test_a_failure_names_its_place_what_was_expected_and_why(site):
    folder = site(wrong())
    run = play("--rule", "site-rule", folder)
    assert run.code == 1
    line = line_of(folder, '"40 does not"') - 1
    assert (f'{folder}/house.json:{line}:5: site-rule: 40 does not: '
            'expected "fires", the rule says "silent"\n') in run.out
    assert "Platelets 40 10*9/L on 2026-06-14" in run.out
    assert run.out.endswith("1 of 3 cases fail (1 rules)\n")


def test_a_wrong_display_fails(site):
    made = rule()
    made["cases"][0]["display"] = "interruptive"
    run = play("--rule", "site-rule", site(made))
    assert run.code == 1
    assert 'expected the display "interruptive", the rule says "passive"' in run.out


def test_words_that_nobody_understands_fail(site):
    made = rule()
    made["cases"][0]["results"] = ["platelets low"]
    run = play("--rule", "site-rule", site(made))
    assert run.code == 1
    assert '"platelets low" is not understood' in run.out


# ---- TAP and JUnit

def test_tap_has_a_plan_and_a_yaml_block_for_a_failure(site):
    run = play("--format", "tap", "--rule", "site-rule", site(wrong()))
    lines = run.out.splitlines()
    assert run.code == 1
    assert lines[:3] == ["TAP version 13", "1..3", "ok 1 - site-rule: 39 fires"]
    assert lines[3] == "not ok 2 - site-rule: 40 does not"
    assert lines[4] == "  ---" and "  ..." in lines
    assert '  expected: "fires"' in lines and '  got: "silent"' in lines
    assert lines[-1] == "ok 3 - site-rule: no count"
    assert any(line.startswith("    ") and "Platelets 40 10*9/L" in line for line in lines)


def test_a_name_cannot_make_a_directive_of_tap(site):
    made = wrong()
    made["cases"][1]["name"] = "40 # SKIP not today\nok 9"
    run = play("--format", "tap", "--rule", "site-rule", site(made))
    assert "not ok 2 - site-rule: 40 \\# SKIP not today ok 9" in run.out.splitlines()


@pytest.mark.skipif(not shutil.which("prove"), reason="prove is not installed")
@pytest.mark.parametrize("made, code", [(rule, 0), (wrong, 1)])
def test_prove_reads_our_tap(site, tmp_path, made, code):
    run = play("--format", "tap", "--rule", "site-rule", site(made()))
    (tmp_path / "rules.tap").write_text(run.out)
    done = subprocess.run(["prove", "--exec", "cat", str(tmp_path / "rules.tap")],
                          capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Parse errors" not in done.stdout
    assert "Tests=3" in done.stdout


def test_junit_is_xml_with_a_suite_for_each_rule(site):
    made = wrong()
    made["cases"][1]["name"] = "40 < 41 & \"quoted\" \u0001 é"
    run = play("--format", "junit", "--rule", "site-rule", "--rule", RULE, site(made))
    root = xml.fromstring(run.raw)
    assert run.code == 1
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"site-rule", RULE}
    assert root.get("failures") == "1"
    assert int(root.get("tests")) == sum(int(suite.get("tests")) for suite in root)
    assert suites["site-rule"].get("failures") == "1"
    case = suites["site-rule"][1]
    assert case.get("name") == "40 < 41 & \"quoted\" ? é"
    assert case.find("failure").get("message") == 'expected "fires", the rule says "silent"'
    assert "house.json:" in case.find("failure").text
    assert suites["site-rule"][0].find("failure") is None


# ---- what is missing, and what is wrong

@pytest.mark.parametrize("kind", ["fires", "silent", "cannot tell"])
def test_a_rule_without_a_kind_of_case_gets_a_warning(site, kind):
    made = rule()
    made["cases"] = [case for case in made["cases"] if case["then"] != kind]
    folder = site(made)
    run = play("--rule", "site-rule", folder)
    assert run.code == 0
    line = line_of(folder, '"id"')
    assert run.err == (f'{folder}/house.json:{line}:4: warning: site-rule has no case that says '
                       f'"{kind}"\n')


def test_a_rule_that_lasts_needs_a_case_that_stays(site):
    made = rule(persists={"all": [{"order": "lenalidomide"}, {
        "result": "platelets", "is": "below 50 10*9/L", "within": "14 d"}]})
    made["cases"][1]["results"] = ["platelets 50 10*9/L, 1 d ago"]
    run = play("--rule", "site-rule", site(made))
    assert (run.code, run.err.count("warning")) == (0, 1)
    assert 'no case that says "stays"' in run.err


def test_a_rule_that_nobody_knows_gets_a_guess():
    run = play("--rule", "len-combo-anc-hodl")
    assert (run.code, run.out) == (1, "")
    assert f'there is no rule "len-combo-anc-hodl"; did you mean "{RULE}"?' in run.err


def test_a_mistake_in_a_rule_file_of_the_site_is_named(site):
    folder = site(rule(severity="hihg"))
    run = play(folder)
    assert run.code == 1
    assert re.match(rf'{folder}/house.json:\d+:\d+: "hihg" is not', run.err)


def test_a_folder_without_rules_is_a_mistake(tmp_path):
    run = play(tmp_path)
    assert run.code == 1
    assert f"{tmp_path}: holds no rule files" in run.err


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--nonsense"], ["a", "b"], ["--rule"]])
def test_wrong_usage_is_told(arguments):
    run = play(*arguments)
    assert (run.code, run.out) == (2, "")
    assert "myeloma-adapter test --help" in run.err


def test_help_fits_a_screen():
    run = program("test", "--help")
    assert (run.code, run.err) == (0, "")
    assert len(run.out.splitlines()) <= 24
    assert max(map(len, run.out.splitlines())) <= 84
