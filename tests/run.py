#!/usr/bin/env python3
"""Everything that must pass; the last line counts it all.

What must be built comes first, one build after the other; the rest is played side by side (jobs.py): the
end-to-end tests, which mostly wait, file by file in their lanes, beside what computes. What watches memory
runs alone in the end. A line tells of each job; the whole output of one that fails is shown.
MM_STEPS=unit,cli runs some steps only; MM_FUZZ_SECONDS is the length of each fuzz run.
"""
import fnmatch
import glob
import os
import shutil
import signal
import sys
import time

import jobs
from jobs import PYTHON, ROOT, Job, Tally, pytest_command, say

MAKE = ["make", "--no-print-directory", "-s"]
RELEASE = os.path.join(ROOT, "build/release/myeloma-adapter")

# What tests write to servers, for the validators: of the unit tests (tests/cli/test_issues.py) and of the
# daemon (tests/e2e/test_written_alerts.py).
ISSUES, ALERTS = os.path.join(ROOT, "build/issues"), os.path.join(ROOT, "build/alerts")

# Builds share a folder: one after the other, and nothing that calls make beside them. The tests of the
# daemon need the first two alone.
GCC, FAULT, CLANG, ASAN = ("gcc without a warning", "fault build", "clang without a warning",
                           "ASan and UBSan build")
FUZZERS, TSAN = "fuzzers build", "TSan build"
DAEMON, ALL = (GCC, FAULT), (GCC, FAULT, CLANG, ASAN, FUZZERS, TSAN)

# End to end, by what a file needs. One real HAPI at a time: each takes a gigabyte and both processors to
# start. Files that are not named here mostly wait, and may be many at once. Long ones begin first.
HAPI = ("test_hapi*", "test_socket")
LONG = ("test_disk", "test_convergence", "test_hell", "test_misbehaviour", "test_poll", "test_daemon",
        "test_validators", "test_cuts", "test_topics", "test_poll_convergence")
WATCHES_MEMORY = ("test_hostile", "test_soak")
LAST = "test_written_alerts"

LONG_UNIT = ("store_test", "flow_test", "year_test", "ledger_test", "server_test")


def sources(pattern, end):
    """The names of the files that match, without their end."""
    return sorted(os.path.basename(path).removesuffix(end)
                  for path in glob.glob(os.path.join(ROOT, pattern + end)))


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def long_first(long, names):
    return sorted(names, key=lambda name: long.index(name) if name in long else len(long))


def build(name, *arguments, after=()):
    """A build without a single warning."""
    return Job(name, [*MAKE, jobs.PARALLEL, *arguments], jobs.no_warning, after=after)


# ---- the steps

def step_build():
    return [build(GCC, "MODE=release", "all", "tests"),
            build(FAULT, "MODE=release", "fault", after=(GCC,)),
            build(CLANG, "MODE=debug", "BUILD=build/clang", "CC=clang", "all", "tests", after=(FAULT,)),
            build(ASAN, "MODE=asan", "all", "tests", after=(CLANG,))]


def step_style():
    return [Job("layers: dependencies run one way", [*MAKE, "layers"], after=ALL),
            Job("format-check", [*MAKE, "format-check"], after=ALL),
            Job("lint (cppcheck)", [*MAKE, "lint"], after=ALL),
            Job("this runner", pytest_command("tests/runner"), jobs.pytest)]


def unit_tests(mode, name, prefix=(), env=None):
    """The programs of that build, long ones first; env(program) for each."""
    folder = os.path.join(ROOT, "build", mode, "tests")
    return [Job(f"{name} {program}", [*prefix, os.path.join(folder, program)], jobs.cmocka, env(program),
                after=ALL) for program in long_first(LONG_UNIT, sources("tests/unit/*_test", ".c"))]


def step_unit():
    empty(ISSUES)
    return unit_tests("asan", "asan", env=lambda program: {
        "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
        "MYELOMA_ISSUES": os.path.join(ISSUES, program + ".ndjson")})


def step_valgrind():
    return unit_tests("release", "valgrind", ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                                              "--errors-for-leak-kinds=definite,indirect"],
                      lambda _: {"MM_STRIDE": "10"})     # tests/unit/stride.h


def step_threads():
    program = "build/tsan/tests/store_test"
    return [build(TSAN, "MODE=tsan", program, after=ALL[:-1]),
            Job("tsan store_test", [os.path.join(ROOT, program)], jobs.cmocka, after=ALL)]


def step_fuzz():
    seconds = os.environ.get("MM_FUZZ_SECONDS", "8")
    return [build(FUZZERS, "fuzzers", after=ALL[:-2]),
            *(Job(f"fuzz {name} for {seconds} s",
                  [*MAKE, "fuzz", f"FUZZERS={name}", f"FUZZ_SECONDS={seconds}"],
                  limit=1800 + float(seconds), after=ALL)
              for name in sources("tests/fuzz/*", "_fuzz.c"))]


def step_knowledge():
    env = {"MYELOMA_ADAPTER": RELEASE}
    return [Job("mappings and rules", pytest_command("tests/mappings", "tests/rules"), jobs.pytest,
                after=ALL),
            Job("a second opinion on made-up patients", pytest_command("tests/opinion"), jobs.pytest, env,
                after=ALL),
            Job("mutation test: each 15th small change of the rules is noticed",
                [PYTHON, "tests/rules/mutate.py", "--every", "15"], after=ALL)]


def step_cli():
    env = {"MYELOMA_ADAPTER": RELEASE,
           "MYELOMA_ADAPTER_ASAN": os.path.join(ROOT, "build/asan/myeloma-adapter")}
    written = tuple("asan " + name for name in sources("tests/unit/*_test", ".c"))
    return [*(Job(f"cli {name}", pytest_command(f"tests/cli/{name}.py"), jobs.pytest, env,
                  after=ALL + written if name == "test_issues" else ALL)
              for name in long_first(("test_corpus",), sources("tests/cli/test_*", ".py"))),
            Job("install, unit, man pages", pytest_command("tests/install"), jobs.pytest, env, after=ALL)]


def step_e2e():
    empty(ALERTS)
    env = {"MYELOMA_ADAPTER": RELEASE, "MM_ALERTS": ALERTS}
    names = sources("tests/e2e/test_*", ".py")
    hapi = [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in HAPI)]
    rest = long_first(LONG, [name for name in names if name not in {*hapi, *WATCHES_MEMORY, LAST}])
    lone = [name for name in (*WATCHES_MEMORY, LAST) if name in names]

    def end_to_end(name, *files, **more):
        return Job(f"e2e {name}", pytest_command(*(f"tests/e2e/{file}.py" for file in files)),
                   jobs.pytest, env, limit=3600, after=DAEMON, **more)

    return [end_to_end("real HAPI", *hapi, lane="wait"),
            *(end_to_end(name, name, lane="wait") for name in rest),
            *(end_to_end(name, name, lane="alone") for name in lone)]


STEPS = [("build", step_build), ("e2e", step_e2e), ("cli", step_cli), ("valgrind", step_valgrind),
         ("fuzz", step_fuzz), ("unit", step_unit), ("threads", step_threads),
         ("knowledge", step_knowledge), ("style", step_style)]


def main():
    known = [name for name, _ in STEPS]
    wanted = [name for name in os.environ.get("MM_STEPS", "").split(",") if name] or known
    if unknown := set(wanted) - set(known):
        say(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))    # what runs is ended on the way out
    start, tally = time.monotonic(), Tally()
    jobs.Yard([job for name, step in STEPS if name in wanted for job in step()], tally).play()
    return tally.tell(time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
