"""Kill everywhere: the daemon ends at any step that leaves something behind on a disk or a line, is
started again, and in the end everything is as if nothing had been: what was acknowledged is in the
journal, no episode has a second alert, the alerts are those of an undisturbed day.

MM_TORTURE=1 makes thousands of cuts; MM_CUT_SEEDS=N says how many. A cut that fails prints the
command that does it again."""
import concurrent.futures
import functools
import os
import random
import subprocess

import pytest

import cuts
from daemon import BINARY, few_rules
from faults import FAULTY, Fault, points

TORTURE = os.environ.get("MM_TORTURE") == "1"
SEEDS = int(os.environ.get("MM_CUT_SEEDS", "4000" if TORTURE else "15"))


@functools.cache
def truth(server=0):
    return cuts.Truth(server)


# The fault build

STEPS = """
    open database, open wal, write wal, sync wal, truncate wal, unlink wal, write database,
    sync database, sync folder, accept hook, receive hook, send hook, connect server, send server,
    receive server"""


@pytest.mark.parametrize("step", [step.strip() for step in STEPS.split(",")])
def test_a_day_has_steps_of_every_kind(step):
    assert truth().steps[tuple(step.split())] > 0


@pytest.mark.parametrize("do, code, size", [("kill-before", -9, 0), ("kill-half", -9, 16),
                                            ("kill-after", -9, 32)])
def test_a_life_ends_before_in_or_after_its_step(do, code, size):
    """The first write of the log is its head: 32 bytes."""
    with cuts.Day(faults=[Fault(do, "write", "wal", 1)]) as day:
        day.start()
        assert day.daemon.wait_end() == code
        last = day.daemon.points()[-1]
        assert (last.what, last.offset, last.length) == (("write", "wal"), 0, 32)
        assert os.path.getsize(day.daemon.config["store"] + "-wal") == size


def test_a_step_that_fails_gives_its_error():
    with cuts.Day(faults=[Fault("EIO", "write", "wal", 1)]) as day:
        day.start()
        assert day.daemon.wait_end() == 1 and "disk I/O error" in day.daemon.log()
        assert [p.result for p in day.daemon.points() if p.what == ("write", "wal")] == ["-1"]


def test_what_is_written_by_half_is_written_on():
    """In as many writes as it takes; a day of that is like any other. Not the answers to the hook:
    a line that takes a half is full, and says so when it no longer is."""
    with cuts.Day(faults=[Fault("short", "write,send", "database,wal,file,server", times=0)]) as day:
        day.play()
        day.judge(truth().alerts)
        assert [p.result for p in day.daemon.points() if p.what == ("write", "wal")][:2] == [
            "16", "8"]


def test_the_release_has_no_faults():
    with open(BINARY, "rb") as file:
        assert b"FAULT_TRACE" not in file.read()


# The judge. A test of a test: each of these must be seen.

def test_an_event_that_is_not_in_the_journal_is_seen():
    with cuts.Day() as day:
        day.play()
        day.judge(truth().alerts)
        day.acknowledged.taken.append(day.hospital.store.latest("DetectedIssue", next(
            iter(day.hospital.resources("DetectedIssue")))["id"]))
        with pytest.raises(AssertionError, match="acknowledged and lost"):
            day.judge(truth().alerts)


def test_a_second_alert_of_an_episode_is_seen_even_when_it_is_taken_back():
    with cuts.Day() as day:
        day.play()
        twin = {**day.hospital.resources("DetectedIssue")[0], "id": "twin"}
        day.hospital.put(twin)
        with pytest.raises(AssertionError, match="instead of"):
            day.judge(truth().alerts)
        day.hospital.delete("DetectedIssue", "twin")
        with pytest.raises(AssertionError, match="was deleted|twins"):
            day.judge(truth().alerts)


# The cuts

def all_cut(work, at_once=3):
    """Does each (server, faults, power, seed), some at once, since they mostly wait for a poll.
    Returns how many cuts were met in each."""
    def one(item):
        server, faults, power, seed = item
        return len(cuts.run(truth(server), server, faults, power, seed))
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, work))


def test_killed_at_each_kind_of_step():
    """In the first and in the second half of them, now before the step, now after it, now with half
    of it done."""
    work = [(0, [fault], False, 0) for fault in cuts.spread(truth(), 40)]
    missed = all_cut(work).count(0)
    assert len(work) >= 30 and missed <= 3, f"{missed} of {len(work)} were not met"


@pytest.mark.parametrize("batch", range(0, SEEDS, 100), ids="seed {} and those that follow".format)
def test_killed_anywhere_perhaps_twice_perhaps_with_the_power(batch):
    """What each seed makes up: any server, any step, up to several deaths in a row."""
    work = []
    for seed in range(batch, min(batch + 100, SEEDS)):
        server = seed % len(cuts.SERVERS)
        work.append((server, *cuts.made_up(truth(server), random.Random(seed)), seed))
    assert sum(all_cut(work)) >= len(work) / 2


# A verb that writes a file

@pytest.mark.parametrize("step", range(1, 8))
@pytest.mark.parametrize("do", ["kill-before", "kill-after", "EIO"])
def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path, do, step):
    target, trace = tmp_path / "rules.html", tmp_path / "trace"
    target.write_text("the one of before")
    command = [FAULTY, "rules", "--booklet", "--mappings", str(few_rules()), "--output"]
    whole = tmp_path / "whole"
    subprocess.run([*command, str(whole)], check=True)
    process = subprocess.run([*command, str(target)], env={
        **os.environ, "FAULT_TRACE": str(trace), **Fault(do, "", "", step).environment()})
    met = len(points(trace)) >= step
    if process.returncode == 0:
        assert not met or points(trace)[-1].result != "-1"
        assert target.read_bytes() == whole.read_bytes()
    else:
        assert met and target.read_bytes() in (b"the one of before", whole.read_bytes())
    if do == "EIO" and process.returncode:
        assert target.read_text() == "the one of before"
        assert sorted(os.listdir(tmp_path)) == ["rules.html", "trace", "whole"]
