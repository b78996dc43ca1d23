"""Jobs side by side: a job is a command and a judge of what it printed.

Two lanes of work keep the processors busy; lanes of waiting hold what mostly waits (a daemon, a server, a
deadline); a job that watches memory or time runs alone. Beside jobs that wait, work is done at a lower
priority, so that whoever has a deadline is served first. A job's output is kept until it has ended and is
then printed at one go: a line when all is well, everything when not. A job that dies, that says less than
it should or that does not end in its time has failed.
"""
import contextlib
import dataclasses
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = sys.executable
CORES = os.cpu_count() or 2
PARALLEL = f"-j{min(CORES, 8)}"
LANES = {"work": min(CORES, 8), "wait": 3, "alone": 1}
PLACES = [(kind, number) for kind, many in LANES.items() for number in range(many)]
TELL_SECONDS = 50      # something is said at least every minute
GRACE_SECONDS = 10     # for the last words of a job that must end
NICE = ["nice", "-n", "10"]


def say(text):
    print(text, flush=True)


def environment(*more):
    """For a job: who is behind a proxy does not ask it for what runs on this machine."""
    env = dict(os.environ)
    for name in ("no_proxy", "NO_PROXY"):
        env[name] = ",".join(filter(None, [env.get(name), "127.0.0.1,localhost"]))
    for one in more:
        env.update(one)
    return env


# ---- what a job came to

