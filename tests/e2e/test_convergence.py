"""Whatever happens on the way, the end is the same. A seed makes up a day: results, orders and
corrections, while notifications are lost, doubled, late, out of order or old, the server fails and
pages badly, and the daemon is killed and started again. Afterwards the open alerts are those that
a fresh daemon finds in the same data.

MM_CONVERGE_SEEDS=N tries N more seeds, MM_TORTURE=1 200. A seed fixes what is written and which
faults happen; how they meet in time differs a little from run to run."""
import os
import random
from collections import Counter

import pytest

from waiting import wait_until
from ward import alert_rule_of, evidence, order, result, treated

# A HAPI that deletes and loses no notification, a Medplum and a server that chooses ids that do.
MORE = int(os.environ.get("MM_CONVERGE_SEEDS", "200" if os.environ.get("MM_TORTURE") else "0"))
SEEDS = [2, 3, 4, *range(1000, 1000 + MORE)]

STEPS = 60
PATIENTS = ("p0", "p1", "p2", "p3")
DATA = ("Patient", "Condition", "MedicationRequest", "Observation")
POLL = {"every": "1 s", "subscriptions": "1 s", "overlap": "30 s"}

FAULTS = [{"answer": 500}, {"answer": 503, "headers": {"Retry-After": "1"}}, {"answer": 429},
          {"answer": "reset"}, {"answer": "reset-after"}, {"answer": "garbage"},
          {"answer": "truncated"}, {"answer": 500, "done": True}]
# To a write only: in answer to a read it is a refusal for good, which parks the alert.
CONFLICT = {"answer": 409}


class Day:
    """What a seed makes of a day. What is drawn depends on the seed and the data alone."""

    ALIVE = "event=listening"       # from here on the daemon knows SIGTERM

    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.lossy = self.random.random() < 0.6
        self.style = self.random.choice(["hapi", "hapi", "medplum"])
        self.server = {"style": self.style, "update_create": self.random.random() < 0.7,
                       "conditional_create": self.random.random() < 0.6,
                       "page_size": self.random.choice([3, 20, 100]),
                       "consumers": self.random.choice([1, 3]),
                       # Nothing but its notification tells of a deletion: where deletions happen,
                       # a notification outlasts a daemon that starts slowly.
                       "retry_seconds": 0.6 if self.lossy else 60}
        self.ward, self.born = None, 0

    def settings(self):
        return {"poll": POLL, "server": {"startActive": self.style == "medplum"}}

    def __str__(self):
        return f"seed {self.seed}: lossy={self.lossy} {self.server}"

    # the course of it

    def begin(self, house):
        self.ward = house.ward(settings=self.settings(), **self.server)
        for pid in PATIENTS:
            self.ward.write(*treated(pid))
        self.disturb_notifications()

    def disturb_notifications(self):
        faults = {"duplicate": {"copies": 3, "fraction": 0.3},
                  "reorder": {"hold": 3, "within": 0.3},
                  "delay": {"seconds": 0.2, "fraction": 0.3}}
        if self.lossy:
            faults.update(drop={"fraction": 0.3}, stale={"fraction": 0.3})
        self.ward.hospital.deliveries(**{k: {**v, "seed": self.seed} for k, v in faults.items()})

    def weights(self):
        return {self.a_result: 45, self.an_order: 15, self.a_correction: 10, self.a_mix_up: 5,
                self.a_server_fault: 5, self.bad_pages: 5, self.a_painkiller: 3,
                self.a_new_life: 3, self.a_quiet_moment: 4,
                self.a_quiet_moment if self.lossy else self.a_deletion: 5}

    def pass_by(self):
        steps = self.weights()
        for step in self.random.choices(list(steps), steps.values(), k=STEPS):
            step()
            self.pause(self.random.randrange(3))

    def pause(self, signs):
        """Until that many requests, log lines or notifications are seen. Polls and their log lines
        alone are a dozen a second."""
        until = self.signs() + signs
        wait_until(lambda: self.signs() >= until, what=f"a sign of life, {self}",
                   explain=self.ward.explain)

    def signs(self):
        hospital, daemon = self.ward.hospital, self.ward.daemon
        return len(hospital.asked) + len(daemon.lines) + hospital.notifier.state()["tried"]

    # the steps

    def pid(self):
        return self.random.choice(PATIENTS)

    def an_observation(self):
        """The id of a result that stands there, or None."""
        names = sorted(o["id"] for o in self.ward.hospital.resources("Observation"))
        return self.random.choice(names) if names else None

    def a_result(self):
        pid = self.pid()
        self.ward.write(result(pid, self.random.choice([0.3, 0.8, 1.2, 2.5]),
                               name=f"{pid}-n{self.random.randrange(3)}",
                               when=f"-{self.random.randrange(1, 50)} h"))

    def an_order(self):
        status = ["active", "active", "on-hold", "stopped", "entered-in-error"]
        self.ward.write(order(self.pid(), "lenalidomide", status=self.random.choice(status)))

    def a_painkiller(self):
        status = self.random.choice(["active", "stopped"])
        self.ward.write(order(self.pid(), "naproxen", status=status))

    def a_correction(self):
        status = self.random.choice(["entered-in-error", "corrected", "final"])
        if name := self.an_observation():
            self.ward.edit("Observation", name, status=status)

    def a_mix_up(self):
        """A result turns out to be another patient's."""
        subject = {"reference": "Patient/" + self.pid()}
        if name := self.an_observation():
            self.ward.edit("Observation", name, subject=subject)

    def a_deletion(self):
        if name := self.an_observation():
            self.ward.hospital.delete("Observation", name)

    def a_server_fault(self):
        if self.random.random() < 0.5:
            method, path, faults = "GET", self.random.choice(("DetectedIssue", *DATA)), FAULTS
        else:
            method, path = self.random.choice(["PUT", "POST"]), "DetectedIssue"
            faults = [*FAULTS, CONFLICT]
        self.ward.hospital.fail(method=method, path=path, times=2, **self.random.choice(faults))

    def bad_pages(self):
        mode = self.random.choice(["loop", "expired", "bogus", "relative"])
        self.ward.hospital.paging(mode, times=1)

    def a_new_life(self):
        daemon = self.ward.daemon
        if self.random.random() < 0.6:
            daemon.kill()
        else:
            daemon.wait_log(self.ALIVE, since=self.born)
            assert daemon.stop() == 0, f"{self}\n{daemon.log()[-3000:]}"
        self.born = len(daemon.lines)
        daemon.start()

    def a_quiet_moment(self):
        self.pause(self.random.randrange(4, 8))


