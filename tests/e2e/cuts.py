#!/usr/bin/python3
"""A day of three patients, with the daemon killed at a given step of a disk or a line, started again
as often as it takes, and judged by what is left behind.

    cuts.py                                     the undisturbed day, and the steps that it takes
    cuts.py --server 1 kill-after:sync:wal:17   ... killed after the 17th sync of the log
    cuts.py kill-half:write:wal:40+power kill-before:::12
                                                ... a power cut; the second life ends at its 12th step
    cuts.py --seed 7                            what seed 7 makes up

A cut is DO:KINDS:CLASSES:NUMBER, as in tests/fault/fault.c. "+power" takes away parts of what was
written and not yet synced, as a disk without power may."""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import sys
import tempfile

from faults import Fault, FaultyDaemon, Remains, points
from waiting import free_port, wait_until
from ward import (LOW_COUNT, NSAID, Ward, WatchedHospital, alert_rule_of, alert_status, at,
                  evidence, moment, order, result, treated)

# What a hospital is like; the three ways to write an alert at most once, and a broken promise.
SERVERS = ({"update_create": True}, {"update_create": False, "conditional_create": True},
           {"update_create": False, "conditional_create": False},
           {"update_create": False, "false_conditional_create": True})
# Nothing but its notification tells of a deletion: notifications outlast a daemon that is away.
HOSPITAL = {"retry_seconds": 120, "retry_first": 0.02, "activation_delay": 0.005}
POLL = {"poll": {"every": "1 s", "subscriptions": "1 s", "overlap": "60 s"}}

INCOMING = ("accept", "receive")        # a step once it has come: it can only be died after
SHARED = ("write", "send")              # can be done by half
SECTOR = 512


class Acknowledged:
    """The notifications that got a 2xx: what must never be lost."""

    def __init__(self, hospital):
        self.taken, self.sizes = [], []
        self.measure = lambda: 0        # what a test wants to know of each moment
        attempt, notifier = hospital.notifier._attempt, hospital.notifier

        def watched(head, job):
            good = attempt(head, job)
            if good:
                self.sizes.append(self.measure())
                self.taken.append(job.version)
            return good
        notifier._attempt = watched

    def missing(self, remains):
        """Those that are not in the journal."""
        rows = remains.query("SELECT type, id, version, change FROM event")
        kept = {(rtype, rid, version) for rtype, rid, version, _ in rows}
        gone = {(rtype, rid) for rtype, rid, _, change in rows if change == 1}
        return [f"{v.reference} version {v.vid}" for v in list(self.taken)
                if ((v.type, v.id, v.vid) not in kept if v.resource is not None
                    else (v.type, v.id) not in gone)]


