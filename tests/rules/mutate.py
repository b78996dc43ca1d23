"""Mutation test of the rules: changes each rule in small ways and asks whether a case notices.

A mutant is one rule with one change: a threshold by one step of its last digit, a comparator that
takes or leaves its limit or points the other way, a clause or a word of a clause dropped, a name of
a list or a member of a class removed, a window doubled, a row of a table dropped. It is killed when
the program refuses it or a case of its rule fails. `make mutate` plays them all; those that live are
compared with survivors.json, which says of each why it may.
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
from decimal import Decimal
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
MAPPINGS = PROJECT / "mappings"
SURVIVORS = Path(__file__).with_name("survivors.json")
PROGRAM = os.environ.get("MYELOMA_ADAPTER", str(PROJECT / "build/release/myeloma-adapter"))
WANTED = 97                                    # of a hundred must die

NUMBER = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
THRESHOLD = re.compile(rf"^(below|at most|above|at least) ({NUMBER})( .+)$")
RANGE = re.compile(rf"^({NUMBER}) to ({NUMBER})( .+)$")
MAXIMUM = re.compile(rf"^({NUMBER})( .+)$")
DURATION = re.compile(r"^([0-9]+) (s|min|h|d|wk|mo|a)$")
SPANS = {"within", "startedWithin", "startedBefore", "endedWithin", "overlap", "startsWithin", "until", "cycle"}
LIMITS = {"is", "rose", "fell", "single", "daily", "total", "age", "when"}
NAMES = {"order", "noOrder", "except", "condition", "noCondition", "allergy", "route", "ceiling", "of",
         "sameTimeAs", "course", "cycleStart"}
LISTS = {"all", "any", "of"}
# words without which a clause says less, and still is one
WORDS = {"except", "is", "route", "use", "single", "daily", "total", "continuous", "startedWithin",
         "startedBefore", "endedWithin", "lingers", "different", "overlap", "startsWithin", "sameTimeAs", "within"}
FLIPS = {"below": ("at most", "at least"), "at most": ("below", "above"),
         "above": ("at least", "at most"), "at least": ("above", "below")}


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
    elif text in ("positive", "negative"):
        yield {"positive": "negative", "negative": "positive"}[text]


def doubled(text):
    span = DURATION.match(text)
    if span:
        yield f"{2 * int(span[1])} {span[2]}"


def changes_of_value(key, value):
    """(what, new value) for what stands behind a key."""
    if isinstance(value, str) and key in LIMITS:
        for other in other_limits(value):
            yield f"{value} -> {other}", other
    if isinstance(value, str) and key in SPANS:
        for other in doubled(value):
            yield f"{key} {value} -> {other}", other
    if isinstance(value, str) and key == "max" and MAXIMUM.match(value):
        number, rest = MAXIMUM.match(value).groups()
        for other in steps(number):
            yield f"max {value} -> {other}{rest}", other + rest
    if isinstance(value, int) and not isinstance(value, bool):
        yield f"{key} {value} -> {value + 1}", value + 1
    if key == "lingers":
        for name, span in value.items():
            for other in doubled(span):
                yield f"{name} lingers {span} -> {other}", {**value, name: other}
    if isinstance(value, list) and len(value) > 1:
        for i, item in enumerate(value):
            if key in LISTS and isinstance(item, dict):
                yield f"without clause {i + 1} of {key}", value[:i] + value[i + 1:]
            elif key in NAMES and isinstance(item, str):
                yield f"{key} without {item}", value[:i] + value[i + 1:]
            elif key in ("table", "schedule"):
                yield f"{key} without row {i + 1}", value[:i] + value[i + 1:]


def changes_in(node, path=()):
    """(path, what, new value) for every small change in a clause; path leads to what is replaced."""
    if isinstance(node, dict):
        for key, value in node.items():
            for what, other in changes_of_value(key, value):
                yield path + (key,), what, other
            if key in WORDS and len(node) > 1 and key != next(iter(node)):
                yield path, f"without {key}", {k: v for k, v in node.items() if k != key}
            yield from changes_in(value, path + (key,))
        if set(node) == {"not"}:
            yield path, "without not", node["not"]
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from changes_in(item, path + (i,))


def replaced(node, path, value):
    if not path:
        return value
    copied = copy.copy(node)
    copied[path[0]] = replaced(node[path[0]], path[1:], value)
    return copied


def mutants_of_rule(rule):
    """(name, mutated rule)."""
    for part in ("when", "persists", "display"):
        if not isinstance(rule.get(part), dict):
            continue
        for path, what, value in changes_in(rule[part]):
            where = "/".join(str(step + 1 if isinstance(step, int) else step) for step in (part, *path))
            yield f"{where}: {what}", {**rule, part: replaced(rule[part], path, value)}
    for part in ("persists", "yieldsTo"):
        if part in rule:
            yield f"without {part}", {key: value for key, value in rule.items() if key != part}


def classes_in(node, classes):
    """The classes that a rule names, and those in them."""
    found, todo = set(), set(re.findall(r'"class:([a-z0-9-]+)"', json.dumps(node)))
    while todo:
        name = todo.pop()
        found.add(name)
        inner = {m[6:] for m in classes.get(name, {}).get("members", []) if m.startswith("class:")}
        todo |= inner - found
    return found


# ---- playing them

class Mappings:
    """A folder like mappings/ in which one file at a time is another one."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="mutate-"))
        for path in MAPPINGS.rglob("*"):
            here = self.root / path.relative_to(MAPPINGS)
            if path.is_dir():
                here.mkdir(exist_ok=True)
            else:
                here.symlink_to(path)

    def play(self, name, text, rules):
        """True when all cases of the rules hold with this text in place of the file."""
        file = self.root / name
        file.unlink()
        file.write_text(text, encoding="utf-8")
        try:
            words = [word for rule in rules for word in ("--rule", rule)]
            done = subprocess.run([PROGRAM, "test", "--mappings", str(self.root), *words],
                                  capture_output=True, timeout=60, check=False)
        finally:
            file.unlink()
            file.symlink_to(MAPPINGS / name)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{name}: {done.stderr.decode(errors='replace')[:2000]}")
        return done.returncode == 0

    def done(self):
        shutil.rmtree(self.root)


