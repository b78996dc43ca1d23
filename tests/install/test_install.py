"""What make install puts into place: files, unit, manual pages, example configurations.

The program under test is MYELOMA_ADAPTER, else build/release/myeloma-adapter. Nothing is compiled here
and nothing is written outside a temporary folder.
"""
import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("MYELOMA_ADAPTER", ROOT / "build/release/myeloma-adapter")).resolve()
UNIT = ROOT / "systemd/myeloma-adapter.service"
DROP_IN = ROOT / "systemd/myeloma-adapter.service.d/site.conf"
MANUALS = [ROOT / "systemd/myeloma-adapter.1", ROOT / "systemd/myeloma-adapter.json.5"]
EXAMPLES = ["adapter.json", "epic.json", "full.json", "history.json", "medplum.json", "poll-only.json"]
SCHEMA = json.loads((ROOT / "config/adapter.schema.json").read_text())
EXPOSURE_MAX = 1.5

SHARE = "usr/share/myeloma-adapter"
CONFIGURATION = "etc/myeloma-adapter/adapter.json"


# ---- helpers

def tool(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command, **options):
    return subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          timeout=120, check=False, **options)


def program(*arguments):
    # No credentials: check then leaves them alone.
    env = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"}
    return run(PROGRAM, *arguments, env=env)


def check(config, mappings=ROOT / "mappings"):
    return program("check", "--config", config, "--mappings", mappings)


def check_text(tmp_path, value):
    """The problems that the program finds in a configuration."""
    path = tmp_path / "config.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    result = check(path)
    assert result.returncode in (0, 1), result.stderr
    return [line for line in result.stderr.splitlines() if line.startswith(f"{path}:")]


class Tree:
    """An installed tree below a temporary folder."""

    def __init__(self, where):
        self.root, self.build = where / "root", where / "build"
        self.build.mkdir()
        shutil.copy2(PROGRAM, self.build / "myeloma-adapter")

    def make(self, target, **places):
        places = {"PREFIX": "/usr", "SYSCONFDIR": "/etc/myeloma-adapter", **places}
        env = {k: v for k, v in os.environ.items()
               if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", *places)
               and not k.endswith("DIR")}
        # -o: the program is as new as it has to be.
        result = run(tool("make"), "-s", "-C", ROOT, "-o", f"{self.build}/myeloma-adapter", target,
                     f"DESTDIR={self.root}", f"BUILD={self.build}",
                     *(f"{k}={v}" for k, v in places.items()), env=env, umask=0o077)
        assert result.returncode == 0, result.stderr

    def files(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if not p.is_dir())

    def texts(self):
        return {name: (self.root / name).read_bytes() for name in self.files()}

    def __truediv__(self, name):
        return self.root / name


@pytest.fixture(name="tree")
def _tree(tmp_path):
    tree = Tree(tmp_path)
    tree.make("install")
    return tree


def live(text):
    """JSON with // comments on lines of their own, read."""
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def uncommented(text):
    """The text with every setting live that stands behind slashes."""
    return re.sub(r'^(\s*)// (?=")', r"\1", text, flags=re.M)


def table():
    """What check --settings prints: {"section.key": default, None or "required"}."""
    result = program("check", "--settings")
    assert result.returncode == 0
    rows, section = {}, ""
    for line in result.stdout.splitlines():
        if line.startswith("  "):
            key, rest = line[2:22].strip(), line[23:]
            default = rest[:13].strip() if rest[13:14] == " " else rest.split(" ")[0]
            rows[f"{section}.{key}".lstrip(".")] = None if default == "-" else default
        elif line:
            section = "" if line == "(top)" else line
    assert len(rows) > 20 and rows["server.base"] == "required"
    return rows


def word(value):
    return json.dumps(value) if isinstance(value, (bool, int)) else value


def flat(config):
    """{"section.key": value as text}."""
    return {f"{s}.{k}": word(v) for s, x in config.items() if isinstance(x, dict)
            for k, v in x.items()} | {s: word(v) for s, v in config.items()
                                      if not isinstance(v, dict)}


def schema_settings():
    """{"section.key": its schema}."""
    rows = {}
    for name, at in SCHEMA["properties"].items():
        if "properties" in at:
            rows.update({f"{name}.{key}": below for key, below in at["properties"].items()})
        else:
            rows[name] = at
    return rows


