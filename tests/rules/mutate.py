"""Mutation test of the rules: changes each rule in small ways and asks whether a case notices.

A mutant is one small change of one rule, definition or class:
- a limit by one step of its last digit, or with its comparator taking or leaving the limit, or pointing
  the other way; positive for negative, male for female, us for eu;
- a length of time doubled; a count one higher;
- a clause of a list, a word of a clause, a row of a table, "not", "maybe", "unless" taken away;
- a name taken from a list, a member from a class, a rule from "yieldsTo"; "persists" taken away;
- another display.

It is killed when the program refuses it, or when a case fails of the rule, or of a rule that uses the
definition or class. `make mutate` plays them all; those that live are compared with survivors.json,
which says of each why it may.

One run of the program plays many mutants, of rules that do not hear of each other: the cases of a rule
see that rule, those it yields to, and what these use. Every entry of a changed file stands on a line of
its own, so that the line of a message says which mutant it is about.
"""
import argparse
import concurrent.futures
import copy
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
MAPPINGS = PROJECT / "mappings"
SURVIVORS = Path(__file__).with_name("survivors.json")
PROGRAM = os.environ.get("MYELOMA_ADAPTER", str(PROJECT / "build/release/myeloma-adapter"))
WANTED = 97                                    # of a hundred must die

NUMBER = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
THRESHOLD = re.compile(rf"^(below|at most|above|at least) ({NUMBER})( .+)$")
RANGE = re.compile(rf"^({NUMBER}) to ({NUMBER})( .+)$")
MAXIMUM = re.compile(rf"^({NUMBER})( .+)$")
DURATION = re.compile(r"^(|.* in |.* every )([0-9]+) (s|min|h|d|wk|mo|a)$")
LIMITS = {"is", "rose", "fell", "single", "daily", "total", "age", "when"}
NAMES = {"order", "noOrder", "except", "condition", "noCondition", "allergy", "route", "ceiling", "of",
         "sameTimeAs", "course", "cycleStart"}
LISTS = {"all", "any", "of"}
# words without which a clause, or a row of a table, says less, and still is one
WORDS = {"except", "is", "route", "use", "single", "daily", "total", "continuous", "startedWithin",
         "startedBefore", "endedWithin", "lingers", "different", "overlap", "startsWithin", "sameTimeAs", "within",
         "due", "when", "and"}
FLIPS = {"below": ("at most", "at least"), "at most": ("below", "above"),
         "above": ("at least", "at most"), "at least": ("above", "below")}
OTHERS = {("is", "positive"): "negative", ("is", "negative"): "positive",
          ("sex", "female"): "male", ("sex", "male"): "female",
          ("profile", "us"): "eu", ("profile", "eu"): "us",
          ("due", "on dose days"): "at once",
          ("display", "interruptive"): "passive", ("display", "passive"): "suppressed",
          ("display", "suppressed"): "passive",
          ("otherwise", "passive"): "suppressed", ("otherwise", "suppressed"): "passive",
          ("whenUnknown", "passive"): "suppressed", ("whenUnknown", "suppressed"): "passive"}


# ---- what may change

def steps(number):
    """The number one step of its last digit up and down, written alike."""
    exponent = Decimal(number).as_tuple().exponent
    step = Decimal(1).scaleb(exponent)
    for other in (Decimal(number) + step, Decimal(number) - step):
        if other >= 0:
            yield f"{other:f}"


def other_limits(text):
    threshold, spread = THRESHOLD.match(text), RANGE.match(text)
    if threshold:
        word, number, rest = threshold.groups()
        yield from (f"{word} {other}{rest}" for other in steps(number))
        yield from (f"{other} {number}{rest}" for other in FLIPS[word])
    elif spread:
        low, high, rest = spread.groups()
        yield from (f"{other} to {high}{rest}" for other in steps(low))
        yield from (f"{low} to {other}{rest}" for other in steps(high))


