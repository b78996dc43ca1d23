"""`myeloma-adapter check`: every problem of every file, with its place and how to mend it."""
import json
import re
import shutil

import pytest

from charts import MAPPINGS, ROOT, program

# file:line:column: what; how to mend it
PROBLEM = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<what>[^;]+)(; (?P<fix>.+))?$")

CONFIG = """{
  // a hospital of ours
  "name": "ward",
  "mappings": "%s",
  "server": {
    "base": "https://ehr.example/fhir",
    "request": "20 s"
  },
  "poll": { "every": "60 s" }
}
"""


@pytest.fixture
def mappings(tmp_path):
    """A copy of the mappings to break."""
    return shutil.copytree(MAPPINGS, tmp_path / "mappings")


@pytest.fixture
def config(tmp_path):
    """Writes a configuration and gives its path."""
    def write(content=CONFIG % MAPPINGS, name="adapter.json"):
        path = tmp_path / name
        path.write_text(content)
        return path
    return write


def problems(run):
    """The problems told, without the line that counts them."""
    return [line for line in run.err.splitlines() if not re.fullmatch(r"\d+ problems?", line)]


def edit(path, old, new, count=1):
    before = path.read_text()
    assert old in before, f"{path} does not hold {old}"
    path.write_text(before.replace(old, new, count))


def place(path, word):
    """The line of the first occurrence of a word."""
    before = path.read_text()
    return before.count("\n", 0, before.index(word)) + 1


# ---- all is well

def test_good_mappings_have_no_problems():
    run = program("check", "--mappings", MAPPINGS)
    assert (run.code, run.err) == (0, "")
    assert "no problems" in run.out
    assert re.search(r"\d+ rules, profile us, generation [a-z2-7]+", run.out)


def test_the_profile_is_part_of_the_generation():
    said = {name: program("check", "--mappings", MAPPINGS, *option).out
            for name, option in {"": (), "us": ("--profile", "us"), "eu": ("--profile", "eu")}.items()}
    assert said[""] == said["us"]
    assert "profile eu" in said["eu"]
    assert said["eu"].replace("profile eu", "profile us") != said["us"]


def test_the_configuration_names_the_profile(config):
    file = config((CONFIG % MAPPINGS).replace('"name":', '"profile": "eu",\n  "name":'))
    run = program("check", "--config", file)
    assert (run.code, run.err) == (0, "")
    assert "profile eu" in run.out
    assert "profile us" in program("check", "--config", file, "--profile", "us").out


def test_a_profile_that_is_none():
    run = program("check", "--profile", "uk")
    assert (run.code, run.out) == (2, "")
    assert 'no profile "uk": us or eu' in run.err


def test_a_good_configuration_with_comments_has_no_problems(config):
    run = program("check", "--config", config())
    assert (run.code, run.err) == (0, "")
    assert "adapter.json: read" in run.out


def test_the_mappings_that_the_configuration_names_are_checked(config, mappings):
    edit(mappings / "rules/lenalidomide.json", '"severity": "high"', '"severity": "hihg"')
    run = program("check", "--config", config(CONFIG % mappings))
    assert run.code == 1
    assert f"{mappings}/rules/lenalidomide.json:" in run.err


def test_the_generation_is_the_same_wherever_the_same_mappings_lie(mappings):
    generation = re.compile(r"generation (\S+)")
    here, there = (generation.search(program("check", "--mappings", folder).out).group(1)
                   for folder in (MAPPINGS, mappings))
    assert here == there
    edit(mappings / "rules/lenalidomide.json", "below 1.0 10*9/L", "below 1.1 10*9/L")
    run = program("check", "--mappings", mappings)
    changed = generation.search(run.out)
    assert changed.group(1) != here


# ---- the mappings

RULES = "rules/lenalidomide.json"

