"""`myeloma-adapter rules`: the rule base for people: list, show, search, and the booklet to sign."""
import csv
import fcntl
import html.parser
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios

import pytest

from charts import MAPPINGS, PROGRAM, program

AS_OF = "2026-11-23"
RULE = "len-combo-anc-hold"


def rules(*arguments, mappings=MAPPINGS):
    return program("rules", *arguments, "--mappings", mappings)


@pytest.fixture
def edited(tmp_path):
    """A copy of the mappings in which one rule is changed."""
    def change(id, **more):
        folder = shutil.copytree(MAPPINGS, tmp_path / "mappings")
        path = folder / "rules/lenalidomide.json"
        content = json.loads(re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M))
        [rule] = [rule for rule in content["rules"] if rule["id"] == id]
        rule.update(more)
        path.write_text(json.dumps(content))
        return folder
    return change


# ---- list

def test_the_list_has_a_line_for_each_rule():
    lines = rules().out.splitlines()
    assert lines[0].split() == ["ID", "KIND", "SEVERITY", "DISPLAY", "MODE", "GRADE", "TITLE"]
    listed = json.loads(rules("--format", "json").out)
    assert [line.split()[0] for line in lines[1:]] == [rule["id"] for rule in listed]
    assert not [line for line in lines if line != line.rstrip()]


def test_json_says_what_fires_a_rule_in_words():
    [rule] = [rule for rule in json.loads(rules("--format", "json").out) if rule["id"] == RULE]
    assert (rule["kind"], rule["severity"], rule["mode"]) == ("dose-hold", "high", "live")
    assert rule["when"] == ("an active order for lenalidomide; and “lenalidomide combination” is met; "
                            "and the newest result for neutrophils (absolute count), at most 14 days "
                            "old, is below 1.0 × 10⁹/L")


def test_csv_can_be_read_again():
    rows = list(csv.DictReader(io.StringIO(rules("--format", "csv").out)))
    listed = json.loads(rules("--format", "json").out)
    assert [row["title"] for row in rows] == [rule["title"] for rule in listed]


# ---- show

def test_show_tells_one_rule_as_sentences():
    run = rules("show", RULE)
    assert (run.code, run.err) == (0, "")
    text = re.sub(r"\s+", " ", run.out)
    for part in ["Fires when - an active order for lenalidomide; and",
                 "at most 14 days old, is below 1.0 × 10⁹/L",
                 "no active order for any myeloma drug",
                 "Clears as soon as that is no longer so",
                 "REVLIMID (lenalidomide) US prescribing information",
                 "verified: seen in retrieved text", "Owner pharmacy; to be reviewed by 2027-11-23",
                 "rules/lenalidomide.json:", "silent exactly 1.0 is not below the limit"]:
        assert part in text
    assert max(map(len, run.out.splitlines())) <= 100


def test_show_marks_what_is_not_verified():
    assert "! FROM KNOWLEDGE: " in rules("show", "len-maint-anc-hold").out


def test_show_marks_a_rule_that_is_off_and_uncertain(edited):
    folder = edited(RULE, mode="off", verification={"grade": "uncertain", "note": "A number of ours."})
    out = rules("show", RULE, mappings=folder).out
    assert "! Mode: OFF: not evaluated" in out
    assert "! UNCERTAIN: " in out and "A number of ours." in out


def test_show_tells_how_long_an_alert_lasts():
    out = rules("show", "pom-plt-hold").out
    assert "Once open, lasts while\n  - an active or held order for pomalidomide; and\n" in out


def test_show_names_the_members_of_classes():
    assert re.search(r"enoxacin, fluvoxamine", rules("show", "pom-cyp1a2-strong").out)


def test_show_takes_several_rules():
    out = rules("show", RULE, "len-combo-plt-hold").out
    assert out.index(RULE) < out.index("\nlen-combo-plt-hold\n")


def test_a_rule_that_there_is_not_gets_a_guess():
    run = rules("show", "len-combo-anc-hodl")
    assert (run.code, run.out) == (1, "")
    assert f'no rule "len-combo-anc-hodl"; did you mean "{RULE}"?' in run.err