def lose_power(store, steps, chance):
    """What was written after the last sync of its file may be there, or not, in any part."""
    for on, path in (("database", store), ("wal", store + "-wal"), ("file", store + "-journal")):
        mine = [p for p in steps if p.on == on and p.kind in ("write", "sync")]
        synced = max((p.number for p in mine if p.kind == "sync" and p.result == "0"), default=0)
        if not os.path.exists(path):
            continue
        with open(path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            for step in mine:
                if step.kind == "write" and step.number > synced:
                    lose_parts(file, step.offset, min(step.offset + step.length, size), chance)


def lose_parts(file, begin, end, chance):
    while begin < end:
        after = min(begin - begin % SECTOR + SECTOR, end)
        if chance.random() < 0.5:
            file.seek(begin)
            file.write(chance.choice((bytes, chance.randbytes))(after - begin))
        begin = after


class Day:
    """One run of the story. faults: what ends the first life, the second ... may_fail: a life may
    end by itself, with 1, because of its fault."""

    def __init__(self, server=0, faults=(), power=False, seed=0, may_fail=False, settings=None):
        self.may_fail = may_fail
        self.server, self.power, self.chance = server, power, random.Random(seed)
        self.planned, self.faults = list(faults), list(faults)
        self.born = 0           # lines of the log before this life
        self.cuts = []          # the steps that were the last of a life
        self.traces = []        # the steps of each life that ended so
        self.folder = tempfile.mkdtemp(prefix="cut-")
        self.hospital = WatchedHospital(free_port(), **HOSPITAL, **SERVERS[server])
        self.acknowledged = Acknowledged(self.hospital)
        self.daemon = FaultyDaemon(self.hospital.base, self.folder, settings=settings or POLL)
        self.ward = Ward(self.hospital, self.daemon)

    def __enter__(self):
        self.hospital.start()
        return self

    def __exit__(self, *_):
        self.daemon.kill()
        self.hospital.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def words(self):
        """The command line that does the same again."""
        power = "+power" if self.power else ""
        return " ".join(["tests/e2e/cuts.py", "--server", str(self.server),
                         *(f"{f.do}:{f.at}:{f.on}:{f.first}{power}" for f in self.planned)])

    # lives

    def first_life(self):
        """Its steps."""
        return points(os.path.join(self.folder, "trace-1"))

    def start(self):
        self.born = len(self.daemon.lines)
        self.daemon.start(self.faults.pop(0) if self.faults else None)

    def revive(self):
        """Starts the daemon again when its fault has killed it."""
        daemon = self.daemon
        if daemon.process.poll() is None:
            return
        code = daemon.wait_end()
        assert code == -signal.SIGKILL or (code == 1 and self.may_fail), (
            f"ended with {code}\n{daemon.log()[-4000:]}")
        self.traces.append(daemon.points())
        self.cuts.append(self.traces[-1][-1])
        if self.power:
            lose_power(daemon.config["store"], daemon.points(), self.chance)
        self.look_at_remains()
        self.start()

    def look_at_remains(self):
        with Remains(self.daemon.config["store"]) as remains:
            if not remains.has_tables():
                assert not self.acknowledged.taken, "acknowledged, and there is no store"
                return
            damage = remains.query("PRAGMA integrity_check")
            assert damage == [("ok",)], f"damaged: {damage}"
            missing = self.acknowledged.missing(remains)
            assert not missing, f"acknowledged and lost: {missing}"

    def until(self, condition, what):
        def good():
            self.revive()
            return condition()
        return wait_until(good, what=what, explain=self.ward.explain, every=0.005)

    def until_alert(self, pid, rule, status, where=lambda alert: True):
        self.until(lambda: any(where(a) for a in self.ward.alerts(pid, rule, status)),
                   f"{rule} {status} for {pid}")

    def until_subscribed(self):
        self.until(lambda: len([s for s in self.ward.subscriptions().values()
                                if s["status"] == "active"]) == 3, "three active Subscriptions")

    def until_quiet(self):
        """... in a life that has come so far that it knows SIGTERM, and has not ended meanwhile."""
        self.until(lambda: "event=ready" in "\n".join(self.daemon.lines[self.born:])
                   and self.ward.is_settled() and self.daemon.process.poll() is None,
                   "ready, and nothing waits")

    # the story

    def play(self):
        self.start()
        self.until_subscribed()
        self.unheard()
        self.course()
        self.until_alert("b", NSAID, "ended")
        self.until_quiet()
        self.end()

    def end(self):
        """The end has steps, too. What a poll found in the last moment waits for the next life."""
        while (code := self.daemon.stop()) != 0 or self.waiting():
            if code == 0:
                self.start()
            else:
                self.revive()
            self.until_quiet()

    def waiting(self):
        with Remains(self.daemon.config["store"]) as remains:
            return remains.query("SELECT count(*) FROM event WHERE state = 0")[0][0]

    def unheard(self):
        """b: the notifications get lost, only a poll tells."""
        self.hospital.deliveries(drop={})
        self.ward.write(*treated("b"), order("b", "naproxen", since="-1 h"))
        self.hospital.deliveries(drop=None)

    def course(self):
        write, until = self.ward.write, self.until_alert
        write(*treated("a"), result("a", 0.8, name="a-1", when="-9 h"))
        until("a", LOW_COUNT, "open")
        write(result("a", 0.6, name="a-2", when="-8 h"))
        until("a", LOW_COUNT, "open", lambda alert: evidence(alert) == ["Observation/a-2"])
        write(*treated("c"), result("c", 0.7, name="c-1", when="-7 h"))
        until("c", LOW_COUNT, "open")
        write(result("a", 2.4, name="a-3", when="-6 h"))
        until("a", LOW_COUNT, "ended")
        self.ward.edit("Observation", "c-1", status="entered-in-error")
        until("c", LOW_COUNT, "retracted")
        write(result("c", 0.5, name="c-2", when="-5 h"))
        until("c", LOW_COUNT, "open")
        self.hospital.delete("Observation", "c-2")
        self.until(lambda: len(self.ward.alerts("c", LOW_COUNT, "retracted")) == 2,
                   "what rested on a deleted result is retracted")
        write(result("a", 0.9, name="a-4", when="-1 h"))
        until("a", LOW_COUNT, "open")
        until("b", NSAID, "open")
        self.ward.edit("MedicationRequest", "b-naproxen", status="stopped")

    # the judgement

    def alerts(self):
        """What stands there in the end, one line each."""
        return sorted(f"{a['patient']['reference']} {alert_rule_of(a)} {alert_status(a)}"
                      for a in self.ward.alerts())

    def judge(self, truth):
        """truth: alerts() of an undisturbed day."""
        assert "event=store-damaged" not in self.daemon.log(), "what nobody lost is called lost"
        assert self.alerts() == truth, f"{self.alerts()} instead of {truth}"
        self.look_for_twins()
        self.look_at_periods()
        self.look_at_remains()
        self.look_at_books()

    def look_for_twins(self):
        """In everything that was ever written."""
        ids = collections.defaultdict(set)
        for version in self.hospital.history("DetectedIssue"):
            assert version["resource"], f"DetectedIssue/{version['id']} was deleted"
            ids[version["resource"]["identifier"][0]["value"]].add(version["id"])
        assert all(len(found) == 1 for found in ids.values()), f"twins: {dict(ids)}"

    def look_at_periods(self):
        starts = collections.defaultdict(set)
        for version in self.hospital.history("DetectedIssue"):
            period = version["resource"]["identifiedPeriod"]
            starts[version["id"]].add(period["start"])
            assert moment(period.get("end", at())) >= moment(period["start"]), period
        assert all(len(found) == 1 for found in starts.values()), f"began twice: {dict(starts)}"

    def look_at_books(self):
        """Received = done + outside + aside + waiting, nothing waits, nothing is owed or left over."""
        with Remains(self.daemon.config["store"]) as remains:
            found = remains.query("SELECT via, state, count(*) FROM event GROUP BY via, state")
            kept = remains.query("SELECT via, fate, n FROM ledger WHERE fate < 5 AND n > 0")
            assert sorted(found) == sorted(kept), f"events {found}, the books say {kept}"
            wrong = remains.query("SELECT via FROM ledger GROUP BY via HAVING"
                                  " sum(n) FILTER (WHERE fate < 5) <> max(n) FILTER (WHERE fate = 5)")
            assert not wrong, f"received is not what became of it, by way {wrong}"
            assert 0 not in {state for _, state, _ in found}, f"events wait: {found}"
            owed = remains.query("SELECT rule, state, code FROM outbox WHERE state <> 2")
            assert not owed, f"owed: {owed}"
            left = remains.query("SELECT count(*) FROM payload WHERE seq NOT IN"
                                 " (SELECT seq FROM event WHERE state IN (0, 3))")
            assert left == [(0,)], f"{left} payloads of events that are done"


class Truth:
    """An undisturbed day: its alerts, and how many steps of each kind it took."""

    def __init__(self, server):
        with Day(server) as day:
            day.play()
            self.alerts, steps = day.alerts(), day.first_life()
            day.judge(self.alerts)
        self.steps = collections.Counter(point.what for point in steps)
        self.total = len(steps)


def ways_to_die(kind):
    if kind in INCOMING:
        return ("kill-after",)
    return ("kill-before", "kill-half", "kill-after") if kind in SHARED else (
        "kill-before", "kill-after")


def spread(truth, count):
    """About `count` cuts that meet every kind of step, at its beginning, middle and end."""
    faults, each = [], max(1, round(count / len(truth.steps)))
    for (kind, on), steps in sorted(truth.steps.items()):
        ways = ways_to_die(kind)
        for n in range(min(each, steps)):
            first = 1 + (2 * n + 1) * steps // (2 * each)
            faults.append(Fault(ways[(n + len(faults)) % len(ways)], kind, on, first))
    return faults


def made_up(truth, chance):
    """(faults, power) of a seed: any step, or one of a kind, then perhaps an early one again."""
    kind, on = chance.choice(sorted(truth.steps))
    if chance.random() < 0.5:
        faults = [Fault(chance.choice(ways_to_die(kind)), kind, on,
                        chance.randint(1, truth.steps[kind, on]))]
    else:
        faults = [Fault(chance.choice(ways_to_die("write")), first=chance.randint(1, truth.total))]
    while chance.random() < 0.35:
        faults.append(Fault(chance.choice(ways_to_die("write")), first=chance.randint(1, 90)))
    return faults, chance.random() < 0.4


def run(truth, server, faults, power=False, seed=0):
    """The steps that were cut; AssertionError with the way to see it again."""
    with Day(server, faults, power, seed) as day:
        try:
            day.play()
            day.judge(truth.alerts)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{day.daemon.log()[-3000:]}\nagain: {day.words()}"
                                 ) from problem
        return day.cuts


def fault_of(word):
    do, kinds, on, first = word.split(":")
    return Fault(do, kinds, on, int(first))


def main():
    parser = argparse.ArgumentParser(description="A day with cuts.")
    parser.add_argument("cuts", nargs="*", metavar="DO:KINDS:CLASSES:NUMBER[+power]")
    parser.add_argument("--server", type=int, default=0, choices=range(len(SERVERS)))
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    server = arguments.server if arguments.seed is None else arguments.seed % len(SERVERS)
    truth = Truth(server)
    if arguments.seed is not None:
        faults, power = made_up(truth, random.Random(arguments.seed))
    else:
        faults = [fault_of(word.removesuffix("+power")) for word in arguments.cuts]
        power = any(word.endswith("+power") for word in arguments.cuts)
    if not faults:
        print(json.dumps({"alerts": truth.alerts, "steps": {
            " ".join(what): n for what, n in sorted(truth.steps.items())}}, indent=1))
    print("cut:", *run(truth, server, faults, power, arguments.seed or 0), sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