# What is broken: the file, the old text and the new, a word on the line, words of the message,
# the suggestion.
BROKEN = {
    "a misspelt key of a rule": (
        RULES, '"recommendation":', '"recomendation":', "recomendation", "recomendation",
        'did you mean "recommendation"?'),
    "a misspelt drug": (
        RULES, '{ "order": "lenalidomide" }', '{ "order": "lenalidomid" }', '"lenalidomid"',
        "lenalidomid", 'did you mean "lenalidomide"?'),
    "a misspelt analyte": (
        RULES, '"result": "neutrophils"', '"result": "neutrophil"', '"neutrophil"', "neutrophil",
        'did you mean "neutrophils"?'),
    "a misspelt definition": (
        RULES, '"definition": "lenalidomide-combination"',
        '"definition": "lenalidomide-combinations"', "lenalidomide-combinations",
        "lenalidomide-combinations", "define it in definitions.json"),
    "a misspelt clause": (
        RULES, '"within": "14 d"', '"witin": "14 d"', "witin", "witin", 'did you mean "within"?'),
    "a severity that does not exist": (
        RULES, '"severity": "high"', '"severity": "hihg"', "hihg", "severity",
        'did you mean "high"?'),
    "a misspelt class member": (
        "classes.json", '"granisetron"', '"granisetrom"', "granisetrom", "granisetrom",
        'did you mean "granisetron"?'),
    "a unit that the analyte does not have": (
        RULES, '"below 1.0 10*9/L"', '"below 1.0 mmol/L"', "below 1.0 mmol/L", "mmol/L", None),
    "a threshold without a number": (
        RULES, '"below 1.0 10*9/L"', '"below normal"', "below normal", "", None),
    "a time without a unit": (
        RULES, '"within": "14 d"', '"within": "14"', '"within": "14"', "", None),
    "a comma too many": (
        RULES, '"theme": "Lenalidomide",', '"theme": "Lenalidomide",,', ",,", "", None),
    "the same key twice": (
        RULES, '"theme": "Lenalidomide",', '"theme": "Lenalidomide", "theme": "x",', '"x"', "", None),
    "a concept that no table has": (
        "codes/rxnorm.csv", "643720,SCD,lenalidomide,", "643720,SCD,lenalidomid,", "lenalidomid,25",
        "lenalidomid", 'did you mean "lenalidomide"?'),
    "a row that is too short": (
        "codes/atc.csv", "L04AX04,lenalidomide,systemic,", "L04AX04,lenalidomide", "L04AX04", "", None),
    "a use that does not exist": (
        "codes/atc.csv", "L04AX04,lenalidomide,systemic,", "L04AX04,lenalidomide,systemically,",
        "systemically", "systemically", None),
    "a header that is misspelt": (
        "labs/units.csv", "analyte,unit,add", "analyte,unti,add", "unti", "", None),
    "a factor that is no number": (
        "labs/units.csv", "creatinine,mg/L,,0.1,,", "creatinine,mg/L,,one tenth,,", "one tenth", "",
        None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_problem_is_reported_with_its_place_for(what, mappings):
    file, old, new, word, said, fix = BROKEN[what]
    path = mappings / file
    edit(path, old, new)
    run = program("check", "--mappings", mappings)
    assert run.code == 1
    found = [PROBLEM.match(line) for line in problems(run)]
    assert all(found), run.err
    here = [p for p in found if p["file"] == str(path) and int(p["line"]) == place(path, word)]
    assert here, f"line {place(path, word)} of {path} is not named:\n{run.err}"
    assert any(said in p["what"] for p in here), run.err
    if fix:
        assert any(p["fix"] and fix in p["fix"] for p in here), run.err


def test_a_misspelt_key_is_reported_at_its_column(mappings):
    path = mappings / RULES
    edit(path, '"recommendation":', '"recomendation":')
    line = path.read_text().splitlines()[place(path, "recomendation") - 1]
    found = [PROBLEM.match(p) for p in problems(program("check", "--mappings", mappings))]
    columns = {int(p["column"]) for p in found if "recomendation" in p["what"]}
    assert columns == {line.index('"recomendation"') + 1}


def test_every_problem_of_every_file_is_reported_in_one_run(mappings):
    edit(mappings / RULES, '"recommendation":', '"recomendation":')
    edit(mappings / RULES, '"severity": "high"', '"severity": "hihg"')
    edit(mappings / "rules/pomalidomide.json", '"order": "pomalidomide"', '"order": "pomalidomid"')
    edit(mappings / "codes/atc.csv", "L04AX04,lenalidomide,systemic,",
         "L04AX04,lenalidomide,systemically,")
    edit(mappings / "classes.json", '"granisetron"', '"granisetrom"')
    run = program("check", "--mappings", mappings)
    assert run.code == 1
    for word in ("recomendation", "hihg", "pomalidomid", "systemically", "granisetrom"):
        assert any(word in line or "severity" in line and word == "hihg"
                   for line in problems(run)), f"{word}:\n{run.err}"
    assert run.err.splitlines()[-1] == f"{len(problems(run))} problems"


def test_the_same_rule_twice_is_a_problem(mappings):
    shutil.copy(mappings / "rules/carfilzomib.json", mappings / "rules/copy.json")
    run = program("check", "--mappings", mappings)
    assert run.code == 1 and "car-plt-hold" in run.err


def test_a_folder_without_mappings_is_a_problem(tmp_path):
    run = program("check", "--mappings", tmp_path)
    assert run.code == 1 and "--mappings" in run.err


def test_a_broken_table_is_reported_once_and_not_for_every_rule_that_needs_it(mappings):
    edit(mappings / "labs/analytes.csv", "\nneutrophils,", "\nneutrofils,")
    run = program("check", "--mappings", mappings)
    assert run.code == 1
    assert "neutrophils" in run.err


# ---- the configuration

CONFIGS = {
    "a misspelt key": (
        '"request": "20 s"', '"requst": "20 s"', "requst", "requst", 'did you mean "request"?'),
    "a misspelt section": ('"poll":', '"pol":', '"pol"', "pol", 'did you mean "poll"?'),
    "a misspelt key at the top": ('"name":', '"nam":', '"nam"', "nam", 'did you mean "name"?'),
    "a duration without a unit": ('"20 s"', '"20"', '"20"', "request", "write a number and one of"),
    "a duration that is too long": ('"20 s"', '"20 d"', '"20 d"', "request", None),
    "a URL that is none": ('"https://ehr.example/fhir"', '"ehr.example"', "ehr.example", "base",
                           "https://"),
    "a URL of a WebSocket that is none": (
        '"poll":', '"subscribe": { "webSocket": "https://ehr.example/ws" }, "poll":', '"subscribe"',
        "https://ehr.example/ws", "wss://"),
    "a WebSocket without the TLS of the server": (
        '"poll":', '"subscribe": { "webSocket": "ws://ehr.example/ws" }, "poll":', '"subscribe"',
        "leaves the TLS", "wss://"),
    "a number where a text belongs": ('"ward"', "7", '"name": 7', "name", None),
    "a section that is a list": ('{ "every": "60 s" }', "[]", '"poll"', "poll", None),
    "a text that is not closed": ('"ward"', '"ward', '"ward', "", None),
    "a listener without a port": (
        '"poll":', '"hook": { "listen": "127.0.0.1" }, "poll":', '"hook"', "127.0.0.1", "[::]:8443"),
    "a setting that belongs to another one": (
        '"poll":', '"hook": { "certificateFile": "/x.pem" }, "poll":', '"hook"',
        "hook.certificateFile", "give both"),
}


@pytest.mark.parametrize("what", CONFIGS)
def test_a_problem_of_the_configuration_is_reported_with_its_place_for(what, config):
    old, new, word, said, fix = CONFIGS[what]
    content = CONFIG % MAPPINGS
    assert old in content
    path = config(content.replace(old, new, 1))
    run = program("check", "--config", path)
    assert run.code == 1
    found = [PROBLEM.match(line) for line in problems(run)]
    here = [p for p in found if p and p["file"] == str(path) and int(p["line"]) == place(path, word)]
    assert here, run.err
    assert any(said in p["what"] for p in here), run.err
    if fix:
        assert any(p["fix"] and fix in p["fix"] for p in here), run.err


EXAMPLES = sorted(p.name for p in (ROOT / "config").glob("*.json") if ".schema." not in p.name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_configuration_has_no_problem(name):
    run = program("check", "--config", ROOT / "config" / name, "--mappings", MAPPINGS)
    assert (run.code, run.err) == (0, "")


def test_several_problems_of_the_configuration_and_the_mappings_come_in_one_run(config, mappings):
    edit(mappings / RULES, '"severity": "high"', '"severity": "hihg"')
    content = (CONFIG % mappings).replace('"20 s"', '"20"').replace('"name":', '"nam":')
    run = program("check", "--config", config(content), "--mappings", mappings)
    assert run.code == 1
    assert "request" in run.err and '"nam"' in run.err and "lenalidomide.json" in run.err


def test_a_missing_server_is_a_problem(config):
    run = program("check", "--config", config('{ "mappings": "%s" }' % MAPPINGS))
    assert run.code == 1 and "server.base" in run.err


def test_a_secret_file_that_is_missing_is_a_problem_and_one_that_is_there_is_never_repeated(
        config, tmp_path):
    secret = tmp_path / "token"
    content = (CONFIG % MAPPINGS).replace('"request":', f'"tokenFile": "{secret}", "request":')
    run = program("check", "--config", config(content))
    assert run.code == 1 and str(secret) in run.err
    secret.write_text("hunter2-token\n")
    run = program("check", "--config", config(content))
    assert run.code == 0, run.err
    secret.write_text("hunter2-token\nsecond line\n")
    run = program("check", "--config", config(content))
    assert run.code == 1 and "hunter2" not in run.err + run.out


@pytest.mark.parametrize("section, key", [("hook", "secretFile"), ("subscribe", "signatureFile")])
@pytest.mark.parametrize("secret, good", [("x" * 31, False), ("x" * 32, True)])
def test_a_secret_that_run_would_refuse_is_a_problem(config, tmp_path, section, key, secret, good):
    place = tmp_path / "secret"
    place.write_text(secret + "\n")
    made = {"server": {"base": "https://fhir.example/r4"}, "mappings": str(MAPPINGS),
            section: {key: str(place)}}
    run = program("check", "--config", config(json.dumps(made)))
    assert run.code == (0 if good else 1), run.err
    assert ("secret.shape" in run.err or "too short" in run.err) != good
    assert secret not in run.err + run.out


def test_a_configuration_that_is_not_there_is_a_problem(tmp_path):
    run = program("check", "--config", tmp_path / "none.json", "--mappings", MAPPINGS)
    assert run.code == 1 and "none.json" in run.err


def test_the_settings_are_printed_with_their_defaults():
    run = program("check", "--settings")
    assert run.code == 0
    assert re.search(r"^ +request +30 s ", run.out, re.M)
    assert json.dumps("base")[1:-1] in run.out


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["--config"]])
def test_wrong_usage_ends_with_2(arguments):
    run = program("check", *arguments)
    assert run.code == 2 and "check --help" in run.err