def span(at):
    """The smallest and largest value of a setting, as they are written; None without limits."""
    if "minimum" in at:
        return at["minimum"], at["maximum"]
    found = re.search(r"From (.+) to (.+)\.$", at.get("description", ""))
    return found.groups() if found and "$ref" in at else None


def nudged(value, by):
    """One more or less of a number or a time."""
    if isinstance(value, int):
        return value + by
    number, unit = value.split()
    return f"{int(number) + by} {unit}"


def config_of(values):
    """{"section.key": value} as a configuration."""
    config = {"server": {"base": "https://ehr.example/fhir"}}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        (config.setdefault(section, {}) if section else config)[key] = value
    return config


def valid(value, schema):
    """Does the value fit the schema? For the words that ours uses; any other is a KeyError."""
    rules = {
        "type": lambda x: isinstance(value, {"object": dict, "string": str, "boolean": bool,
                                             "integer": int, "array": list}[x])
        and not (x == "integer" and isinstance(value, bool)),
        "enum": lambda x: value in x,
        "items": lambda x: all(valid(item, x) for item in value),
        "pattern": lambda x: re.search(x, value),
        "minLength": lambda x: len(value) >= x,
        "maxLength": lambda x: len(value) <= x,
        "minimum": lambda x: value >= x,
        "maximum": lambda x: value <= x,
        "required": lambda x: all(key in value for key in x),
        "properties": lambda x: all(valid(value[k], s) for k, s in x.items() if k in value),
        "additionalProperties": lambda x: set(value) <= set(schema["properties"]),
        "dependentRequired": lambda x: all(set(need) <= set(value) for key, need in x.items()
                                           if key in value),
        "dependentSchemas": lambda x: all(valid(value, s) for key, s in x.items() if key in value),
        "allOf": lambda x: all(valid(value, s) for s in x),
        "anyOf": lambda x: any(valid(value, s) for s in x),
        "not": lambda x: not valid(value, x),
        "$ref": lambda x: valid(value, SCHEMA["$defs"][x.removeprefix("#/$defs/")]),
        **dict.fromkeys(["$schema", "$id", "$defs", "$comment", "title", "description", "default"],
                        lambda x: True),
    }
    return all(rules[name](x) for name, x in schema.items())


def manual(path):
    """The text of a manual page as it is read, on long lines."""
    result = run(tool("mandoc"), "-T", "ascii", "-O", "width=500", path)
    assert result.returncode == 0
    return re.sub(r".\x08", "", result.stdout)


# ---- files

def test_every_file_is_in_its_place_with_its_mode(tree):
    mappings = [f"{SHARE}/{p.relative_to(ROOT)}" for pattern in
                ("README.md", "*.json", "codes/*.csv", "labs/*.csv", "rules/*.json", "schema/*.json")
                for p in (ROOT / "mappings").glob(pattern)]
    assert len(mappings) > 10
    assert tree.files() == sorted([
        "usr/bin/myeloma-adapter",
        "lib/systemd/system/myeloma-adapter.service",
        "usr/share/man/man1/myeloma-adapter.1.gz",
        "usr/share/man/man5/myeloma-adapter.json.5.gz",
        CONFIGURATION,
        f"{SHARE}/NOTICE",
        f"{SHARE}/installed",
        f"{SHARE}/examples/adapter.schema.json",
        f"{SHARE}/examples/myeloma-adapter.service.d/site.conf",
        *(f"{SHARE}/examples/{name}" for name in EXAMPLES),
        *mappings])
    for name in tree.files():
        mode = 0o755 if name == "usr/bin/myeloma-adapter" else 0o644
        assert (tree / name).stat().st_mode & 0o7777 == mode, name


def test_folders_can_be_entered_by_everybody_whatever_the_umask(tree):
    for path in tree.root.rglob("*"):
        if path.is_dir():
            assert path.stat().st_mode & 0o7777 == 0o755, path