def all_mutants(only):
    """(rule ids that judge, name, file, text of the file with the mutant)."""
    roots = {path.relative_to(MAPPINGS): json.loads(path.read_text(encoding="utf-8"))
             for path in sorted((MAPPINGS / "rules").glob("*.json"))}
    classes = json.loads((MAPPINGS / "classes.json").read_text(encoding="utf-8"))
    users = {}
    for file, root in roots.items():
        for i, rule in enumerate(root["rules"]):
            for name in classes_in([rule.get("when"), rule.get("persists")], classes["classes"]):
                users.setdefault(name, []).append(rule["id"])
            if only and rule["id"] not in only:
                continue
            for name, mutant in mutants_of_rule(rule):
                changed = {**root, "rules": root["rules"][:i] + [mutant] + root["rules"][i + 1:]}
                yield [rule["id"]], f"{rule['id']} {name}", file, changed
    for name, rules in ([] if only else sorted(users.items())):
        members = classes["classes"][name].get("members", [])
        for member in members if len(members) > 1 else []:
            left = {**classes["classes"][name], "members": [m for m in members if m != member]}
            changed = {**classes, "classes": {**classes["classes"], name: left}}
            yield rules, f"class:{name} without {member}", Path("classes.json"), changed


def play_all(mutants, workers):
    """The names of those that live."""
    folders = [Mappings() for _ in range(workers)]
    idle, alive, done = queue.SimpleQueue(), [], 0
    for folder in folders:
        idle.put(folder)

    def lives(mutant):
        rules, _, file, root = mutant
        folder = idle.get()
        try:
            return folder.play(file, json.dumps(root), rules)
        finally:
            idle.put(folder)

    try:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for mutant, lived in zip(mutants, pool.map(lives, mutants)):
                done += 1
                if lived:
                    alive.append(mutant[1])
                if sys.stderr.isatty():
                    print(f"\r{done}/{len(mutants)} mutants, {len(alive)} alive ", end="",
                          file=sys.stderr, flush=True)
    finally:
        for folder in folders:
            folder.done()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return alive


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rule", action="append", help="only mutants of this rule")
    parser.add_argument("--every", type=int, default=1, help="only each n-th mutant")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()

    mutants = list(all_mutants(options.rule))[::options.every]
    alive = sorted(play_all(mutants, options.workers))
    reasons = json.loads(SURVIVORS.read_text(encoding="utf-8")) if SURVIVORS.exists() else {}
    for name in alive:
        print(f"alive: {name}: {reasons.get(name, 'no reason is given in survivors.json')}")
    killed = len(mutants) - len(alive)
    percent = 100 * killed / len(mutants)
    print(f"{killed} of {len(mutants)} mutants killed, {percent:.1f} in 100")
    if not options.rule and options.every == 1:
        for name in sorted(set(reasons) - set(alive)):
            print(f"survivors.json names one that does not live: {name}")
            percent = 0
    unexplained = [name for name in alive if name not in reasons]
    return 0 if percent >= WANTED and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
