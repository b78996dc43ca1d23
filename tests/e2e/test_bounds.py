"""The bounds that only a long outage meets: alerts that the server does not take, up to the outbox's
bound and not beyond it, and events that wait for longer than they may. Nothing that was accepted is
lost; the daemon says what it does, and does again what it did when there is room."""
import contextlib
import sqlite3

import pytest

from test_ledger import heal, holds
from waiting import wait_until
from ward import LOW_COUNT, SLOW, Ward, result, treated

BYTES = 65536   # the least that the setting allows
VISITS = 16     # patients in hand: what they find is still put down
ALERT = 8192    # bytes of one, amply


def takes_no_alert(ward):
    """All but DetectedIssues is as always."""
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1000000, answer=503)


def tell(ward, pid, value, name, key):
    """A result stands on the server, and its notification comes once, by hand; its status."""
    ward.write(result(pid, value, name=name))
    body = ward.hospital.get("Observation", name)
    status, headers, _ = ward.notify(f"Observation/Observation/{name}", body, "PUT", key=key)
    assert status == 200 or status == 503 and int(headers["Retry-After"]) > 0
    return status


def treated_ward(house, journal, patients):
    """Patients on treatment, known to the daemon, without an alert; then the bounds, and a server that
    pushes nothing by itself any more."""
    ward = house.ward(settings=SLOW).listening()
    for pid in patients:
        ward.write(*treated(pid))
    ward.settle()
    assert ward.alerts() == [] and ward.daemon.query(
        "SELECT count(*) FROM patient WHERE complete = 1") == [(len(patients),)]
    ward.daemon.config["journal"] = journal
    since = ward.daemon.restart()
    ward.listening(since=since)
    ward.daemon.wait_log("event=polled type=Patient ", since=since)     # of whom nothing is pushed
    ward.settle()
    ward.hospital.deliveries(drop={})
    return ward


def fill(ward, patients, key):
    """One low count after another, until no chart is evaluated any more."""
    for pid in patients:
        assert tell(ward, pid, 0.8, f"{pid}-low", key) == 200
        metrics = wait_until(lambda: (m := ward.daemon.metrics()) and (
            m["outbox_full"] or not m["events_waiting"]) and m, what="evaluated, or full",
            explain=ward.explain)
        if metrics["outbox_full"]:
            return
    raise AssertionError(f"never full: {metrics}")


def refuses(ward, pid, key, most):
    """New results of one patient until there is a 503; how many were taken."""
    for taken in range(most):
        if tell(ward, pid, 0.7, f"{pid}-more-{taken}", key) == 503:
            return taken
    raise AssertionError(f"{most} were taken: {ward.daemon.metrics()}")


@pytest.mark.parametrize("journal, code", [({"events": 5}, "items"), ({"bytes": BYTES}, "bytes")])
def test_alerts_that_nobody_takes_stop_the_flow_at_their_bound_and_all_is_right_later(
        house, journal, code):
    patients = [f"p{n}" for n in range(6 if code == "items" else 40)]
    ward = treated_ward(house, journal, patients)
    key = ward.secret()
    takes_no_alert(ward)
    fill(ward, patients[:-1], key)
    assert f"code={code}" in ward.daemon.wait_log("event=queue-full name=outbox")
    before = ward.daemon.metrics()
    if code == "items":
        assert before["deliveries_waiting"] == 5
    else:
        assert BYTES <= before["outbox_bytes"] < BYTES + ALERT
    last = patients[-1]
    taken = refuses(ward, last, key, 1000)
    assert f"code={code}" in ward.daemon.wait_log("event=queue-full name=journal")
    after = ward.daemon.metrics()
    assert after["events_waiting"] == taken > 0 and after["journal_full"] == 1
    assert after["evaluations_total"] == before["evaluations_total"]
    assert after["deliveries_waiting"] == before["deliveries_waiting"]
    assert ward.daemon.request("GET", "/ready")[0] == 200    # it works: the server does not
    holds(after)
    heal(ward)
    ward.settle()
    for name in ("outbox", "journal"):
        ward.daemon.wait_log(f"event=queue-has-room name={name}")
    metrics = ward.daemon.metrics()
    assert metrics["outbox_full"] == metrics["journal_full"] == 0
    assert tell(ward, last, 0.6, last + "-last", key) == 200
    ward.settle()
    low = {pid for pid in patients if any(
        r["id"].startswith(pid + "-") for r in ward.hospital.resources("Observation"))}
    assert last in low
    assert sorted((a["patient"]["reference"], a["status"]) for a in ward.alerts(rule=LOW_COUNT)) \
        == sorted(("Patient/" + pid, "final") for pid in low)
    assert "0.6" in ward.alert(last)["detail"]
    assert sum(holds(ward.daemon.metrics()).values()) > 0


