"""Disks that fail: full, read-only, an fsync that did not work, a log that is torn, bits that are
flipped, files of an older and of a newer program. Nothing acknowledged is lost, nothing is said to be
safe that is not, and the operator is told what to do.

What a power cut may really do: a sync that returned was kept; of what was written after it any part
may be there, or not, in any order. Day(power=True) does that to what each life leaves behind.
MM_TORTURE=1: every step, every place."""
import contextlib
import functools
import os
import random
import re
import shutil
import signal
import sqlite3

import pytest

import cuts
from daemon import Daemon
from faults import Fault, Remains
from waiting import free_port, wait_until
from ward import LOW_COUNT, SLOW, result, treated

TORTURE = os.environ.get("MM_TORTURE") == "1"
BODY = {"meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"}}


@functools.cache
def truth():
    return cuts.Truth(0)


@pytest.fixture
def day():
    """A day that has not begun, with a switch for its fault. Polls are an hour apart: the store has
    quiet moments, in which the log is moved."""
    with cuts.Day(settings=SLOW) as made:
        made.switch = os.path.join(made.folder, "now")
        yield made


def begin(day, fault=None):
    """The daemon runs, with a fault that happens while day.switch is there."""
    day.faults = [fault] if fault else []
    day.start()
    day.until_subscribed()
    day.until_quiet()


@contextlib.contextmanager
def switched_on(day):
    open(day.switch, "w").close()
    yield
    os.remove(day.switch)


def notify(day, pid="p1", version="1"):
    body = {**result(pid, 0.8), "meta": {**BODY["meta"], "versionId": version}}
    return day.ward.notify(f"Observation/Observation/{pid}-neutrophils", body, "PUT")


def failed_steps(steps, *what):
    """Of one kind and class, those that the disk did not do."""
    return [p for p in steps if p.what == what and p.result == "-1"]


def finish(day):
    """The day ends well: everything is told, and the books are right."""
    day.until_quiet()
    day.end()
    day.look_for_twins()
    day.look_at_remains()
    day.look_at_books()


# Full

def test_a_full_disk_refuses_with_503_and_goes_on_when_there_is_room(day):
    begin(day, Fault("ENOSPC", "write", "wal,database", times=0, during=day.switch))
    day.ward.write(*treated("p1"))
    day.until_quiet()
    with switched_on(day):
        for _ in range(3):
            status, headers, _ = notify(day)
            assert status == 503 and int(headers["Retry-After"]) > 0
        day.ward.write(result("p1", 0.8))
        line = day.daemon.wait_log("event=store-refuses code=store.full")
        assert "free space" in line
        assert day.daemon.process.poll() is None
        assert notify(day)[0] == 503
    day.until_alert("p1", LOW_COUNT, "open")
    assert notify(day)[0] == 200
    finish(day)


def test_a_disk_without_room_for_the_file_itself_goes_on(day):
    """The log has room, the file it is to be moved to has not."""
    begin(day, Fault("ENOSPC", "write", "database", times=0, during=day.switch))
    with switched_on(day):
        day.ward.write(*treated("p1"))
        line = day.daemon.wait_log("event=store-full")
        assert "free space" in line
        assert notify(day, "p2")[0] == 200
        day.ward.write(result("p1", 0.8))
        day.until_alert("p1", LOW_COUNT, "open")
    notify(day, "p3")
    wait_until(lambda: [p for p in day.daemon.points() if p.what == ("write", "database")
                        and p.result == "4096"], what="the log is moved")
    finish(day)


@pytest.mark.parametrize("first, times", [
    (1, 1), (3, 7), (150, 7), (180, 7), (220, 7), (400, 1),
    *((first, 7) for first in range(100, 700, 5) if TORTURE)])
def test_a_disk_that_is_full_for_a_moment_costs_nothing(first, times):
    """Only while it starts may it end, since it cannot do anything yet. Nothing that was in hand then
    stays in hand: a claim that could not be given back, an alert whose retry could not be kept."""
    with cuts.Day(faults=[Fault("ENOSPC", "write", "wal", first, times)], may_fail=True) as day:
        day.play()
        day.judge(truth().alerts)
        assert failed_steps(day.first_life(), "write", "wal"), "the disk was never full"
        assert all(point.on not in ("hook", "server") for life in day.traces for point in life)