def other_words(key, text):
    """What else could stand behind the key."""
    if key in LIMITS:
        yield from other_limits(text)
    if key == "max" and MAXIMUM.match(text):
        number, rest = MAXIMUM.match(text).groups()
        yield from (other + rest for other in steps(number))
    span = DURATION.match(text)
    if span:
        yield f"{span[1]}{2 * int(span[2])} {span[3]}"
    if (key, text) in OTHERS:
        yield OTHERS[key, text]


def changes_of_value(key, value):
    """(what, new value) for what stands behind a key."""
    if isinstance(value, str):
        for other in other_words(key, value):
            yield f"{'' if key in LIMITS else f'{key} '}{value} -> {other}", other
    if isinstance(value, int) and not isinstance(value, bool):
        yield f"{key} {value} -> {value + 1}", value + 1
    if isinstance(value, list) and len(value) > 1:
        for i, item in enumerate(value):
            if key in LISTS and isinstance(item, dict):
                yield f"without clause {i + 1} of {key}", value[:i] + value[i + 1:]
            elif key in NAMES and isinstance(item, str):
                yield f"{key} without {item}", value[:i] + value[i + 1:]
            elif key in ("table", "schedule"):
                yield f"{key} without row {i + 1}", value[:i] + value[i + 1:]


def without_word(node):
    """(what, new clause) for a clause without one of its words."""
    for key in node:
        row = "max" in node
        if key in WORDS and len(node) > 1 and (row or key != next(iter(node))):
            yield f"without {key}", {k: v for k, v in node.items() if k != key}
    for key in ("not", "maybe"):
        if key in node:
            yield f"without {key}", node[key]
    if "unless" in node:
        yield "not for unless", {"not": node["unless"]}


def changes_in(node, path=()):
    """(path, what, new value) for every small change in a clause; path leads to what is replaced."""
    if isinstance(node, dict):
        for what, other in without_word(node):
            yield path, what, other
        for key, value in node.items():
            for what, other in changes_of_value(key, value):
                yield path + (key,), what, other
            yield from changes_in(value, path + (key,))
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from changes_in(item, path + (i,))


def replaced(node, path, value):
    if not path:
        return value
    copied = copy.copy(node)
    copied[path[0]] = replaced(node[path[0]], path[1:], value)
    return copied


def changes_of_clause(clause, *at):
    """(name, clause) for every small change, with the place of it in words."""
    for path, what, value in changes_in(clause):
        where = "/".join(str(step + 1 if isinstance(step, int) else step) for step in at + path)
        yield f"{where}: {what}" if where else what, replaced(clause, path, value)


def changes_of_rule(rule):
    for part in ("when", "persists", "display"):
        clause = {part: rule[part]} if part in rule else {}
        for name, changed in changes_of_clause(clause):
            yield name, {**rule, **changed}
    stronger = rule.get("yieldsTo", [])
    for one in stronger:
        left = [other for other in stronger if other != one]
        yield f"yieldsTo: without {one}", {**rule, "yieldsTo": left} if left else without(rule, "yieldsTo")
    if "persists" in rule:
        yield "without persists", without(rule, "persists")


def changes_of_class(one):
    members = one.get("members", [])
    for member in members if len(members) > 1 else []:
        yield f"without {member}", {**one, "members": [other for other in members if other != member]}


def without(node, key):
    return {k: v for k, v in node.items() if k != key}


# ---- who uses what

class Knowledge:
    """The files that may change, and for every class, definition and rule the rules that use it."""

    def __init__(self):
        self.rules, self.files = {}, {}
        for path in sorted((MAPPINGS / "rules").glob("*.json")):
            root = read(path)
            self.files[path.relative_to(MAPPINGS)] = root
            self.rules.update((rule["id"], rule) for rule in root["rules"])
        self.classes = read(MAPPINGS / "classes.json")
        self.definitions = read(MAPPINGS / "definitions.json")
        self.users = defaultdict(set)
        for rule in self.rules.values():
            for name in self.named_in([rule["when"], rule.get("persists"), rule["display"]]):
                self.users[name].add(rule["id"])

    def named_in(self, node):
        """The classes ("class:x") and definitions ("definition:x") that a clause names, and those in them."""
        found, todo = set(), names_in(node)
        while todo:
            name = todo.pop()
            kind, _, own = name.partition(":")
            found.add(name)
            inner = self.classes["classes"].get(own) if kind == "class" else self.definitions["definitions"][own]
            todo |= names_in(inner) - found
        return found

    def heard_by(self, rule):
        """The rules that the cases of a rule play: itself, those it yields to, those of open alerts."""
        found, todo = set(), {rule}
        while todo:
            one = todo.pop()
            found.add(one)
            todo |= set(self.rules[one].get("yieldsTo", [])) - found
        for case in self.rules[rule]["cases"]:
            found |= set(case.get("open", []))
        return found