def test_a_poll_that_finds_many_at_once_does_not_overrun_the_bound_of_what_is_owed(house):
    """They are evaluated faster than the clock counts."""
    patients, ward = [f"p{n}" for n in range(120)], Ward(house.hospital())
    for pid in patients:
        ward.write(*treated(pid))
    ward.daemon = house.daemon(ward.hospital.base, settings={**SLOW, "journal": {"bytes": BYTES}})
    ward.daemon.wait_ready()
    wait_until(lambda: ward.daemon.query("SELECT count(*) FROM patient WHERE complete = 1")
               == [(len(patients),)], what="every chart is known", explain=ward.explain)
    ward.settle()
    assert ward.daemon.stop() == 0 and ward.alerts() == []
    ward.write(*(result(pid, 0.8) for pid in patients))
    takes_no_alert(ward)
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_log("event=queue-full name=outbox code=bytes", since=since)
    wait_until(lambda: ward.daemon.metrics()["outbox_full"], what="full", explain=ward.explain)
    owed, = ward.daemon.query("SELECT count(*), sum(length(body)) FROM outbox WHERE state = 0")
    assert owed[0] < len(patients) and BYTES <= owed[1] < BYTES + VISITS * ALERT / 2, owed
    holds(ward.daemon.metrics())
    heal(ward)
    ward.settle()
    assert sorted(a["patient"]["reference"] for a in ward.alerts(rule=LOW_COUNT, status="open")) \
        == sorted("Patient/" + pid for pid in patients)


# Age

def older(ward, hours):
    """The events that wait came so much earlier."""
    with contextlib.closing(sqlite3.connect(ward.daemon.config["store"])) as db:
        db.execute("UPDATE event SET accepted_ms = accepted_ms - ? WHERE state = 0",
                   (hours * 3600 * 1000,))
        db.commit()


def test_an_event_that_has_waited_for_too_long_brings_503_until_it_is_worked_off(house):
    """Its turn does not come, since the server takes none of the alerts that are owed. It is one event,
    far from the other bounds."""
    patients = [f"p{n}" for n in range(6)]
    ward = treated_ward(house, {"events": 5, "age": "3 h"}, patients)
    key, last = ward.secret(), patients[-1]
    takes_no_alert(ward)
    fill(ward, patients[:-1], key)
    assert tell(ward, last, 0.8, last + "-waits", key) == 200
    assert ward.daemon.metrics()["journal_full"] == 0
    for hours, status in ((2, 200), (2, 503)):      # two hours old, then four
        assert ward.daemon.stop() == 0
        older(ward, hours)
        since = len(ward.daemon.lines)
        ward.daemon.start().wait_log("event=subscription-active type=Observation", since=since)
        assert ward.daemon.metrics()["deliveries_waiting"] == 5
        assert tell(ward, last, 0.7, f"{last}-{status}", key) == status
    assert "code=age" in ward.daemon.wait_log("event=queue-full name=journal", since=since)
    metrics = ward.daemon.metrics()
    assert metrics["journal_full"] == 1 and metrics["events_waiting"] == 2
    assert 4 * 3600 <= metrics["journal_age_seconds"] < 5 * 3600
    assert metrics["notifications_refused_busy_total"] == 1
    heal(ward)
    ward.settle()
    ward.daemon.wait_log("event=queue-has-room name=journal", since=since)
    assert ward.daemon.metrics()["journal_full"] == 0
    assert tell(ward, last, 0.6, last + "-last", key) == 200
    ward.settle()
    assert "0.6" in ward.alert(last)["detail"]
    assert len(ward.alerts(rule=LOW_COUNT)) == len(patients)
    holds(ward.daemon.metrics())