def test_a_rule_of_the_site_stands_beside_ours_and_is_marked(tmp_path):
    made = json.loads(re.sub(r"^\s*//.*$", "", (MAPPINGS / "rules/lenalidomide.json").read_text(),
                             flags=re.M))
    [rule] = [rule for rule in made["rules"] if rule["id"] == RULE]
    (tmp_path / "house.json").write_text(json.dumps({**made, "rules": [{**rule, "id": "house-rule"}]}))
    site = ["--rules", tmp_path]
    assert "house-rule" in [rule["id"] for rule in json.loads(rules("--format", "json", *site).out)]
    assert "A rule of the site." in rules("show", "house-rule", *site).out
    assert f"{tmp_path}/house.json:1" in rules("show", "house-rule", *site).out
    page = rules("--booklet", "--as-of", AS_OF, *site).out
    assert "RULE OF THE SITE" in article(page, "house-rule")
    assert "RULE OF THE SITE" not in article(page, RULE)


# ---- search

def found(*words):
    run = rules("search", *words, "--format", "json")
    return {rule["id"]: rule["found"] for rule in json.loads(run.out)}


def test_search_finds_a_drug_in_classes():
    hits = found("ciprofloxacin")
    assert {"pom-cyp1a2-strong", "ste-fluoroquinolone"} <= set(hits)
    assert hits["ste-fluoroquinolone"].startswith("any fluoroquinolone")
    assert "(ciprofloxacin)" in hits["ste-fluoroquinolone"]


def test_search_reads_texts_sources_and_definitions():
    assert RULE in found("cereblon")
    assert RULE in found("REVLIMID")
    assert RULE in found("stem cell transplant autologous")


def test_search_wants_all_of_the_words():
    both = set(found("bupropion", "dexamethasone"))
    assert "ste-bupropion" in both
    assert both == set(found("bupropion")) & set(found("dexamethasone"))


def test_search_without_a_hit_says_so():
    run = rules("search", "xyzzy")
    assert (run.code, run.out) == (1, "")
    assert "no rule has all of these words" in run.err


# ---- booklet

class Page(html.parser.HTMLParser):
    """Checks that every element is closed where it must be, and collects what the tests ask for."""

    EMPTY = {"meta", "br"}
    INSIDE = {"li": {"ul", "ol"}, "tr": {"table"}, "td": {"tr"}, "th": {"tr"}, "summary": {"details"},
              "title": {"head"}, "h3": {"article"}}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.words = [], [], [], set(), []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len({name for name, _ in attributes}) == len(attributes)
        if tag in self.INSIDE:
            assert self.open[-1] in self.INSIDE[tag], f"{tag} in {self.open}"
        if tag in ("p", "ul", "table", "h4", "article"):
            assert not {"p", "ul", "h3", "h4", "table", "tr"} & set(self.open[-1:]), f"{tag} in {self.open}"
        if tag not in self.EMPTY:
            self.open.append(tag)
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> after {self.open}"

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def booklet(**more):
    run = rules("--booklet", "--as-of", more.pop("as_of", AS_OF), **more)
    assert (run.code, run.err) == (0, "")
    return run.out


