#!/usr/bin/env python3
"""The long form of every proof by attack; the last line counts it all.

`make test` plays a short form of each. Here MM_TORTURE=1 asks for the long one: some hours in all.
MM_STEPS=hell,soak runs some steps only; MM_FUZZ_SECONDS is the length of each fuzz run. What a failing
test printed is shown when its step ends.
"""
import os
import re
import subprocess
import sys
import time

import jobs
from jobs import PYTHON, ROOT, Job, Tally, say
from run import build, sources

TELL_SECONDS = 60      # how often a step that is under way says how far it is
TALLY = Tally()
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
        env = jobs.environment({
            "MM_TORTURE": "1", "PYTHONUNBUFFERED": "1",
            "MYELOMA_ADAPTER": os.path.join(ROOT, "build/release/myeloma-adapter")})
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
    begin, watched = time.monotonic(), Watched(name, path)
    count = jobs.pytest(watched.play(), "\n".join(watched.lines))
    TALLY.add(name, count)
    jobs.show(what, count, "\n".join(watched.lines), time.monotonic() - begin)


def fuzz():
    seconds = int(os.environ.get("MM_FUZZ_SECONDS", "600"))
    if not jobs.do(TALLY, build("fuzzers build", "fuzzers")):
        return
    for name in sources("tests/fuzz/*", "_fuzz.c"):
        jobs.do(TALLY, Job(f"fuzz {name} for {seconds} s",
                           ["make", "-s", "fuzz", f"FUZZERS={name}", f"FUZZ_SECONDS={seconds}"],
                           limit=seconds + 900))


def year():
    """The virtual year with a restart at every instant, to its end."""
    program = "build/release/tests/year_test"
    if jobs.do(TALLY, build("the virtual year is built", "MODE=release", program)):
        jobs.do(TALLY, Job("a virtual year", [os.path.join(ROOT, program)], jobs.cmocka,
                           {"MM_TORTURE": "1"}))


def main():
    wanted = [name for name in os.environ.get("MM_STEPS", "").split(",") if name]
    known = [name for name, _, _ in FILES] + ["year", "fuzz"]
    if unknown := set(wanted) - set(known):
        say(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    start = time.monotonic()
    if not jobs.do(TALLY, build("gcc without a warning", "MODE=release", "all", "fault")):
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
    return TALLY.tell(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