def test_files_that_are_installed_are_whole(tree):
    for name in EXAMPLES:
        assert (tree / f"{SHARE}/examples/{name}").read_bytes() == (ROOT / "config" / name).read_bytes()
    assert (tree / CONFIGURATION).read_bytes() == (ROOT / "config/adapter.json").read_bytes()
    assert (tree / "lib/systemd/system/myeloma-adapter.service").read_bytes() == UNIT.read_bytes()
    for path in MANUALS:
        packed = tree / f"usr/share/man/man{path.suffix[1:]}/{path.name}.gz"
        assert gzip.decompress(packed.read_bytes()) == path.read_bytes()


def test_a_second_install_keeps_an_edited_configuration_and_changes_nothing(tree):
    (tree / CONFIGURATION).write_text("edited")
    before = tree.texts()
    tree.make("install")
    assert tree.texts() == before


def test_a_rule_that_a_newer_version_does_not_have_is_taken_away_and_local_tables_stay(tree):
    old, local = tree / f"{SHARE}/mappings/rules/old.json", tree / f"{SHARE}/mappings/codes/local/x.csv"
    local.parent.mkdir()
    local.write_text("of the site")
    old.write_text("{}")
    with (tree / f"{SHARE}/installed").open("a", encoding="utf-8") as installed:
        installed.write("mappings/rules/old.json\n")
    tree.make("install")
    assert not old.exists()
    assert local.read_text() == "of the site"


def test_uninstall_leaves_the_configuration_and_local_tables_only(tree):
    local = tree / f"{SHARE}/mappings/codes/local/x.csv"
    local.parent.mkdir()
    local.write_text("of the site")
    tree.make("uninstall")
    assert tree.files() == sorted([CONFIGURATION, f"{SHARE}/mappings/codes/local/x.csv"])


def test_uninstall_leaves_no_folder_of_ours_behind(tree):
    tree.make("uninstall")
    tree.make("uninstall")
    assert tree.files() == [CONFIGURATION]
    assert not (tree / SHARE).exists()


def test_unit_and_manual_name_the_places_of_another_prefix(tmp_path):
    tree = Tree(tmp_path)
    tree.make("install", PREFIX="/opt/adapter", SYSCONFDIR="/opt/adapter/etc")
    unit = (tree / "lib/systemd/system/myeloma-adapter.service").read_text()
    assert ("ExecStart=/opt/adapter/bin/myeloma-adapter run --config /opt/adapter/etc/adapter.json\n"
            in unit)
    page = gzip.decompress((tree / "opt/adapter/share/man/man1/myeloma-adapter.1.gz").read_bytes())
    assert b"/opt/adapter/share/myeloma-adapter/mappings" in page
    assert b"/usr/share/myeloma-adapter" not in page
    assert (tree / "opt/adapter/etc/adapter.json").exists()


def test_the_installed_program_finds_no_problem_in_the_installed_files(tree):
    result = run(tree / "usr/bin/myeloma-adapter", "check", "--config", tree / CONFIGURATION,
                 "--mappings", tree / f"{SHARE}/mappings")
    assert (result.returncode, result.stderr) == (0, "")


# ---- configuration

@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_passes_check_and_fits_the_schema(name):
    result = check(ROOT / "config" / name)
    assert (result.returncode, result.stderr) == (0, "")
    assert valid(live((ROOT / "config" / name).read_text()), SCHEMA)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_line_behind_slashes_in_an_example_is_a_setting_that_exists(name):
    settings = table()
    for setting in flat(live(uncommented((ROOT / "config" / name).read_text()))):
        assert setting in settings


def test_the_full_example_names_every_setting_with_its_default():
    text = (ROOT / "config/full.json").read_text()
    settings, values = table(), flat(live(text))
    assert flat(live(uncommented(text))).keys() == settings.keys()
    assert {k for k, v in settings.items() if v is not None} == values.keys()
    for name, value in values.items():
        assert settings[name] in (value, "required"), name


