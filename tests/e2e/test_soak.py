"""Soak: ten times the load of a big hospital, and memory and descriptors stay flat.

The load: a million events a day are 12 a second; here 120 a second arrive by four connections. Of a
hundred, 97 are results of patients outside the cohort, one is a result of a myeloma patient on the
server, whose alert is raised, updated or ended by it, one repeats another, and one is rubbish; in
between the metrics are read, and the server fails now and then. MM_TORTURE=1 takes an hour
(MM_SOAK_SECONDS), make test six seconds.

Flat: the median of the last quarter is no more than MARGIN above that of the second."""
import collections
import http.client
import json
import os
import statistics
import threading
import time

import pytest

from test_convergence import twins
from test_hostile import memory_mb
from waiting import DEADLINE
from ward import result, treated

SECONDS = float(os.environ.get("MM_SOAK_SECONDS", "3600" if os.environ.get("MM_TORTURE") else "6"))
RATE, SENDERS, PATIENTS = 120, 4, 20
MARGIN_MB, MARGIN_PART, MARGIN_DESCRIPTORS = 4, 0.05, 8
VALUES = (0.8, 0.7, 0.6, 2.5, 0.9)


class Sender(threading.Thread):
    """One connection that is kept, and so many events a second."""

    def __init__(self, ward, number, clock):
        super().__init__(daemon=True)
        self.ward, self.number, self.clock = ward, number, clock
        self.key, self.peer, self.sent = ward.secret(), None, 0
        self.statuses = collections.Counter()

    def run(self):
        begin = time.monotonic()
        while not self.clock.is_set():
            self.step(self.sent * SENDERS + self.number)
            self.sent += 1
            ahead = begin + self.sent * SENDERS / RATE - time.monotonic()
            if ahead > 0:
                self.clock.wait(ahead)
        if self.peer:
            self.peer.close()

    def step(self, number):
        kind = number % 100
        if kind == 50:
            self.a_patient_of_ours(number)
        elif kind == 60:
            self.post(f"out-{number - 100}", number - 100)
        elif kind == 70:
            self.send("PUT", "/hook/Observation/Observation/x", b'{"resourceType": 7', 400)
        else:
            self.post(f"out-{number}", number)
        if kind == 80:
            self.send("GET", "/metrics", None, 200)

    def a_patient_of_ours(self, number):
        pid = f"p{number // 100 % PATIENTS}"
        value = VALUES[number // 100 // PATIENTS % len(VALUES)]
        self.ward.write(result(pid, value, when="-1 min"))

    def post(self, name, number):
        body = {**result(f"q{number % 5000}", 2.5, name=name),
                "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}}
        self.send("PUT", f"/hook/Observation/Observation/{name}", json.dumps(body).encode(), 200)

    def send(self, method, path, body, wanted):
        """As a server does: what was cut off or refused for now is sent again."""
        for _ in range(100):
            status = self.attempt(method, path, body)
            self.statuses[status] += 1
            if status == wanted or self.clock.is_set():
                return
            self.clock.wait(0.1)

    def attempt(self, method, path, body):
        try:
            if self.peer is None:
                self.peer = http.client.HTTPConnection("127.0.0.1", self.ward.daemon.port,
                                                       timeout=DEADLINE)
            self.peer.request(method, path, body, {"X-Myeloma-Adapter-Key": self.key})
            answer = self.peer.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.peer.close()
            self.peer = None
            return "cut off"


def descriptors(pid):
    """Those that are open. Only root may look, since it is not dumpable: for others, the places that
    the kernel keeps for them."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("FDSize:"))


class Watch:
    """Memory and descriptors of a process, at even distances."""

    def __init__(self, pid):
        self.pid, self.memory, self.descriptors = pid, [], []

    def look(self):
        self.memory.append(memory_mb(self.pid, "VmRSS"))
        self.descriptors.append(descriptors(self.pid))

    @staticmethod
    def quarters(values):
        """The medians of the second and of the last quarter."""
        part = len(values) // 4
        return statistics.median(values[part:2 * part]), statistics.median(values[-part:])

    def check(self):
        before, after = self.quarters(self.memory)
        print(f"memory {before:.1f} MB, then {after:.1f} MB; greatest {max(self.memory):.1f} MB")
        assert after <= before * (1 + MARGIN_PART) + MARGIN_MB, self.memory
        before, after = self.quarters(self.descriptors)
        print(f"descriptors {before:g}, then {after:g}; most {max(self.descriptors)}")
        assert after <= before + MARGIN_DESCRIPTORS, self.descriptors


def test_the_margins_tell_growth_from_rest():
    """The judge is judged: a megabyte more in each hundredth of the time is growth."""
    watch = Watch(os.getpid())
    watch.memory = [50 + n % 3 for n in range(100)]
    watch.descriptors = [30 + n % 5 for n in range(100)]
    watch.check()
    for grown in ("memory", "descriptors"):
        leaking = Watch(os.getpid())
        leaking.memory, leaking.descriptors = list(watch.memory), list(watch.descriptors)
        setattr(leaking, grown, [50 + n for n in range(100)])
        with pytest.raises(AssertionError):
            leaking.check()


def test_ten_times_the_load_leaves_memory_and_descriptors_flat(house):
    ward = house.ward(settings={"logLevel": "info", "poll": {"every": "5 s", "subscriptions": "5 s",
                                                             "overlap": "10 s"}})
    for n in range(PATIENTS):
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    ward.alert(f"p{PATIENTS - 1}")
    ward.settle()
    clock, watch = threading.Event(), Watch(ward.daemon.process.pid)
    senders = [Sender(ward, n, clock) for n in range(SENDERS)]
    begin = time.monotonic()
    for sender in senders:
        sender.start()
    while time.monotonic() < begin + SECONDS:
        assert ward.daemon.process.poll() is None, ward.daemon.log()[-3000:]
        watch.look()
        if len(watch.memory) % 20 == 0:
            ward.hospital.fail(path="DetectedIssue", times=1, answer=503,
                               headers={"Retry-After": "1"})
        clock.wait(max(SECONDS / 1000, 0.05))
    took = time.monotonic() - begin
    clock.set()
    for sender in senders:
        sender.join(DEADLINE)
    ward.hospital.reset()
    sent = sum(sender.sent for sender in senders)
    statuses = sum((sender.statuses for sender in senders), collections.Counter())
    print(f"{sent} events in {took:.0f} s, {sent / took:.0f} a second; answers {dict(statuses)}")
    watch.check()
    assert set(statuses) <= {200, 400, 503, "cut off"}
    assert statuses[200] > 0.9 * sent
    ward.settle()
    assert twins(ward) == []
