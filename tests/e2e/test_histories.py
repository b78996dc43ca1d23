"""Generated histories over the real rules: every write is recorded as an event; the events reach the
daemon shuffled, doubled, late and not at all, by a seed. In the end the open alerts are those of a clean
run, word for word, and those that `replay` tells of the data on the server.

make test plays one seed, MM_TORTURE=1 MM_HISTORY_SEEDS (200) more."""
import contextlib
import http.client
import json
import os
import random
import subprocess

import pytest

from daemon import BINARY, ROOT
from histories import CODES, DELETED, History, facts
from test_convergence import POLL, catch_up, twins
from waiting import DEADLINE
from ward import alert_rule_of, at, evidence, implicated

TORTURE = bool(os.environ.get("MM_TORTURE"))
MORE = int(os.environ.get("MM_HISTORY_SEEDS", "200")) if TORTURE else 0
SEEDS = [1, *range(3000, 3000 + MORE)]
PATIENTS = 20
SETTINGS = {"poll": POLL, "localCodes": [CODES]}
MAPPINGS = os.path.join(ROOT, "mappings")
TOLD = ("MedicationRequest", "Observation", "Condition")    # of the others only the poll learns

pytestmark = pytest.mark.skipif(not facts.HERE,
                                reason="the records (../shared/reference) are not here")


class Post:
    """Takes recorded events to the daemon when their time has come; whoever does not answer lost it."""

    def __init__(self, ward, seed):
        self.ward, self.random, self.waiting = ward, random.Random(seed), []
        self.key, self.peer = ward.secret(), None
        self.counts = dict.fromkeys(("dropped", "delivered", "refused", "lost"), 0)

    def record(self, now, rtype, rid, text):
        if self.random.random() < 0.25:
            self.counts["dropped"] += 1
            return
        for _ in range(self.random.choices([1, 2, 5], [80, 15, 5])[0]):
            late = self.random.choices([0, self.random.randrange(20), self.random.randrange(2000)],
                                       [50, 30, 20])[0]
            self.waiting.append((now + late, rtype, rid, text))

    def deliver(self, now=None):
        due = [event for event in self.waiting if now is None or event[0] <= now]
        self.waiting = [] if now is None else [e for e in self.waiting if e[0] > now]
        self.random.shuffle(due)
        for _, rtype, rid, text in due:
            self.counts[self.send(rtype, rid, text)] += 1

    def send(self, rtype, rid, text):
        headers = {"X-Myeloma-Adapter-Key": self.key, "Content-Type": "application/fhir+json"}
        try:
            if self.peer is None:
                self.peer = http.client.HTTPConnection("127.0.0.1", self.ward.daemon.port,
                                                       timeout=DEADLINE)
            self.peer.request("DELETE" if text is None else "PUT", f"/hook/{rtype}/{rtype}/{rid}",
                              text and text.encode(), headers)
            answer = self.peer.getresponse()
            answer.read()
            return "delivered" if answer.status == 200 else "refused"
        except (OSError, http.client.HTTPException):
            with contextlib.suppress(AttributeError):
                self.peer.close()
            self.peer = None
            return "lost"


def play(ward, history, seed):
    """The hospital writes in order; what it tells comes as it comes. Now and then the daemon dies, and
    now and then it has the time to write what it makes of all that."""
    post = Post(ward, seed)
    deaths, rests = (set(post.random.sample(range(len(history.writes)), n)) for n in (2, 4))
    for now, (rtype, rid, resource) in enumerate(history.writes):
        if resource is DELETED:
            ward.hospital.delete(rtype, rid)
        else:
            ward.hospital.put(resource)
        if rtype in TOLD:
            text = None if resource is DELETED else json.dumps(ward.hospital.get(rtype, rid))
            post.record(now, rtype, rid, text)
        post.deliver(now)
        if now in deaths:
            ward.daemon.kill()
            born = len(ward.daemon.lines)
            ward.daemon.start().wait_log("event=listening", since=born)
        if now in rests:
            ward.settle()
    post.deliver()
    return post.counts


def clean(house, ward, settings):
    """A daemon that hears of everything once, in order, of a hospital that never changed its mind."""
    hospital = house.hospital()
    for rtype in ("Patient", "Condition", "Procedure", "MedicationRequest", "Observation"):
        for resource in ward.hospital.resources(rtype):
            hospital.put(resource)
    return house.ward(hospital, hook=False, settings=settings, mappings=MAPPINGS)


def told(ward):
    """What a reader of the open alerts sees."""
    return sorted(json.dumps([issue["patient"]["reference"], alert_rule_of(issue),
                              issue.get("severity"), issue["code"], sorted(implicated(issue)),
                              sorted(evidence(issue)), issue["detail"]])
                  for issue in ward.alerts(status="open"))


def replayed(ward):
    """(patient, rule) of what the verb says of the data on the server."""
    data = "".join(json.dumps(resource) + "\n" for rtype in
                   ("Patient", "Condition", "Procedure", "MedicationRequest", "Observation")
                   for resource in ward.hospital.resources(rtype))
    done = subprocess.run([BINARY, "replay", "--mappings", MAPPINGS, "--codes", CODES, "--format",
                           "json", "--as-of", at(), "-"], input=data.encode(),
                          capture_output=True, timeout=DEADLINE, check=True)
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted((a["patient"], a["rule"]) for a in alerts if a["status"] == "open")


@pytest.mark.parametrize("seed", SEEDS, ids="seed {}".format)
def test_the_alerts_of_a_disturbed_history_are_those_of_a_clean_run(house, seed):
    history = History(seed, PATIENTS)
    ward = house.ward(settings=SETTINGS, mappings=MAPPINGS)
    ward.hospital.deliveries(drop={})      # its own notifications; ours come by Post
    counts = play(ward, history, seed)
    print(f"seed {seed}: {len(history.writes)} writes, {counts}")
    truth = clean(house, ward, SETTINGS)
    catch_up(ward, truth)
    mine, wanted = told(ward), told(truth)
    assert len(wanted) > PATIENTS / 2, "hardly an alert: nothing was tested"
    assert ward.alerts(status="ended") or ward.alerts(status="retracted"), "nothing ever changed"
    assert mine == wanted, "\n".join([
        f"seed {seed}", "too many:", *sorted(set(mine) - set(wanted)),
        "missing:", *sorted(set(wanted) - set(mine))])
    pairs = sorted((i["patient"]["reference"], alert_rule_of(i)) for i in ward.alerts(status="open"))
    assert pairs == replayed(ward)
    assert twins(ward) == []
