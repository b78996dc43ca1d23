#!/usr/bin/env python3
"""Everything that must pass, one step after the other; the last line counts it all.

Each step prints what it runs. The whole output of a step that fails is shown; of one that passes, a
line. MM_STEPS=unit,cli runs some steps only; MM_FUZZ_SECONDS is the length of each fuzz run.
"""
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = sys.executable
JOBS = f"-j{min(os.cpu_count() or 2, 8)}"


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.broken = []

    def add(self, name, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.broken.append(name)


TALLY = Tally()


def say(text):
    print(text, flush=True)


def run(command, env=None, limit=1800):
    """Run a command; returns its exit code and everything it printed."""
    start = time.monotonic()
    process = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=limit,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**os.environ, **(env or {})})
    return (process.returncode, process.stdout.decode("utf-8", "replace"),
            time.monotonic() - start)


def show(name, good, note, output, seconds):
    say(f"{'ok  ' if good else 'FAIL'} {name} {note} ({seconds:.0f} s)")
    if not good:
        say(output[-20000:])


def plain(name, command, env=None):
    """A step that is one test: it passes when the command ends with 0."""
    code, output, seconds = run(command, env)
    TALLY.add(name, int(code == 0), int(code != 0))
    show(name, code == 0, "", output, seconds)
    return code == 0


def build(name, *arguments):
    """A build without a single warning."""
    code, output, seconds = run(["make", "--no-print-directory", "-s", JOBS, *arguments])
    good = code == 0 and "warning:" not in output
    TALLY.add(name, int(good), int(not good))
    show(name, good, "", output, seconds)
    return good


def cmocka(name, program, prefix=(), env=None):
    code, output, seconds = run([*prefix, program], env)
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M)))
    failed = sum(map(int, re.findall(r"^\[  FAILED  \] .*?(\d+) test", output, re.M)))
    skipped = sum(map(int, re.findall(r"^\[  SKIPPED \] (\d+) test", output, re.M)))
    if code and not failed:
        failed = 1  # a crash, a leak, a sanitizer
    TALLY.add(name, passed, failed, skipped)
    show(name, code == 0, f"{passed} passed", output, seconds)


def pytest(name, *arguments, env=None, limit=1800):
    code, output, seconds = run([PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider",
                                 *arguments], env, limit)
    last = output.strip().splitlines()[-1] if output.strip() else ""
    count = {word: int(number) for number, word in
             re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    failed = count.get("failed", 0) + count.get("error", 0)
    if code not in (0, 5) and not failed:
        failed = 1
    TALLY.add(name, count.get("passed", 0), failed, count.get("skipped", 0))
    show(name, not failed, last.strip("= "), output, seconds)
    if not failed:
        for line in re.findall(r"^SKIPPED .*$", output, re.M):
            say(f"     {line}")


def programs(mode):
    return sorted(glob.glob(os.path.join(ROOT, "build", mode, "tests", "*_test")))


# ---- the steps

def step_build():
    build("gcc without a warning", "MODE=release", "all", "tests")
    build("fault build", "MODE=release", "fault")
    build("clang without a warning", "MODE=debug", "BUILD=build/clang", "CC=clang", "all", "tests")
    build("ASan and UBSan build", "MODE=asan", "all", "tests")


def step_style():
    plain("layers: dependencies run one way", ["make", "-s", "layers"])
    plain("format-check", ["make", "-s", "format-check"])
    plain("lint (cppcheck)", ["make", "-s", "lint"])


def step_unit():
    issues = os.path.join(ROOT, "build/issues.ndjson")  # read by tests/cli/test_issues.py
    if os.path.exists(issues):
        os.remove(issues)
    for program in programs("asan"):
        cmocka("asan " + os.path.basename(program), program,
               env={"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "MYELOMA_ISSUES": issues})


def step_valgrind():
    for program in programs("release"):
        cmocka("valgrind " + os.path.basename(program), program,
               ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
                "--errors-for-leak-kinds=definite,indirect"])


def step_threads():
    if not build("TSan build", "MODE=tsan", "build/tsan/tests/store_test"):
        return
    cmocka("tsan store_test", os.path.join(ROOT, "build/tsan/tests/store_test"))


def step_fuzz():
    if not build("fuzzers build", "fuzzers"):
        return
    seconds = os.environ.get("MM_FUZZ_SECONDS", "8")
    for name in sorted(os.path.basename(p)[:-len("_fuzz.c")]
                       for p in glob.glob(os.path.join(ROOT, "tests/fuzz/*_fuzz.c"))):
        plain(f"fuzz {name} for {seconds} s",
              ["make", "-s", "fuzz", f"FUZZERS={name}", f"FUZZ_SECONDS={seconds}"])


def step_knowledge():
    pytest("mappings and rules", "tests/mappings", "tests/rules")
    pytest("a second opinion on made-up patients", "tests/opinion",
           env={"MYELOMA_ADAPTER": os.path.join(ROOT, "build/release/myeloma-adapter")})
    plain("mutation test: each 15th small change of the rules is noticed",
          [PYTHON, "tests/rules/mutate.py", "--every", "15"])


def step_cli():
    env = {"MYELOMA_ADAPTER": os.path.join(ROOT, "build/release/myeloma-adapter"),
           "MYELOMA_ADAPTER_ASAN": os.path.join(ROOT, "build/asan/myeloma-adapter")}
    pytest("replay, check and the corpus", "tests/cli", env=env)
    pytest("install, unit, man pages", "tests/install", env=env)


def step_e2e():
    env = {"MYELOMA_ADAPTER": os.path.join(ROOT, "build/release/myeloma-adapter")}
    pytest("end to end (HAPI, stand-in hospital, validators)", "tests/e2e", env=env, limit=3600)


STEPS = [("build", step_build), ("style", step_style), ("unit", step_unit),
         ("knowledge", step_knowledge), ("cli", step_cli), ("e2e", step_e2e),
         ("fuzz", step_fuzz), ("valgrind", step_valgrind), ("threads", step_threads)]


def main():
    wanted = [name for name in os.environ.get("MM_STEPS", "").split(",") if name]
    start = time.monotonic()
    for name, step in STEPS:
        if wanted and name not in wanted:
            continue
        say(f"--- {name}")
        try:
            step()
        except subprocess.TimeoutExpired as expired:
            TALLY.add(name, 0, 1)
            say(f"FAIL {name}: {expired.cmd[0]} did not end in {expired.timeout:.0f} s")
    if TALLY.broken:
        say("failed: " + "; ".join(TALLY.broken))
    say(f"all steps took {time.monotonic() - start:.0f} s")
    say(f"{TALLY.passed} passed, {TALLY.failed} failed, {TALLY.skipped} skipped")
    return 1 if TALLY.failed else 0


if __name__ == "__main__":
    sys.exit(main())
