#!/usr/bin/env python3
"""The long form of every proof by attack; the last line counts it all.

`make test` plays a short form of each. Here MM_TORTURE=1 asks for the long one: some hours in all.
MM_STEPS=hell,soak runs some steps only; MM_FUZZ_SECONDS is the length of each fuzz run; a step whose
file is not there is skipped with a word. What a failing test printed is shown when its step ends.
"""
import os
import re
import subprocess
import sys
import time

import run
from run import PYTHON, ROOT, TALLY, build, say, show

TELL_SECONDS = 60      # how often a step that is under way says how far it is
LINE = re.compile(r"^(tests/\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED)")

# name, what it proves, file
FILES = [
    ("cuts", "killed at every fault point", "test_cuts.py"),
    ("disk", "every failure of the disk", "test_disk.py"),
    ("hell", "the hospital from hell", "test_hell.py"),
    ("convergence", "shuffled, doubled, late and lost events", "test_convergence.py"),
    ("polls", "polled alone, in every manner", "test_poll_convergence.py"),
    ("topics", "topic subscriptions", "test_topics.py"),
    ("sockets", "subscriptions by WebSocket", "test_socket.py"),
    ("histories", "generated histories over the real rules", "test_histories.py"),
    ("hostile", "hostile peers", "test_hostile.py"),
    ("canary", "no patient data where it must not be", "test_canary.py"),
    ("hapi", "attacks on real HAPI", "test_hapi_attack.py"),
    ("soak", "an hour at ten times the load", "test_soak.py"),
]


class Watched:
    """A pytest run whose results are counted as they come."""

    def __init__(self, name, path):
        self.name, self.counts, self.lines = name, {}, []
        self.command = [PYTHON, "-m", "pytest", "-v", "-rs", "-p", "no:cacheprovider", path]

    def play(self):
        env = {**os.environ, "MM_TORTURE": "1", "PYTHONUNBUFFERED": "1",
               "MYELOMA_ADAPTER": os.path.join(ROOT, "build/release/myeloma-adapter")}
        told = time.monotonic()
        with subprocess.Popen(self.command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for raw in process.stdout:
                self.take(raw.decode("utf-8", "replace").rstrip("\n"))
                if time.monotonic() > told + TELL_SECONDS:
                    told = time.monotonic()
                    say(f"     {self.name}: {self.note()} so far")
        return process.returncode

    def take(self, line):
        self.lines.append(line)
        if found := LINE.match(line):
            word = found[2].lower()
            self.counts[word] = self.counts.get(word, 0) + 1
            if word in ("failed", "error"):
                say(f"FAIL {found[1]}")

    def note(self):
        return ", ".join(f"{n} {word}" for word, n in self.counts.items()) or "no test has ended"


def attack(name, what, path):
    if not os.path.exists(os.path.join(ROOT, path)):
        say(f"     {path} is not there: skipped")
        TALLY.add(name, 0, 0, 1)
        return
    begin, watched = time.monotonic(), Watched(name, path)
    code = watched.play()
    failed = watched.counts.get("failed", 0) + watched.counts.get("error", 0)
    if code not in (0, 5) and not failed:
        failed = 1
    TALLY.add(name, watched.counts.get("passed", 0), failed, watched.counts.get("skipped", 0))
    show(what, not failed, watched.note(), "\n".join(watched.lines), time.monotonic() - begin)


def fuzz():
    seconds = int(os.environ.get("MM_FUZZ_SECONDS", "600"))
    if not build("fuzzers build", "fuzzers"):
        return
    for name in sorted(file.removesuffix("_fuzz.c")
                       for file in os.listdir(os.path.join(ROOT, "tests/fuzz"))
                       if file.endswith("_fuzz.c")):
        code, output, took = run.run(["make", "-s", "fuzz", f"FUZZERS={name}",
                                      f"FUZZ_SECONDS={seconds}"], limit=seconds + 900)
        TALLY.add(name, int(code == 0), int(code != 0))
        show(f"fuzz {name} for {seconds} s", code == 0, "", output, took)


def year():
    """The virtual year with a restart at every instant, to its end."""
    program = "build/release/tests/year_test"
    if build("the virtual year is built", "MODE=release", program):
        run.cmocka("a virtual year", os.path.join(ROOT, program),
                   env={"MM_TORTURE": "1"})


def main():
    wanted = [name for name in os.environ.get("MM_STEPS", "").split(",") if name]
    known = [name for name, _, _ in FILES] + ["year", "fuzz"]
    if unknown := set(wanted) - set(known):
        say(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    start = time.monotonic()
    if not build("gcc without a warning", "MODE=release", "all", "fault"):
        return 1
    for name, what, file in FILES:
        if not wanted or name in wanted:
            say(f"--- {name}")
            attack(name, what, "tests/e2e/" + file)
    if not wanted or "year" in wanted:
        say("--- year")
        year()
    if not wanted or "fuzz" in wanted:
        say("--- fuzz")
        fuzz()
    if TALLY.broken:
        say("failed: " + "; ".join(TALLY.broken))
    say(f"all steps took {time.monotonic() - start:.0f} s")
    say(f"{TALLY.passed} passed, {TALLY.failed} failed, {TALLY.skipped} skipped")
    return 1 if TALLY.failed else 0


if __name__ == "__main__":
    sys.exit(main())
