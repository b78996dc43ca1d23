"""Nobody tells the daemon anything, and the end is the same all the same. A seed makes up a day of
results, orders, corrections, mix-ups and deletions, while the server fails and pages badly and the
daemon is killed and started again; it is only polled, in each manner there is. Afterwards the open
alerts are those that a fresh daemon finds in the same data.

MM_CONVERGE_SEEDS=N tries N more seeds of each manner, MM_TORTURE=1 60."""
import os
import time
from collections import Counter

import pytest

from test_convergence import PATIENTS, Day, fresh, open_alerts
from test_poll import group, lab, one_by_one
from waiting import wait_until
from ward import treated

TORTURE = bool(os.environ.get("MM_TORTURE"))
MORE = int(os.environ.get("MM_CONVERGE_SEEDS", "60" if TORTURE else "0"))
# A poll in ten asks for deletions beside the search: a day of that takes its time.
DAYS = [("history", 5), ("patient", 6), *([("updated", 7)] if MORE else []),
        *((by, seed) for seed in range(2000, 2000 + MORE)
          for by in ("history", "patient", "updated"))]


class PollDay(Day):
    """A day that is only polled."""

    ALIVE = "event=capability"

    def __init__(self, by, seed):
        super().__init__(seed)
        self.by, self.lossy, self.style = by, False, "hapi"
        self.server["style"] = "hapi"

    def __str__(self):
        return f"by {self.by}, " + super().__str__()

    def settings(self):
        return {"poll": {"every": "1 s", "overlap": "30 s", "by": self.by}}

    def begin(self, house):
        if self.by == "patient":
            self.ward = one_by_one(house, *PATIENTS)
        else:
            self.ward = house.ward(settings=self.settings(), hook=False, **self.server)
        for pid in PATIENTS:
            self.ward.write(*treated(pid))

    def a_result(self):
        pid = self.pid()
        self.ward.write(lab(pid, self.random.choice([0.3, 0.8, 1.2, 2.5]),
                            name=f"{pid}-n{self.random.randrange(3)}",
                            when=f"-{self.random.randrange(1, 50)} h"))

    # the end of it

    def last_looks(self):
        rows = dict(self.ward.daemon.query("SELECT name, CAST(value AS INTEGER) FROM setting"
                                           " WHERE name LIKE 'look:%'"))
        return [rows.get("look:" + pid, 0) for pid in PATIENTS]

    def wait_for_looks(self):
        """Until everybody was looked at by a look that began after now."""
        for _ in range(2):
            now = time.time() * 1000
            wait_until(lambda: min(self.last_looks()) > now, what=f"a look at everybody, {self}",
                       explain=self.ward.explain)

    def wait_for_polls(self, event):
        """Until every type was asked for by a pass that began after now."""
        for _ in range(2):
            since = len(self.ward.daemon.lines)
            for rtype in ("Observation", "MedicationRequest", "Condition"):
                self.ward.daemon.wait_log(f"event={event} type={rtype} ", since=since)

    def settle(self):
        if self.by == "patient":
            self.wait_for_looks()
        else:
            self.wait_for_polls("polled")
        if self.by == "updated":
            self.wait_for_polls("polled-deletions")
        wait_until(lambda: self.ward.daemon.owed() == (0, 0), what=f"nothing waits, {self}",
                   explain=self.ward.explain)

    def alerts(self):
        """A server that takes no DetectedIssue has none: then those that the daemon keeps."""
        if self.by != "patient":
            return open_alerts(self.ward)
        return Counter(("Patient/" + patient, rule) for patient, rule in self.ward.daemon.query(
            "SELECT patient, rule FROM alert WHERE state = 'open'"))


@pytest.mark.parametrize("by, seed", DAYS, ids=lambda value: str(value))
def test_the_alerts_in_the_end_are_those_of_a_fresh_daemon(house, by, seed):
    day = PollDay(by, seed)
    day.begin(house)
    day.pass_by()
    day.ward.hospital.reset()
    day.ward.hospital.put(group(*PATIENTS))
    day.settle()
    day.by = "history"       # the fresh one is told of nothing deleted either
    truth = fresh(house, day)
    day.by = by
    for rtype in ("Observation", "MedicationRequest", "Condition"):
        truth.daemon.wait_log(f"event=polled type={rtype} ")
    truth.settle()
    mine, wanted = day.alerts(), open_alerts(truth)
    assert mine == wanted, f"{day}\n{day.ward.daemon.log()[-8000:]}"