def catch_up(*wards):
    """Until everything was polled again and nothing waits. The first poll that is seen may have
    begun before, the second has not."""
    for _ in range(2):
        marks = [len(ward.daemon.lines) for ward in wards]
        for ward, since in zip(wards, marks):
            for rtype in ("Observation", "MedicationRequest", "Condition"):
                ward.daemon.wait_log(f"event=polled type={rtype} ", since=since)
                if polls_deletions(ward):
                    ward.daemon.wait_log(f"event=polled-deletions type={rtype} ", since=since)
    for ward in wards:
        ward.settle()


def polls_deletions(ward):
    """Beside its searches, which do not show them."""
    return ward.hospital.options.type_history and "event=poll-plan name=updated" in ward.daemon.log()


def fresh(house, day):
    """A daemon without a past, beside a well-behaved hospital with the same data."""
    hospital = house.hospital()
    for rtype in DATA:
        for resource in day.ward.hospital.resources(rtype):
            hospital.put(resource)
    return house.ward(hospital, hook=False, settings=day.settings())


def open_alerts(ward):
    return Counter((a["patient"]["reference"], alert_rule_of(a))
                   for a in ward.alerts(status="open"))


def twins(ward):
    """Identifiers that more than one alert has."""
    count = Counter(i["value"] for a in ward.alerts() if a["status"] != "entered-in-error"
                    for i in a["identifier"])
    return [value for value, number in count.items() if number > 1]


def differences(day, truth):
    mine, wanted = open_alerts(day.ward), open_alerts(truth)
    return {"missing": sorted((wanted - mine).elements()),
            "too many": sorted((mine - wanted).elements()), "twins": twins(day.ward)}


def data_of(ward):
    """What the rules judge, a line each, for the reader of a failure."""
    return "\n".join(
        f"{r['resourceType']}/{r['id']} version {r['meta']['versionId']} "
        f"{r['subject']['reference']} {r['status']} {r.get('valueQuantity', {}).get('value', '')}"
        for rtype in ("MedicationRequest", "Observation") for r in ward.hospital.resources(rtype))


@pytest.mark.parametrize("seed", SEEDS, ids="seed {}".format)
def test_the_alerts_in_the_end_are_those_of_a_fresh_daemon(house, seed):
    day = Day(seed)
    print(day)
    day.begin(house)
    day.pass_by()
    day.ward.hospital.reset()
    truth = fresh(house, day)
    catch_up(day.ward, truth)
    differing = differences(day, truth)
    assert not any(differing.values()), (
        f"{day}\n{differing}\n{data_of(day.ward)}\n{day.ward.daemon.log()[-8000:]}")


@pytest.mark.parametrize("between, lasts", [(None, True), (49, True), (50, False)])
def test_an_alert_that_lasts_is_raised_by_the_record_when_nobody_saw_its_trigger(house, between, lasts):
    """The hold of pomalidomide opens below 25 platelets and lasts below 50; while the daemon was away they
    fell and rose again."""
    ward = house.ward(settings={"poll": POLL})
    ward.listening().daemon.stop()
    counts = [(20, "-3 d"), *([(between, "-2 d")] if between else []), (40, "-1 d")]
    ward.write(*treated("p1", "pomalidomide", since="-9 d"), *(
        result("p1", value, "platelets", f"p1-{value}", when) for value, when in counts))
    born = len(ward.daemon.lines)
    ward.daemon.start().wait_log(Day.ALIVE, since=born)
    catch_up(ward)
    assert [evidence(a) for a in ward.alerts("p1", "pom-plt-hold")] == (
        [["Observation/p1-40"]] if lasts else [])
    if not lasts:
        return
    ward.write(result("p1", 50, "platelets", "p1-50", "-1 h"))
    ward.alert("p1", "pom-plt-hold", "ended")
