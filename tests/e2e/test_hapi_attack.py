"""A real HAPI server of each release, attacked: killed and started again under load, its Subscriptions
deleted by hand, the daemon killed, or down for a while. A seed makes up what is written meanwhile. In
the end the open alerts are those that a daemon without a past finds in everything on the server.

MM_TORTURE=1 attacks longer, and more than once."""
import os
import random
import threading
import time
from collections import Counter
from http.client import HTTPException

import pytest

from hapi_server import START_DEADLINE, http
from real_ward import RealHospital, RealWard, make_topics
from waiting import TooLate, wait_until
from ward import LOW_COUNT, Ward, alert_rule_of, low, order, patient_of, result, treated

LONG = os.environ.get("MM_TORTURE") == "1"
ROUNDS = 6 if LONG else 1
BURST = 60 if LONG else 20      # writes between two strokes

PATIENTS = [f"att-{n}" for n in range(8 if LONG else 4)]        # of the load
ENDING, STOPPED, LATE = "att-ending", "att-stopped", "att-late"  # of the strokes
TYPES = ("MedicationRequest", "Observation", "Condition")
DATA = ("Patient", "Condition", "MedicationRequest", "Observation")
SETTINGS = {"name": "attacked", "poll": {"every": "1 s", "subscriptions": "1 s", "overlap": "30 s"},
            "subscribe": {"by": "topic"}}   # by criteria where the server has no topics: R4
DEADLINE = 2 * START_DEADLINE   # of a step that may have to wait for a server that starts