def test_the_booklet_is_well_formed_and_stands_alone():
    text = booklet()
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>\n<html lang=\"en\">")
    assert len(page.ids) == len(set(page.ids))
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert "@import" not in text and "url(" not in text
    assert all(link.startswith(("#", "http://", "https://")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_the_booklet_has_every_rule_with_a_line_to_sign():
    page = Page(booklet())
    listed = json.loads(rules("--format", "json").out)
    assert [id for id in page.ids if id.startswith("rule-")] == [f"rule-{r['id']}" for r in listed]
    assert page.text.count("Reviewed byDateSignature") == len(listed)


def test_the_booklet_says_what_it_was_made_of():
    text = Page(booklet()).text
    generation = re.search(r"generation ([a-z2-7]+)", program("check", "--mappings", MAPPINGS).out)[1]
    version = program("--version").out.split()[1]
    assert f"As of {AS_OF}. Profile us, knowledge generation {generation}, myeloma-adapter {version}" in text


def test_the_booklet_of_a_day_is_always_the_same():
    assert booklet() == booklet()


def test_the_booklet_is_written_to_a_file(tmp_path):
    run = rules("--booklet", "--as-of", AS_OF, "--output", tmp_path / "booklet.html")
    assert (run.code, run.out) == (0, "")
    assert (tmp_path / "booklet.html").read_text() == booklet()


def article(text, id):
    return re.search(rf'<article id="rule-{id}".*?</article>', text, re.S)[0]


@pytest.mark.parametrize("as_of, past", [("2027-11-23", False), ("2027-11-24", True)])
def test_a_review_is_past_after_its_day(as_of, past):
    assert ("REVIEW IS PAST" in article(booklet(as_of=as_of), RULE)) == past


def test_the_booklet_marks_what_does_not_alert_and_what_is_not_sure(edited):
    folder = edited(RULE, mode="off", verification={"grade": "uncertain", "note": "Ours."})
    text = booklet(mappings=folder)
    assert "OFF: not evaluated" in article(text, RULE)
    assert "UNCERTAIN" in article(text, RULE)
    assert "FROM KNOWLEDGE" in article(text, "len-maint-anc-hold")
    assert "CHECKED: never an alert" in article(text, "lor-none")
    assert not re.search("OFF:|UNCERTAIN|CHECKED:", article(text, "len-combo-plt-hold"))


def test_what_rules_say_cannot_become_html(edited):
    nasty = '<script>alert("x")</script> & \'more\' \u0001'
    folder = edited(RULE, title=nasty, choice=nasty,
                    sources=[{"document": nasty, "url": "javascript:alert(1)"},
                             {"document": "D", "url": 'https://e.example/?a="b"&c=<d>'}])
    text = booklet(mappings=folder)
    page = Page(text)
    assert "script" not in page.tags
    assert not [link for link in page.links if link.startswith("javascript")]
    assert 'https://e.example/?a="b"&c=<d>' in page.links
    assert "\u0001" not in text


def test_the_booklet_tells_clauses_thresholds_and_cases():
    text = Page(article(booklet(), RULE)).text
    assert "Fires when an active order for lenalidomide; and “lenalidomide combination” is met; and" in text
    assert "Neutrophils, absolute countbelow 1.0 × 10⁹/L14 days" in text
    assert "Cases (14)" in text
    assert "male, 66 years, 80 kg; lenalidomide 25 mg daily, since 20 d ago" in text


# ---- wrong usage

@pytest.mark.parametrize("arguments", [
    ["nonsense"], ["show"], ["search"], ["--format", "xml"], ["--booklet", "show", RULE],
    ["--as-of", AS_OF], ["--booklet", "--as-of", "yesterday"], ["show", RULE, "--format", "json"],
    ["--booklet", "--format", "json"], ["--profile", "uk"], ["list", "x"]])
def test_wrong_usage_is_told(arguments):
    run = rules(*arguments)
    assert (run.code, run.out) == (2, "")
    assert "myeloma-adapter rules --help" in run.err


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    run = rules("--booklet", "--output", tmp_path / "nowhere/booklet.html")
    assert run.code == 1
    assert "nowhere/booklet.html" in run.err


def test_help_fits_a_screen():
    run = program("rules", "--help")
    assert (run.code, run.err) == (0, "")
    assert len(run.out.splitlines()) <= 24
    assert max(map(len, run.out.splitlines())) <= 88


# ---- on a terminal

def on_a_terminal(columns, *arguments):
    """What is printed on a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen([PROGRAM, "rules", *arguments, "--mappings", str(MAPPINGS)], stdout=theirs,
                          stderr=theirs, env={**os.environ, "TERM": "xterm", "NO_COLOR": ""}) as running:
        os.close(theirs)
        output = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # the end of a terminal
                break
            if not block:
                break
            output += block
        assert running.wait() == 0
    os.close(ours)
    return output.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 100, 132, 200])
@pytest.mark.parametrize("arguments", [[], ["search", "ciprofloxacin"], ["show", RULE]])
def test_what_is_printed_fits_the_terminal(columns, arguments):
    text = on_a_terminal(columns, *arguments)
    plain = re.sub("\033\\[[0-9]*m", "", text)
    assert max(map(len, plain.splitlines())) <= columns
    assert "\033[" in text
    assert RULE in plain or arguments[:1] == ["search"]


def test_there_are_no_colours_without_a_terminal():
    assert "\033[" not in rules().out + rules("show", RULE).out