def read(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))


def names_in(node):
    text = json.dumps(node)
    return (set(re.findall(r'"(class:[a-z0-9-]+)"', text)) |
            {f"definition:{name}" for name in re.findall(r'"definition": "([a-z0-9-]+)"', text)})


# ---- the mutants

class Mutant(NamedTuple):
    name: str
    file: Path                                 # below mappings/
    key: object                                # which entry of the file: its number or its name
    entry: dict                                # the changed one
    touched: frozenset                         # rules that it changes; their cases judge it
    heard: frozenset                           # rules that these cases play


def all_mutants(knowledge, only):
    def mutant(name, file, key, entry, touched):
        heard = frozenset().union(*(knowledge.heard_by(rule) for rule in touched))
        return Mutant(name, file, key, entry, frozenset(touched), heard)

    for file, root in knowledge.files.items():
        for i, rule in enumerate(root["rules"]):
            if not only or rule["id"] in only:
                for name, entry in changes_of_rule(rule):
                    yield mutant(f"{rule['id']} {name}", file, i, entry, {rule["id"]})
    for kind, file, entries, changes in (
            ("definition", Path("definitions.json"), knowledge.definitions["definitions"], changes_of_clause),
            ("class", Path("classes.json"), knowledge.classes["classes"], changes_of_class)):
        for key, one in entries.items():
            users = knowledge.users[f"{kind}:{key}"]
            if users and not only:
                for name, entry in changes(one):
                    yield mutant(f"{kind}:{key} {name}", file, key, entry, users)


def in_batches(mutants):
    """Lists of mutants that do not hear of each other."""
    batches = []
    for mutant in sorted(mutants, key=lambda mutant: -len(mutant.touched)):
        for batch in batches:
            if not mutant.touched & batch["heard"] and not mutant.heard & batch["touched"]:
                break
        else:
            batch = {"mutants": [], "touched": set(), "heard": set()}
            batches.append(batch)
        batch["mutants"].append(mutant)
        batch["touched"] |= mutant.touched
        batch["heard"] |= mutant.heard
    return [batch["mutants"] for batch in batches]


# ---- playing them

def lines_of(root, entries, changed):
    """The text of a file with an entry a line, and the line of each."""
    name = next(key for key, value in root.items() if value is entries)
    texts, lines = [], {}
    pairs = entries.items() if isinstance(entries, dict) else enumerate(entries)
    for number, (key, value) in enumerate(pairs, start=2):
        label = f"{json.dumps(key)}: " if isinstance(entries, dict) else ""
        texts.append(label + json.dumps(changed.get(key, value)))
        lines[key] = number
    rest = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in root.items() if key != name)
    opened, closed = "{}" if isinstance(entries, dict) else "[]"
    return f"{{ {json.dumps(name)}: {opened}\n" + ",\n".join(texts) + f"\n{closed}{rest} }}\n", lines