class Load:
    """A hospital at work: what its seed says, one write after the other, each until the server has
    taken it. The server may be gone meanwhile."""

    def __init__(self, hospital, seed):
        self.hospital, self.random = hospital, random.Random(seed)
        self.done, self.ended, self.failed = 0, False, None
        self.thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(DEADLINE)
        assert not self.failed, self.failed

    def wait(self, more):
        """Until so many more writes are done."""
        until = self.done + more
        wait_until(lambda: self.failed or self.done >= until, DEADLINE, f"{more} writes")

    def _work(self):
        try:
            while not self.ended:
                self._keep(*self._step())
                self.done += 1
        except Exception as error:      # for the main thread, which asks
            self.failed = error

    def _keep(self, write, what):
        """As a client that got no answer does it: the same again."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return write(what)
            except (OSError, HTTPException, AssertionError) as error:
                if time.monotonic() > end:
                    raise TooLate(f"never taken: {what}: {error}") from error
                time.sleep(0.2)

    def _step(self):
        steps = {self._result: 55, self._order: 20, self._painkiller: 10, self._mistake: 10,
                 self._deletion: 5}
        return self.random.choices(list(steps), steps.values())[0](self.random.choice(PATIENTS))

    def _result(self, pid, status="final"):
        return self.hospital.put, result(
            pid, self.random.choice([0.3, 0.8, 1.2, 2.5]), status=status,
            name=f"{pid}-n{self.random.randrange(3)}", when=f"-{self.random.randrange(1, 50)} h")

    def _order(self, pid):
        status = self.random.choice(["active", "active", "on-hold", "stopped", "entered-in-error"])
        return self.hospital.put, order(pid, "lenalidomide", status=status)

    def _painkiller(self, pid):
        status = self.random.choice(["active", "stopped"])
        return self.hospital.put, order(pid, "naproxen", status=status)

    def _mistake(self, pid):
        return self._result(pid, self.random.choice(["entered-in-error", "corrected"]))

    def _deletion(self, pid):
        return self._delete, f"{pid}-n{self.random.randrange(3)}"

    def _delete(self, name):
        answer = http("DELETE", f"{self.hospital.base}/Observation/{name}")
        assert answer.status in (200, 204, 404, 410), answer.text


# The strokes, each under load

def begin_again(ward):
    ward.born = len(ward.daemon.lines)
    ward.daemon.start()


def server_is_killed(hapi, ward, load):
    ward.write(result(LATE, 0.8))
    hapi.kill()
    load_before = load.done
    hapi.start()
    wait_until(lambda: load.done > load_before, DEADLINE, "the load goes on")


def subscriptions_are_deleted(_, ward, load):
    for subscription in ward.hospital.resources("Subscription"):
        http("DELETE", f"{ward.hospital.base}/Subscription/{subscription['id']}")
    load.wait(BURST)


def daemon_is_killed(_, ward, load):
    ward.daemon.kill()
    load.wait(2)
    begin_again(ward)


def daemon_is_away(_, ward, load):
    ward.daemon.wait_log("event=ready", DEADLINE, ward.born)    # it knows SIGTERM by then
    assert ward.daemon.stop() == 0, ward.daemon.log()[-3000:]
    ward.write(result(ENDING, 2.2, name=ENDING + "-2", when="-1 s"),
               order(STOPPED, "lenalidomide", status="stopped"))
    load.wait(BURST)
    begin_again(ward)


def server_and_daemon_are_killed(hapi, ward, load):
    ward.daemon.kill()
    hapi.kill()
    begin_again(ward)       # before there is a server
    hapi.start()
    load.wait(2)


STROKES = [subscriptions_are_deleted, server_is_killed, daemon_is_killed, daemon_is_away]


# The end

def polled(ward):
    """Until everything was polled twice and nothing waits: the first poll that is seen may have begun
    before, the second has not."""
    for _ in range(2):
        since = len(ward.daemon.lines)
        for rtype in TYPES:
            ward.daemon.wait_log(f"event=polled type={rtype} ", DEADLINE, since=since)
    ward.settle(DEADLINE)


def asked_for_deletions(ward, since):
    """Twice, for the same reason. No search shows what is gone, and of ten polls one asks for it."""
    asked = "event=polled-deletions type=Observation "
    wait_until(lambda: sum(asked in line for line in ward.daemon.lines[since:]) >= 2, DEADLINE, asked,
               ward.explain)


def fresh(house, ward):
    """A daemon without a past, beside a stand-in that holds what the server holds."""
    hospital = house.hospital()
    for rtype in DATA:
        for resource in ward.hospital.resources(rtype):
            hospital.put(resource)
    made = Ward(hospital, house.daemon(hospital.base, hook=False, settings=SETTINGS))
    made.daemon.wait_ready()
    return made


def of_the_attack(alerts):
    return [a for a in alerts if patient_of(a).startswith("Patient/att-")]


def open_alerts(ward):
    return Counter((patient_of(a), alert_rule_of(a)) for a in of_the_attack(ward.alerts(status="open")))


def twins(ward):
    """Identifiers that more than one alert has."""
    count = Counter(i["value"] for a in of_the_attack(ward.alerts())
                    if a["status"] != "entered-in-error" for i in a["identifier"])
    return [value for value, number in count.items() if number > 1]


def test_in_the_end_the_alerts_are_those_of_a_fresh_evaluation(hapi_of_release, house):
    hapi, seed = hapi_of_release, 7
    hospital = RealHospital(hapi.base, hapi.release)
    make_topics(hospital)
    ward = RealWard(hospital, house.daemon(hapi.base, settings=SETTINGS))
    ward.born = 0
    ward.daemon.wait_ready()
    for pid in (*PATIENTS, LATE):
        ward.write(*treated(pid))
    for pid in (ENDING, STOPPED):
        low(ward, pid)
    with Load(hospital, seed) as load:
        load.wait(BURST)
        for number in range(ROUNDS):
            strokes = STROKES if number == 0 else random.Random(number).sample(
                [*STROKES, server_and_daemon_are_killed], len(STROKES))
            for stroke in strokes:
                stroke(hapi, ward, load)
                load.wait(BURST)
    since = len(ward.daemon.lines)
    truth = fresh(house, ward)
    asked_for_deletions(ward, since)
    for one in (ward, truth):
        polled(one)
    mine, wanted = open_alerts(ward), open_alerts(truth)
    assert ("Patient/" + LATE, LOW_COUNT) in wanted, wanted
    assert not twins(ward)
    assert mine == wanted, (f"missing {wanted - mine}, too many {mine - wanted}\n"
                            f"{ward.daemon.log()[-8000:]}")
    for pid in (ENDING, STOPPED):
        ward.alert(pid, status="ended")
    # And it still listens: a server that was restarted counts its notifications from one again.
    ward.subscribed()
    ward.hearing(*TYPES)
