"""README.md keeps a row for each topic the rules were asked for, and names only rules that exist."""
import json
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
WIDTH = 120
TOPICS = ["lenalidomide maintenance and combination", "chemotherapy", "proteasome inhibitors",
          "immunomodulators", "bisphosphonates", "steroids", "CAR-T and targeted drugs", "kidney damage",
          "anaemia", "bone loss", "age", "genetic markers", "oral and IV", "diabetes and kidney disease",
          "bupropion", "loratadine (Claritin)", "ciprofloxacin", "pain relievers",
          "antibiotics in the immune-compromised", "several drugs at once"]


def without_remarks(text):
    return re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda m: m.group(1) or "", text)


def rule_ids():
    return {rule["id"] for path in (PROJECT / "mappings/rules").glob("*.json")
            for rule in json.loads(without_remarks(path.read_text(encoding="utf-8")))["rules"]}


def rows():
    section = README.split("\n## Topics and their rules\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return {topic.strip(): re.findall(r"`([^`]+)`", rules) for topic, rules in cells[1:]}


RULE_IDS = rule_ids()
ROWS = rows()


@pytest.mark.parametrize("topic", TOPICS)
def test_each_topic_has_a_row_with_rules(topic):
    assert ROWS.get(topic), f"README.md: no rules for the topic {topic!r}"


@pytest.mark.parametrize("topic", ROWS)
def test_each_rule_of_a_row_exists_and_stands_there_once(topic):
    unknown = [rule for rule in ROWS[topic] if rule not in RULE_IDS]
    assert not unknown, f"README.md: no rule {unknown} (topic {topic!r})"
    assert len(set(ROWS[topic])) == len(ROWS[topic]), topic


def test_there_are_no_other_topics():
    assert list(ROWS) == TOPICS


def test_lines_of_text_are_short():
    text = re.sub(r"(?ms)^```.*?^```", "", README)
    long = [line for line in text.splitlines() if len(line) > WIDTH and not line.startswith("|")]
    assert not long, f"README.md: more than {WIDTH} columns: {long}"


def test_each_verb_of_the_program_has_a_line():
    main = (PROJECT / "adapter/app/main.c").read_text(encoding="utf-8")
    verbs = re.findall(r'^    \{ "([a-z]+)", command_', main, re.M)
    table = README.split("\n## The verbs\n", 1)[1].split("\n## ", 1)[0]
    assert verbs and sorted(verbs) == sorted(re.findall(r"^\| `([a-z]+)` \|", table, re.M))