class Folder:
    """A folder like mappings/ whose rules, definitions and classes may be changed."""

    def __init__(self, knowledge):
        self.knowledge = knowledge
        self.root = Path(tempfile.mkdtemp(prefix="mutate-"))
        self.roots = {**{file: (root, root["rules"]) for file, root in knowledge.files.items()},
                      Path("definitions.json"): (knowledge.definitions, knowledge.definitions["definitions"]),
                      Path("classes.json"): (knowledge.classes, knowledge.classes["classes"])}
        for path in MAPPINGS.rglob("*"):
            here = self.root / path.relative_to(MAPPINGS)
            if path.is_dir():
                here.mkdir(exist_ok=True)
            elif path.relative_to(MAPPINGS) not in self.roots:
                here.symlink_to(path)

    def write(self, mutants):
        """The files with these mutants; returns what stands on which line of which file."""
        places = {}
        for file, (root, entries) in self.roots.items():
            changed = {mutant.key: mutant.entry for mutant in mutants if mutant.file == file}
            text, lines = lines_of(root, entries, changed)
            (self.root / file).write_text(text, encoding="utf-8")
            for key, line in lines.items():
                places[f"{self.root / file}:{line}"] = entries[key]["id"] if "rules" in root else (file, key)
        return places

    def play(self, mutants):
        """The names of those mutants that live."""
        if not mutants:
            return []
        places = self.write(mutants)
        words = [word for rule in sorted(set().union(*(mutant.touched for mutant in mutants)))
                 for word in ("--rule", rule)]
        done = subprocess.run([PROGRAM, "test", "--mappings", str(self.root), *words],
                              capture_output=True, timeout=60, check=False, encoding="utf-8")
        if re.search(r"^([0-9]+ of )?[0-9]+ cases .*$", done.stdout, flags=re.MULTILINE):
            failed = named_in_messages(done.stdout, places)
            return [mutant.name for mutant in mutants if not mutant.touched & failed]
        return self.play_others(mutants, named_in_messages(done.stderr, places), done.stderr)

    def play_others(self, mutants, named, message):
        """The program refused: those that it names are dead, the others are played again."""
        left = [mutant for mutant in mutants
                if (mutant.file, mutant.key) not in named and not mutant.touched & named]
        if len(left) < len(mutants):
            return self.play(left)
        if len(mutants) == 1:
            raise RuntimeError(f"{mutants[0].name}: {message[:2000]}")
        half = len(mutants) // 2
        return self.play(mutants[:half]) + self.play(mutants[half:])

    def done(self):
        shutil.rmtree(self.root)


def named_in_messages(text, places):
    return {places[place] for place in re.findall(r"^(.+?:[0-9]+):[0-9]+: (?!warning: )", text, flags=re.MULTILINE)
            if place in places}


def play_all(knowledge, mutants, workers):
    """The names of those that live."""
    batches = in_batches(mutants)
    folders, alive, done = queue.SimpleQueue(), [], 0
    for _ in range(workers):
        folders.put(Folder(knowledge))

    def survivors(batch):
        folder = folders.get()
        try:
            return folder.play(batch)
        finally:
            folders.put(folder)

    try:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for batch, lived in zip(batches, pool.map(survivors, batches)):
                done += len(batch)
                alive += lived
                if sys.stderr.isatty():
                    print(f"\r{done}/{len(mutants)} mutants, {len(alive)} alive ", end="",
                          file=sys.stderr, flush=True)
    finally:
        for _ in range(workers):
            folders.get().done()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return sorted(alive)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rule", action="append", help="only mutants of this rule")
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant; all of them must be killed or explained")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()

    knowledge = Knowledge()
    mutants = list(all_mutants(knowledge, options.rule))[::options.every]
    if not mutants:
        print("there is no such rule")
        return 1
    alive = play_all(knowledge, mutants, options.workers)
    reasons = json.loads(SURVIVORS.read_text(encoding="utf-8")) if SURVIVORS.exists() else {}
    for name in alive:
        print(f"alive: {name}: {reasons.get(name, 'no reason is given in survivors.json')}")
    killed = len(mutants) - len(alive)
    percent = 100 * killed / len(mutants)
    print(f"{killed} of {len(mutants)} mutants killed, {percent:.1f} in 100")
    whole = not options.rule and options.every == 1
    played = set(reasons) if whole else {mutant.name for mutant in mutants}
    stale = sorted(played & set(reasons) - set(alive))
    for name in stale:
        print(f"survivors.json names one that does not live: {name}")
    few = whole and percent < WANTED
    if few:
        print(f"{WANTED} of 100 should be killed")
    return 1 if few or stale or not set(alive) <= set(reasons) else 0


if __name__ == "__main__":
    sys.exit(main())