def test_the_lines_behind_slashes_of_the_full_example_are_good_together(tmp_path):
    pem = tmp_path / "some.pem"
    pem.write_text("text\n")
    config = live(uncommented((ROOT / "config/full.json").read_text()))
    config["mappings"] = str(ROOT / "mappings")
    for name in ("localCodes", "localRules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ("site.csv" if name == "localCodes" else "definitions.json")).write_text(
            "system,code,concept,comment\n" if name == "localCodes" else '{"definitions": {}}')
        config[name] = [str(tmp_path / name)]
    config["server"]["caFile"] = config["hook"]["certificateFile"] = str(pem)
    for section, key in (("server", "tokenFile"), ("server", "basicFile"),
                         ("server", "basicCredential"), ("hook", "keyFile"), ("hook", "secretFile"),
                         ("subscribe", "signatureFile")):
        del config[section][key]
    assert check_text(tmp_path, config) == []
    assert valid(config, SCHEMA)


def test_the_schema_names_every_setting_with_its_default():
    settings = schema_settings()
    assert {name: word(at.get("default")) for name, at in settings.items()} == {
        name: None if default == "required" else default for name, default in table().items()}


def test_the_manual_names_every_setting_with_its_default_and_range():
    found, section, last = {}, "", None
    for line in MANUALS[1].read_text().splitlines():
        if line.startswith(".Ss "):
            section = "" if line == ".Ss Top level" else line[4:] + "."
        item = re.match(r"\.It Va (\w+)(?: Pq (?:default: Li (.+)|(required)))?$", line)
        if item:
            last = section + item[1]
            found[last] = (item[2] or item[3], [])
        elif last:
            found[last][1].append(line)
    assert {name: default for name, (default, _) in found.items()} == table()
    for name, at in schema_settings().items():
        if limits := span(at):
            low, high = limits
            text = " ".join(found[name][1])
            assert f"{low} to {high}" in text or low == 0 and f"up to {high}" in text, name


def test_the_program_keeps_to_the_ranges_of_the_schema(tmp_path):
    spans = {name: span(at) for name, at in schema_settings().items() if span(at)}
    assert len(spans) > 12
    for which, by in ((0, -1), (1, 1)):
        inside = {name: limits[which] for name, limits in spans.items()}
        assert check_text(tmp_path, config_of(inside)) == []
        outside = {name: nudged(value, by) for name, value in inside.items()
                   if not str(nudged(value, by)).startswith("-1 ")}
        assert len(check_text(tmp_path, config_of(outside))) == len(outside)
        assert not any(valid({"x": value}, {"properties": {"x": schema_settings()[name]}})
                       for name, value in outside.items() if isinstance(value, int))


@pytest.mark.parametrize("values", [
    {"server.base": "ehr.example/fhir"},
    {"server.base": "https://ehr.example/fhir?x=1"},
    {"name": ""},
    {"nam": "main"},
    {"logLevel": "loud"},
    {"server.connections": "8"},
    {"server.startActive": "yes"},
    {"server.tokenCredential": "token", "server.basicCredential": "basic"},
    {"hook.listen": "8090"},
    {"server.base": "http://"},
    {"hook.listen": "127.0.0.1:8090", "hook.secretFile": "/dev/null",
     "hook.secretCredential": "hook-secret"},
    {"subscribe.by": "topics"},
    {"subscribe.content": "full"},
    {"subscribe.orders": ""},
    {"subscribe.signatureFile": "/dev/null", "subscribe.signatureCredential": "hook-signature"},
    {"poll.first": "12 h"},
    {"hook.url": "http://127.0.0.1:8090/hook"},
    {"hook.keyCredential": "hook-key"},
    {"hook.certificateFile": "/dev/null"},
    {"hook.listen": "127.0.0.1:8443", "hook.url": "http://127.0.0.1:8443/hook",
     "hook.certificateFile": "/dev/null", "hook.keyCredential": "hook-key"},
    {"poll.every": "60s"},
    {"poll.every": "2 mo"},
    {"poll.every": 60},
    {"poll": 60},
])
def test_the_program_and_the_schema_refuse_the_same_mistake(tmp_path, values):
    assert check_text(tmp_path, config_of(values))
    assert not valid(config_of(values), SCHEMA)


@pytest.mark.parametrize("values", [
    {},
    {"poll.every": "1 d", "poll.overlap": "0 s"},
    {"poll.first": "4 wk"},
    {"hook.listen": "[::]:8443", "hook.url": "https://adapter.example/hook"},
    {"server.tokenCredential": "token"},
])
def test_the_program_and_the_schema_take_the_same_configuration(tmp_path, values):
    assert check_text(tmp_path, config_of(values)) == []
    assert valid(config_of(values), SCHEMA)