# What cannot be written at all

@pytest.mark.parametrize("do, at, on, words, fix", [
    ("EROFS", "open", "", "Read-only file system", "writable"),
    ("EROFS", "open", "wal", "unable to open", "writable"),
    ("ENOSPC", "write", "database", "full", "free space"),
    ("ENOSPC", "write", "wal", "full", "free space"),
    ("EIO", "sync", "folder", "Input/output error", "repair the disk"),
    ("EIO", "sync", "wal", "disk I/O error", "repair the disk"),
    ("EIO", "write", "database", "disk I/O error", "repair the disk"),
])
def test_a_store_that_cannot_be_written_is_told_at_the_start(day, do, at, on, words, fix):
    day.faults = [Fault(do, at, on, times=0)]
    day.start()
    assert day.daemon.wait_end() == 1
    last = day.daemon.lines[-1] if "fix" in day.daemon.lines[-1] else day.daemon.log()
    assert words in day.daemon.log() and fix in day.daemon.log(), last
    assert not [p for p in day.daemon.points() if p.on == "hook"], "it listened"


# A sync that did not work

def syncs(on):
    """Of a day; all of the few of the file, some of the many of the log. The first of the file is of
    its making, by another kind of transaction."""
    count, first = truth().steps["sync", on], 2 if on == "database" else 1
    return range(first, count + 1, 1 if TORTURE or count < 8 else count // 7)


@pytest.mark.parametrize("code", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("on", ["wal", "database", "folder"])
def test_a_failed_sync_is_the_end_of_a_life_and_never_tried_again(on, code):
    """ENOSPC is what a disk says that promised room it has not. The data of the failed sync are taken
    away: the kernel reports once, and forgets. Folders are synced by us behind SQLite, which does
    not look at the answer."""
    ended = 0
    for first in syncs(on):
        with cuts.Day(faults=[Fault(code, "sync", on, first)], power=True, may_fail=True) as day:
            day.play()
            day.judge(truth().alerts)
            steps = day.first_life()
        failed = [i for i, p in enumerate(steps) if p.what == ("sync", on) and p.result == "-1"]
        after = {p.what for i in failed[:1] for p in steps[i + 1:]
                 if p.on in ("wal", "database") and p.kind in ("write", "sync", "truncate")}
        ended += bool(failed and day.cuts)
        assert on == "folder" or not after, f"{after} after sync {first} of {on} had failed"
        told = [p for i in failed[:1] for p in steps[i + 1:] if p.what == ("accept", "hook")]
        assert on == "folder" or day.cuts or not told, f"it lived on after sync {first} of {on}"
    assert ended >= 1


def stopped_with_haste(day):
    """The exit code of a daemon that is asked to stop again at each sync that it comes to."""
    process = day.daemon.process
    with switched_on(day):
        process.send_signal(signal.SIGTERM)
        asked = 0
        while process.poll() is None:
            wait_until(lambda: process.poll() is not None or state_of(process.pid) == "T",
                       what="a sync, or the end", every=0.001)
            if process.poll() is None:
                asked += 1
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
    assert asked, "it came to no sync"
    return day.daemon.wait_end()


def state_of(pid):
    """As in ps; Z when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_a_second_wish_to_stop_changes_nothing(day):
    """However late it comes: the last thing that a stop does is to sync the store."""
    begin(day, Fault("pause", "sync", "database", times=0, during=day.switch))
    day.ward.write(*treated("p1"), result("p1", 0.8))
    day.until_alert("p1", LOW_COUNT, "open")
    day.until_quiet()
    assert notify(day, "p2")[0] == 200          # the log is not empty
    code = stopped_with_haste(day)
    assert code == 0 and "event=stopped" in day.daemon.log(), (code, day.daemon.log())


@pytest.mark.parametrize("do, at, code", [("EIO", "sync", 1), ("ENOSPC", "sync", 1),
                                          ("EIO", "write", 1), ("ENOSPC", "write", 0)])
def test_a_clean_stop_whose_last_step_fails_does_not_end_well(day, do, at, code):
    """Nobody waits for it: what was acknowledged stands in the log. But a sync that failed is not
    taken as if it had worked. A disk without room is none that fails: the log stays as it is."""
    begin(day, Fault(do, at, "database", times=0, during=day.switch))
    day.ward.write(*treated("p1"), result("p1", 0.8))
    day.until_alert("p1", LOW_COUNT, "open")
    day.until_quiet()
    with switched_on(day):
        status, _, _ = notify(day, "p2")        # the log is not empty
        assert day.daemon.stop() == code, day.daemon.log()
    assert status == 200
    failed = failed_steps(day.daemon.points(), at, "database")
    assert failed and (len(failed) == 1 or code == 0), f"there were {len(failed)} such steps"
    log = day.daemon.log()
    assert ("event=store-failed code=store.failed" in log) == (code == 1), log
    assert ("event=stopped" in log) == (code == 0)
    assert code == 0 or "see to the disk" in log
    day.look_at_remains()
    with Remains(day.daemon.config["store"]) as remains:
        assert remains.query("SELECT 1 FROM event WHERE id = 'p2-neutrophils'") == [(1,)]
    day.start()
    day.until_quiet()
    finish(day)


@pytest.mark.parametrize("kind, on", [("write", "wal"), ("write", "database"),
                                      ("truncate", "database"), ("unlink", "wal"),
                                      ("open", "wal"), ("open", "database")])
def test_an_error_of_the_disk_costs_nothing_that_was_acknowledged(kind, on):
    steps, met = truth().steps[kind, on], 0
    for first in range(1, steps + 1, max(1, steps // (steps if TORTURE else 6))):
        with cuts.Day(faults=[Fault("EIO", kind, on, first)], power=True, may_fail=True) as day:
            day.play()
            day.judge(truth().alerts)
            met += bool(failed_steps(day.first_life(), kind, on))
    assert met, "no life came to such a step"


def test_a_file_system_that_becomes_read_only_ends_the_life_and_costs_nothing(day):
    """As the kernel does it when it finds an error: what can no longer be kept is not taken."""
    begin(day, Fault("EROFS", "write", "wal,database", times=0, during=day.switch))
    day.ward.write(*treated("p1"))
    day.until_quiet()
    with switched_on(day):
        day.ward.hospital.deliveries(drop={})
        assert notify(day)[0] == 503
        assert day.daemon.wait_end() == 1
        log = day.daemon.log()
        assert "event=store-failed code=store.failed" in log and "see to the disk" in log, log
        failed = [p for p in day.daemon.points() if p.kind == "write" and p.result == "-1"]
        assert len(failed) == 1, failed
    day.ward.hospital.deliveries(drop=None)
    day.start()
    day.ward.write(result("p1", 0.8))
    day.until_alert("p1", LOW_COUNT, "open")
    finish(day)


# A torn log

class Wreck:
    """What a killed daemon left: its files, and for each acknowledged event how long the log was
    when the acknowledgement was seen. A reader kept the log from beginning anew."""

    def __init__(self):
        with cuts.Day() as day:
            begin(day)
            store = day.daemon.config["store"]
            day.acknowledged.measure = lambda: os.path.getsize(store + "-wal")
            with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True,
                                                    isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM event").fetchall()
                for pid in ("p1", "p2"):
                    day.ward.write(*treated(pid), result(pid, 0.8))
                    day.until_alert(pid, LOW_COUNT, "open")
                day.until_quiet()
                day.daemon.kill()
                self.database, self.log = self.read(store), self.read(store + "-wal")
            self.events = [(version.type, version.id, version.vid, size) for version, size
                           in zip(day.acknowledged.taken, day.acknowledged.sizes)]
        self.page = int.from_bytes(self.log[8:12], "big")

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def places(self):
        """Before, at and behind each end of a frame, and each sector."""
        frames = range(32, len(self.log), self.page + 24)
        return sorted({place for end in frames for place in (end - 1, end, end + 1)}
                      | set(range(0, len(self.log), 512)))

    def put(self, folder, log):
        store = os.path.join(folder, "adapter.db")
        for path, data in ((store, self.database), (store + "-wal", log)):
            with open(path, "wb") as file:
                file.write(data)
        return store


def lives(folder):
    """A daemon starts on the store there, whose server is away, and stops again."""
    daemon = Daemon(f"http://127.0.0.1:{free_port()}/fhir", folder)
    daemon.start()
    try:
        daemon.wait_log("event=listening")
        assert daemon.stop() == 0, daemon.log()
    finally:
        daemon.kill()
    return daemon


def test_a_log_torn_anywhere_keeps_what_was_acknowledged_before(tmp_path):
    wreck, chance = Wreck(), random.Random(1)
    places = wreck.places()
    assert len(wreck.events) >= 8 and len(places) > 300
    tried = places if TORTURE else [0, 31, 32, *chance.sample(places, 25)]
    for number, place in enumerate(tried):
        rest = chance.randbytes(len(wreck.log) - place) if number % 2 else b""
        folder = tmp_path / str(place)
        folder.mkdir(mode=0o700)
        store = wreck.put(folder, wreck.log[:place] + rest)
        lives(folder)
        with contextlib.closing(sqlite3.connect(store)) as db:
            kept = set(db.execute("SELECT type, id, version FROM event"))
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        lost = [event for event in wreck.events if event[3] <= place and event[:3] not in kept]
        assert not lost, f"torn at {place} of {len(wreck.log)}: {lost}"
        if place <= 32:
            assert not kept, "a log without its head was read"
        shutil.rmtree(folder)


# Other programs, other versions

def test_a_newer_file_is_refused_with_a_word(day):
    begin(day)
    assert day.daemon.stop() == 0
    with contextlib.closing(sqlite3.connect(day.daemon.config["store"])) as db:
        db.execute("PRAGMA user_version = 99")
    day.daemon.start()
    assert day.daemon.wait_end() == 1
    assert "the file has schema 99" in day.daemon.log()
    assert "install the program that wrote it" in day.daemon.log()
    with contextlib.closing(sqlite3.connect(day.daemon.config["store"])) as db:
        assert db.execute("PRAGMA user_version").fetchall() == [(99,)]


def test_a_reader_that_stays_is_named_at_the_start(day):
    """An operator's sqlite3 in the middle of a query: the log cannot be moved, and must be."""
    begin(day)
    store = day.daemon.config["store"]
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event").fetchall()
        day.ward.write(*treated("p1"))
        day.until_quiet()
        day.daemon.kill()
        day.daemon.start()
        assert day.daemon.wait_end() == 1
        assert "end the program that has it open" in day.daemon.log()
    day.daemon.start()
    day.until_quiet()


# Flipped bits

FLIPS = 2000 if TORTURE else 10


class Rot:
    """The hospital of a day with open alerts, and its store, of which bits are flipped."""

    def __init__(self, day, clean):
        self.day, self.path = day, day.daemon.config["store"]
        begin(day)
        for pid in ("p1", "p2"):
            day.ward.write(*treated(pid), result(pid, 0.8))
            day.until_alert(pid, LOW_COUNT, "open")
        day.until_quiet()
        if clean:
            day.end()
        else:
            day.daemon.kill()
        self.files = {suffix: Wreck.read(self.path + suffix) for suffix in ("", "-wal", "-mark")
                      if os.path.exists(self.path + suffix)}
        self.alerts = day.alerts()

    def put(self, **changed):
        for suffix in ("", "-wal", "-shm", "-mark"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path + suffix)
        for suffix, data in {**self.files, **changed}.items():
            with open(self.path + suffix, "wb") as file:
                file.write(data)

    def flip(self, suffix, chance):
        bits = bytearray(self.files[suffix])
        for place in chance.choices(range(len(bits)), k=chance.choice((1, 1, 3, 20))):
            bits[place] ^= 1 << chance.randrange(8)
        self.put(**{suffix: bits})

    def live(self):
        """A life in which every chart is looked at. Returns its exit code and log."""
        day, daemon = self.day, self.day.daemon
        daemon.lines.clear()
        daemon.start()

        def over(word):
            return daemon.process.poll() is not None or word in daemon.log()
        wait_until(lambda: over("event=ready"), what="ready or over", explain=daemon.log)
        daemon.process.poll() is None and daemon.reload()
        wait_until(lambda: over("event=reloaded"), what="looked at or over", explain=daemon.log)
        wait_until(lambda: over("\0") or day.ward.is_settled(), what="quiet", explain=daemon.log)
        return daemon.stop(), daemon.log()


def check_flipped(rot, code, log):
    assert code in (0, 1), f"ended with {code}"
    assert rot.day.alerts() == rot.alerts, rot.day.alerts()
    rot.day.look_for_twins()
    if code == 1:
        assert re.search("store\\.|malformed|not a database|schema|another program|not as this", log)
        assert re.search("restore the file|fix=|choose another path|install the program|repair", log)


@pytest.mark.parametrize("suffix, clean", [("", True), ("", False), ("-wal", False),
                                           ("-mark", False)],
                         ids=["file", "file with a log", "log", "mark"])
def test_flipped_bits_are_told_or_do_no_harm(suffix, clean):
    with cuts.Day(settings=SLOW) as day:
        rot, codes = Rot(day, clean), []
        for seed in range(FLIPS):
            rot.flip(suffix, random.Random(seed))
            code, log = rot.live()
            try:
                check_flipped(rot, code, log)
            except AssertionError as problem:
                raise AssertionError(f"seed {seed}: {problem}\n{log}") from problem
            codes.append(code)
        assert suffix or 1 in codes, "none was seen"


def test_a_digit_that_became_another_is_never_believed(day):
    """0.8 and 8.8 are one bit apart: the pages are in order, and a low count would be well."""
    rot = Rot(day, clean=True)
    found = [m.start() for m in re.finditer(rb'"value": ?0\.8', rot.files[""])]
    assert found
    for place in found:
        digit = rot.files[""].index(b"0.8", place)
        rot.put(**{"": rot.files[""][:digit] + b"8" + rot.files[""][digit + 1:]})
        code, log = rot.live()
        assert day.alerts() == rot.alerts
        assert code == 0 or ("malformed" in log and "restore the file" in log), log
    assert code == 1, "the last one stands in a chart"


def test_what_an_operator_changes_by_hand_is_believed(day):
    rot = Rot(day, clean=True)
    rot.put()
    with contextlib.closing(sqlite3.connect(rot.path)) as db:
        assert db.execute("UPDATE resource SET json = replace(json, '0.8', '8.8')"
                          " WHERE id = 'p1-neutrophils'").rowcount == 1
        db.commit()
        assert db.execute("SELECT id FROM resource WHERE seal IS NULL").fetchall() == [
            ("p1-neutrophils",)]
    assert rot.live()[0] == 0
    assert [a.split()[2] for a in day.alerts()] != ["open", "open"]


def test_transactions_that_a_log_has_lost_are_told(day):
    """Each was synced before the next began: no power cut leaves such a log. Of its last one the mark
    beside it knows; without the mark it looks like one that was cut off by a power cut."""
    rot = Rot(day, clean=False)
    whole, page = rot.files["-wal"], int.from_bytes(rot.files["-wal"][8:12], "big")
    frames = range(32, len(whole), page + 24)
    commits = [at for at in frames if int.from_bytes(whole[at + 4:at + 8], "big")]

    def flipped(place):
        return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:]

    def told(log, **more):
        rot.put(**{"-wal": log, **more})
        code, text = rot.live()
        assert code == 0, text
        assert day.alerts() == rot.alerts
        return "event=store-damaged code=store.corrupt" in text

    other = bytes([rot.files["-mark"][8] ^ 1]) + rot.files["-mark"][1:]
    assert not told(whole)
    for mark, last in ((rot.files["-mark"], True), (b"", False), (other, False)):
        mark = {"-mark": mark}
        assert told(flipped(commits[-4] + 30), **mark)
        assert told(flipped(commits[0] + 70), **mark)
        assert told(flipped(commits[-1] + 30), **mark) == last
        assert told(whole[:commits[-4] + 30], **mark) == last       # cut off
        assert told(flipped(9), **mark) == last                     # its head