@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""
    remarks: list = dataclasses.field(default_factory=list)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.broken = []

    def add(self, name, count):
        self.passed += count.passed
        self.failed += count.failed
        self.skipped += count.skipped
        if count.failed:
            self.broken.append(name)

    def tell(self, seconds):
        """The last lines of a run; its exit code."""
        if self.broken:
            say("failed: " + "; ".join(self.broken))
        say(f"all steps took {seconds:.0f} s")
        say(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0


def one_test(code, _):
    """A job that is one test: it passes when the command ends with 0."""
    return Count(int(code == 0), int(code != 0))


def no_warning(code, output):
    good = code == 0 and "warning:" not in output
    return Count(int(good), int(not good))


def cmocka(code, output):
    begun, ended, passed, failed, skipped = (
        sum(map(int, re.findall(rf"^\[{words}", output, re.M))) for words in (
            r"==========\] .*Running (\d+) test", r"==========\] .*?(\d+) test\S* run",
            r"  PASSED  \] .*?(\d+) test", r"  FAILED  \] .*?(\d+) test",
            r"  SKIPPED \] .*?(\d+) test"))
    if (code or not passed or begun != ended) and not failed:
        failed = 1  # a crash, a leak, a sanitizer; or it went away in the middle
    return Count(passed, failed, skipped, f"{passed} passed")


def pytest(code, output):
    """By the line that pytest ends with; without one it has died, whatever its exit code says."""
    last = output.strip().splitlines()[-1].strip("= ") if output.strip() else ""
    count = {word: int(number) for number, word in
             re.findall(r"(\d+) (passed|failed|skipped|error)", last)}
    failed = count.get("failed", 0) + count.get("error", 0)
    if (not count or code not in (0, 5)) and not failed:
        failed = 1
    return Count(count.get("passed", 0), failed, count.get("skipped", 0), last if count else "died",
                 re.findall(r"^SKIPPED .*$", output, re.M))


def pytest_command(*arguments):
    return [PYTHON, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *arguments]


@dataclasses.dataclass
class Job:
    """lane: work, wait or alone. after: names of jobs that must have ended before, well or not, if
    they are played at all. Of those of one lane the first that may begin does."""
    name: str
    command: list
    judge: object = one_test
    env: dict = dataclasses.field(default_factory=dict)
    limit: float = 1800
    lane: str = "work"
    after: tuple = ()


# ---- one job

class Process:
    """A command with everything that it starts, in a process group and with a temporary folder of
    its own."""

    def __init__(self, job, prefix=(), env=None):
        self.job, self.began, self.late = job, time.monotonic(), False
        self.output, self.folder = tempfile.TemporaryFile(), tempfile.mkdtemp(prefix="mm-")
        try:
            self.process = subprocess.Popen([*prefix, *job.command], cwd=ROOT, stdin=subprocess.DEVNULL,
                                            stdout=self.output, stderr=subprocess.STDOUT,
                                            start_new_session=True,
                                            env=environment({"TMPDIR": self.folder}, job.env,
                                                            env or {}))
        except OSError as error:      # it was not built
            self.process = None
            self.output.write(str(error).encode())

    def seconds(self):
        return time.monotonic() - self.began

    def wait(self):
        """Its exit code; what it has left behind ends with it."""
        if self.process is None:
            return 127
        try:
            self.process.wait(self.job.limit)
        except subprocess.TimeoutExpired:
            self.late = True
            self.process.send_signal(signal.SIGABRT)   # Python then says where each thread was
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(GRACE_SECONDS)
        self.kill()
        return self.process.wait()

    def kill(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def text(self):
        with self.output as file:
            file.seek(0)
            return file.read().decode("utf-8", "replace")


def judged(process, code):
    """What the job came to, and what it printed."""
    output = process.text()
    count = process.job.judge(code, output)
    if process.late:
        count.failed = max(count.failed, 1)
        count.note = f"did not end in {process.job.limit:.0f} s"
    if count.failed:
        output += f"\nwhat it left is in {process.folder}\n"
    else:
        shutil.rmtree(process.folder, ignore_errors=True)
    return count, output


def show(name, count, output, seconds):
    say(" ".join(filter(None, ["FAIL" if count.failed else "ok  ", name, count.note,
                               f"({seconds:.0f} s)"])))
    if count.failed:
        say(output)
    else:
        for remark in count.remarks:
            say(f"     {remark}")


def do(tally, job):
    """One job by itself; whether it went well."""
    process = Process(job)
    try:
        count, output = judged(process, process.wait())
    finally:
        process.kill()
    tally.add(job.name, count)
    show(job.name, count, output, process.seconds())
    return not count.failed


# ---- many

class Yard:
    """Plays jobs in their lanes and tells of each when it has ended."""

    def __init__(self, jobs, tally):
        self.open, self.tally = list(jobs), tally
        self.total, self.running, self.ended = len(self.open), {}, queue.Queue()
        self.told = time.monotonic()

    def play(self):
        try:
            while self.open or self.running:
                self.begin_what_can()
                if not self.running:
                    raise RuntimeError("jobs that wait for each other: "
                                       + ", ".join(job.name for job in self.open))
                self.take_what_ended()
        finally:
            for process in self.running.values():
                process.kill()
                shutil.rmtree(process.folder, ignore_errors=True)

    def place_for(self, job):
        """A free place in its lane, or None."""
        if job.lane == "alone" and (self.running or any(j.lane != "alone" for j in self.open)):
            return None
        return next((place for place in PLACES
                     if place[0] == job.lane and place not in self.running), None)

    def begin_what_can(self):
        for job in list(self.open):
            coming = {j.name for j in self.open} | {p.job.name for p in self.running.values()}
            if coming.isdisjoint(job.after) and (place := self.place_for(job)):
                self.open.remove(job)
                self.begin(job, place)

    def begin(self, job, place):
        kinds = {j.lane for j in self.open} | {kind for kind, _ in self.running}
        calm = job.lane == "work" and "wait" in kinds
        process = Process(job, NICE if calm else (),
                          {"MM_LANE": f"{PLACES.index(place)}/{len(PLACES)}"})
        self.running[place] = process
        threading.Thread(target=lambda: self.ended.put((place, process.wait())), daemon=True).start()

    def take_what_ended(self):
        try:
            place, code = self.ended.get(timeout=max(0, self.told + TELL_SECONDS - time.monotonic()))
        except queue.Empty:
            self.tell_how_far()
            return
        process = self.running.pop(place)
        count, output = judged(process, code)
        self.tally.add(process.job.name, count)
        show(process.job.name, count, output, process.seconds())
        self.told = time.monotonic()

    def tell_how_far(self):
        done = self.total - len(self.open) - len(self.running)
        busy = ", ".join(f"{p.job.name} for {p.seconds():.0f} s" for p in self.running.values())
        say(f"     {done} of {self.total} have ended; under way: {busy}")
        self.told = time.monotonic()