# ---- unit

@pytest.fixture(name="units")
def _units(tmp_path):
    """A folder with the unit, as it is but for a program that is there."""
    folder = tmp_path / "units"
    folder.mkdir()
    text = UNIT.read_text().replace("/usr/bin/myeloma-adapter ", "/bin/true ")
    (folder / UNIT.name).write_text(text)
    return folder


def verify(units):
    """What systemd has to say about the unit; the tool reads files only."""
    result = run(tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no",
                 units / UNIT.name)
    if "Failed to initialize manager" in result.stderr or "Failed to setup" in result.stderr:
        pytest.skip("systemd-analyze verify does not work here: " + result.stderr.strip())
    return [line for line in result.stderr.splitlines() if "myeloma-adapter" in line]


def test_systemd_finds_no_mistake_in_the_unit(units):
    assert verify(units) == []


def test_systemd_would_find_a_mistake_in_the_unit(units):
    with (units / UNIT.name).open("a", encoding="utf-8") as unit:
        unit.write("[Service]\nProtectSystm=strict\n")
    assert any("ProtectSystm" in line for line in verify(units))


def test_every_line_behind_a_hash_of_the_drop_in_is_one_that_systemd_knows(units):
    folder = units / f"{UNIT.name}.d"
    folder.mkdir()
    text, count = re.subn(r"^#(?=[A-Z]\w+=)", "", DROP_IN.read_text(), flags=re.M)
    assert count >= 8
    (folder / "site.conf").write_text(text)
    assert verify(units) == []


def test_the_exposure_of_the_unit_is_low(units):
    result = run(tool("systemd-analyze"), "security", "--offline=true",
                 f"--threshold={round(EXPOSURE_MAX * 10)}", "--no-pager", units / UNIT.name)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout)
    assert found, result.stdout + result.stderr
    assert float(found[1]) <= EXPOSURE_MAX
    assert result.returncode == 0


def test_the_unit_has_the_credentials_that_the_examples_name():
    loaded = set(re.findall(r"^LoadCredential=([^:\n]+)", UNIT.read_text(), flags=re.M))
    named = {value for example in EXAMPLES
             for key, value in flat(live(uncommented((ROOT / "config" / example).read_text()))).items()
             if key.endswith("Credential")}
    assert named == loaded
    # By a whole path a credential that is not there keeps the service from starting.
    assert not re.search(r"^LoadCredential=[^:\n]+:/", UNIT.read_text(), flags=re.M)


# ---- manual

@pytest.mark.parametrize("page", MANUALS, ids=lambda page: page.name)
def test_mandoc_finds_no_mistake_in_a_manual_page(page):
    result = run(tool("mandoc"), "-T", "lint", "-W", "warning", page)
    assert (result.returncode, result.stdout) == (0, "")


def test_every_verb_and_option_of_the_help_stands_in_the_manual():
    page = manual(MANUALS[0])
    top = program("--help").stdout
    verbs = re.findall(r"^  (\w+)  +\S", top, flags=re.M)
    assert {"run", "replay", "check"} <= set(verbs)
    helps = {verb: program(verb, "--help").stdout for verb in verbs}
    for verb in verbs:
        section = re.search(rf"^   {verb}(?: \w+)?\n(.*?)(?=^ {{0,3}}\S)", page, flags=re.M | re.S)
        assert section, verb
        for option in set(re.findall(r"^  (--[a-z-]+)", helps[verb], flags=re.M)):
            assert re.search(rf"^ +{option}\b", section[1], flags=re.M), f"{verb} {option}"
    for option in re.findall(r"--[a-z-]+", top + "".join(helps.values())):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", page), option


def test_every_option_in_the_manual_is_one_of_the_help():
    verbs = re.findall(r"^  ([a-z]+)  ", program("--help").stdout, flags=re.M)
    helps = "".join(program(*verb, "--help").stdout
                    for verb in [()] + [(verb,) for verb in verbs])
    for option in re.findall(r"^\.It Fl -([a-z-]+)", MANUALS[0].read_text(), flags=re.M):
        assert f"--{option}" in helps
