"""What came in and what became of it: the counts of /metrics, the bounds past which nothing more is
taken, and `myeloma-adapter queue` beside the daemon that has the store open."""
import collections
import contextlib
import datetime
import json
import re
import sqlite3
import subprocess
import time

from daemon import BINARY
from waiting import wait_until
from ward import LOW_COUNT, SLOW, Ward, low, myeloma, order, result, treated

FATES = ("waiting", "done", "outside", "aside", "dropped")
SOURCES = ("hook", "poll", "read", "replay", "socket", "query")


def labelled(metrics, name):
    """{the labels' values: value} of one metric."""
    rows = {}
    for key, value in metrics.items():
        if key.startswith(name + "{"):
            rows[tuple(re.findall(r'="([^"]*)"', key))] = value
    return rows


def holds(metrics):
    """received = done + outside + aside + dropped + waiting, for every source; what was received."""
    received = labelled(metrics, "journal_received_total")
    events = labelled(metrics, "journal_events")
    assert set(received) == {(source,) for source in SOURCES}
    assert set(events) == {(source, fate) for source in SOURCES for fate in FATES}
    for source in SOURCES:
        assert received[(source,)] == sum(events[(source, fate)] for fate in FATES), source
    return {source: received[(source,)] for source in SOURCES}


def queue(ward, *arguments):
    return subprocess.run([BINARY, "queue", *arguments, "--config", ward.daemon.config_path],
                          capture_output=True, text=True, timeout=60)


def listed(ward, *arguments):
    said = queue(ward, "list", "--format", "json", *arguments)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


# Accounting

def test_what_was_received_is_what_became_of_it_for_every_source_whatever_happens(house):
    ward = house.ward(settings=SLOW).listening()
    ward.hospital.deliveries(duplicate={"copies": 3})
    for pid in "ab":
        ward.write(*treated(pid), result(pid, 0.8))
        holds(ward.daemon.metrics())
    ward.write(myeloma("stranger"), order("other", "naproxen"))
    ward.settle()
    before = holds(ward.daemon.metrics())
    assert before["hook"] > 0
    duplicates = labelled(ward.daemon.metrics(), "journal_duplicates_total")
    assert duplicates[("hook",)] > 0 and duplicates[("socket",)] == 0
    ward.daemon.kill()
    ward.write(*treated("c"), result("c", 0.8))     # found by poll
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    ward.alert("c")
    ward.settle()
    after = holds(ward.daemon.metrics())
    assert after["poll"] > before["poll"] and after["hook"] >= before["hook"]
    by_via = dict(ward.daemon.query("SELECT via, count(*) FROM event GROUP BY via"))
    assert after == {s: by_via.get(SOURCES.index(s) if s in ("hook", "poll") else
                                   {"read": 2, "replay": 3, "socket": 4, "query": 5}[s], 0)
                     for s in SOURCES}


def test_what_a_poll_finds_that_no_push_told_is_counted_for_its_type(house):
    ward = house.ward(settings={"poll": {"every": "1 s"}}).listening()
    low(ward, "p1")
    ward.settle()
    before = labelled(ward.daemon.metrics(), "found_by_poll_total")
    ward.hospital.deliveries(drop={})
    ward.write(result("p1", 0.7, name="p1-lost"))
    wait_until(lambda: labelled(ward.daemon.metrics(), "found_by_poll_total")[("Observation",)]
               == before[("Observation",)] + 1, what="one found", explain=ward.explain)
    after = labelled(ward.daemon.metrics(), "found_by_poll_total")
    assert after[("MedicationRequest",)] == before[("MedicationRequest",)]


def test_what_came_while_the_daemon_was_away_is_not_held_against_the_push(house):
    """The first pass of a life finds it under a Subscription that is active."""
    ward = house.ward(settings=SLOW).listening()
    low(ward, "p1")
    ward.settle()
    ward.daemon.stop()
    ward.hospital.deliveries(drop={})
    ward.write(result("p1", 0.7, name="p1-away"))
    born = len(ward.daemon.lines)
    ward.daemon.start()
    ward.listening(since=born)
    ward.settle()
    metrics = ward.daemon.metrics()
    assert labelled(metrics, "journal_received_total")[("poll",)] > 0
    assert labelled(metrics, "found_by_poll_total")[("Observation",)] == 0


# The bounds

def heal(ward):
    with ward.hospital.faults.lock:
        ward.hospital.faults.requests.clear()


def test_past_a_bound_a_notification_gets_503_until_events_are_worked_off(house):
    """The server answers no read: events pile up to the bound, and not beyond it."""
    ward = house.ward(settings={**SLOW, "journal": {"events": 3}}).listening()
    ward.settle()
    ward.hospital.fail(method="GET", times=100000, answer=500)
    key, answers, sent = ward.secret(), collections.Counter(), 0

    def tell():
        nonlocal sent
        sent += 1
        status, headers, _ = ward.notify("MedicationRequest", order(f"p{sent}", "lenalidomide"),
                                         key=key)
        answers[status] += 1
        assert status == 200 or status == 503 and int(headers["Retry-After"]) > 0
        return status
    assert [tell() for _ in range(3)] == [200] * 3
    wait_until(lambda: ward.daemon.metrics()["events_waiting"] == 3, what="three that wait")
    assert tell() == tell() == 503
    assert "code=items" in ward.daemon.wait_log("event=queue-full name=journal")
    metrics = ward.daemon.metrics()
    assert metrics["journal_full"] == 1 and metrics["events_waiting"] == 3
    assert metrics["journal_bytes"] > 0
    assert metrics["notifications_refused_busy_total"] == answers[503] == 2
    heal(ward)
    wait_until(lambda: ward.daemon.metrics()["journal_full"] == 0, what="room again",
               explain=ward.explain)
    assert tell() == 200
    ward.daemon.wait_log("event=queue-has-room name=journal")


def test_a_poll_pauses_in_mid_pass_while_the_journal_is_full_and_loses_nothing(house):
    """Each page holds five, the journal two: what it finds comes in as it is worked off."""
    hospital = house.hospital()
    ward = Ward(hospital)
    for pid in ("a", "b", "c", "d"):
        ward.write(*treated(pid), result(pid, 0.8))
    ward.daemon = house.daemon(hospital.base, settings={
        **SLOW, "server": {"pageCount": 5}, "journal": {"events": 2}})
    for pid in ("a", "b", "c", "d"):
        ward.alert(pid)
    ward.settle()
    ward.daemon.wait_log("event=queue-full name=journal")
    ward.daemon.wait_ready()
    holds(ward.daemon.metrics())


# queue, beside the daemon

def test_what_is_parked_is_listed_shown_and_tried_again_while_the_daemon_runs(house):
    ward = house.ward(settings=SLOW).listening()
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=422)
    ward.write(result("p1", 0.8))
    ward.daemon.wait_log("event=parked")
    item, = wait_until(lambda: listed(ward, "--state", "parked"), what="one parked")
    assert item["rule"] == LOW_COUNT and item["patient"] == "p1"
    assert item["reason"].startswith("server.refused") and item["tries"] == 1
    parked = labelled(ward.daemon.metrics(), "outbox_parked")
    assert parked == {("server.refused",): 1}
    said = queue(ward, "show", item["item"]).stdout
    assert "told       no: the server refused it" in said
    assert "evaluated  yes: no event of its patient waits" in said
    said = queue(ward, "retry", "--reason", "server.refused")
    assert said.stdout == "1 to be tried again\n", said.stderr
    issue = ward.alert("p1")
    assert item["item"] == "alert/" + issue["identifier"][0]["value"]
    ward.settle()
    said = queue(ward, "show", item["item"]).stdout
    assert "told       yes: it is on the server" in said and issue["id"] in said
    assert len(ward.hospital.history("DetectedIssue")) == 1


def test_an_alert_that_is_dropped_is_not_sent_until_what_it_says_changes(house):
    ward = house.ward(settings=SLOW).listening()
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=422)
    ward.write(result("p1", 0.8))
    ward.daemon.wait_log("event=parked")
    item, = wait_until(lambda: listed(ward, "--state", "parked"), what="one parked")
    assert queue(ward, "drop", item["item"], "--because", "seen by phone").returncode == 0
    dropped, = listed(ward, "--state", "dropped")
    assert dropped["reason"] == "seen by phone" and listed(ward) == []
    assert ward.daemon.metrics()["deliveries_dropped"] == 1
    assert ward.alerts("p1", LOW_COUNT) == []
    ward.write(result("p1", 0.4, name="p1-worse"))
    ward.alert("p1")
    ward.settle()
    assert ward.daemon.metrics()["deliveries_dropped"] == 0


def test_an_event_that_is_dropped_while_it_waits_is_counted_and_evaluated_no_more(house):
    ward = house.ward(settings=SLOW).listening()
    ward.settle()
    ward.hospital.fail(method="GET", times=100000, answer=500)
    key = ward.secret()
    for pid in ("p1", "p2"):
        ward.hospital.deliveries(drop={})
        ward.write(*treated(pid), result(pid, 0.8))
        assert ward.notify("MedicationRequest", order(pid, "lenalidomide"), key=key)[0] == 200
    items = wait_until(lambda: len(listed(ward)) == 2 and listed(ward), what="two that wait")
    one = next(item for item in items if item["patient"] == "p1")
    assert queue(ward, "drop", one["item"], "--because", "of no use").stdout == "1 dropped\n"
    events = labelled(ward.daemon.metrics(), "journal_events")
    assert events[("hook", "dropped")] == 1 and events[("hook", "waiting")] == 1
    heal(ward)
    ward.alert("p2")
    ward.settle()
    holds(ward.daemon.metrics())
    assert ward.alerts("p1") == []
    assert queue(ward, "retry", one["item"]).returncode == 0
    ward.alert("p1")
    holds(ward.daemon.metrics())


# Retention

def test_finished_events_go_with_age_and_stay_counted(house):
    ward = house.ward(settings={**SLOW, "journal": {"keep": "3 d"}}).listening()
    low(ward, "p1")
    ward.settle()
    before = ward.daemon.metrics()
    assert ward.daemon.stop() == 0
    week = 7 * 86400 * 1000
    with contextlib.closing(sqlite3.connect(ward.daemon.config["store"])) as db:
        db.execute("UPDATE event SET accepted_ms = accepted_ms - ?, ended_ms = ended_ms - ?"
                   " WHERE seq < (SELECT max(seq) FROM event)", (week, week))
        db.execute("UPDATE event SET state = 3, reason = 'test' WHERE seq = 1")
        db.commit()
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    line = ward.daemon.wait_log("event=journal-swept", since=since)
    left = ward.daemon.query("SELECT seq FROM event")
    assert {(1,)} < set(left) and int(re.search(r"count=(\d+)", line).group(1)) > 0
    ward.settle()
    after = ward.daemon.metrics()
    assert sum(holds(after).values()) >= sum(holds(before).values())
    assert after["events_removed_total"] > 0
    assert len(ward.alerts("p1")) == 1


# The daily statement

DAY = 86400
TYPES = ("MedicationRequest", "Observation", "Condition")


def stated(ward, since, rtype="Observation"):
    """Of the day before yesterday: (server, journal, difference), and the line."""
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=2)
    line = ward.daemon.wait_log(rf"event=statement type={rtype} name={day} ", since=since)
    found = re.search(r"server (\d+), journal (\d+), difference (-?\d+)", line)
    return found and tuple(map(int, found.groups())), line


def day_of_two_patients(house):
    """A daemon that was stopped, and a journal that knows a day with two patients: it was the day
    before yesterday, and no day since the one before is stated."""
    hospital = house.hospital()
    ward = Ward(hospital)
    hospital.clock(stamp_skew=-2 * DAY)
    ward.write(*treated("a"), result("a", 0.8), *treated("b"), result("b", 0.8))
    hospital.clock(stamp_skew=0)
    ward.daemon = house.daemon(hospital.base, settings=SLOW)
    ward.daemon.wait_ready()
    ward.alert("a")
    ward.alert("b")
    ward.settle()
    assert ward.daemon.stop() == 0
    last = (int(time.time()) // DAY - 3) * DAY * 1000
    with contextlib.closing(sqlite3.connect(ward.daemon.config["store"])) as db:
        db.execute("UPDATE setting SET value = ? WHERE name = 'statement:day'", (str(last),))
        db.commit()
    return ward


def start_again(ward):
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    return since


def test_a_day_that_is_over_is_stated_with_the_counts_of_both_sides(house):
    ward = day_of_two_patients(house)
    since = start_again(ward)
    assert stated(ward, since)[0] == (2, 2, 0)
    assert stated(ward, since, "Condition")[0] == (2, 2, 0)
    assert stated(ward, since, "MedicationRequest")[0] == (6, 6, 0)
    metrics = wait_until(lambda: (m := ward.daemon.metrics()) and any(
        "statement_resources" in key for key in m) and m, what="the metric")
    assert metrics["statement_missed_total"] == 0
    wait_until(lambda: ward.daemon.query("SELECT value FROM setting WHERE name = 'statement:day'")
               >= [(str((int(time.time()) // DAY - 2) * DAY * 1000),)], what="the day is put down")


def test_what_the_server_has_more_is_polled_again(house):
    ward = day_of_two_patients(house)
    with contextlib.closing(sqlite3.connect(ward.daemon.config["store"])) as db:
        assert db.execute("DELETE FROM event WHERE id = 'b-neutrophils'").rowcount == 1
        db.commit()
    since = start_again(ward)
    counts, line = stated(ward, since)
    assert counts == (2, 1, 1) and "<4>" in line and "fix=" in line
    wait_until(lambda: ward.daemon.query("SELECT count(*) FROM event WHERE id = 'b-neutrophils'")
               == [(1,)], what="the one that was missed", explain=ward.explain)
    assert ward.daemon.metrics()["statement_missed_total"] == 1


def test_a_server_that_knows_no_summary_is_asked_for_a_total_and_may_not_tell_at_all(house):
    ward = day_of_two_patients(house)
    ward.hospital.fail(method="GET", path="_summary=count", times=1000, answer=400)
    ward.hospital.fail(method="GET", path="Condition.*_total=accurate", times=1000, answer=400)
    since = start_again(ward)
    assert stated(ward, since)[0] == (2, 2, 0)
    assert ward.hospital.requests_of("GET", "_total=accurate")
    counts, line = stated(ward, since, "Condition")
    assert counts is None and "does not count" in line


# What used to come and no longer does

def test_a_rule_and_an_analyte_that_fell_silent_are_told_once_and_again_when_they_are_heard(house):
    ward = house.ward(settings=SLOW).listening()
    low(ward, "p1")
    ward.write(result("p1", 0.7, name="p1-again", when="-2 min"))
    ward.settle()
    wait_until(lambda: ward.daemon.query(
        f"SELECT count(*) FROM pulse WHERE name IN ('{LOW_COUNT}', 'neutrophils')") == [(2,)],
        what="both are kept", explain=ward.explain)
    assert ward.daemon.metrics()["rules_silent"] == ward.daemon.metrics()["analytes_silent"] == 0
    ward.daemon.restart()       # the poll finds the patient; the next start finds nothing new
    ward.settle()
    assert ward.daemon.stop() == 0
    now, hour = int(time.time() * 1000), 3600 * 1000
    with contextlib.closing(sqlite3.connect(ward.daemon.config["store"])) as db:
        db.execute("DELETE FROM pulse WHERE name NOT IN (?, 'neutrophils')", (LOW_COUNT,))
        db.execute("UPDATE pulse SET first_ms = ?, last_ms = ?, longest_ms = ?, missed_ms = ?",
                   (now - 999 * hour, now - 100 * hour, hour, now - hour))
        db.commit()
    since = start_again(ward)
    line = ward.daemon.wait_log("event=rule-silent", since=since)
    assert f"rule={LOW_COUNT}" in line and "coverage" in line and line.startswith("<4>")
    line = ward.daemon.wait_log("event=analyte-silent name=neutrophils", since=since)
    assert "local codes" in line
    metrics = ward.daemon.metrics()
    assert metrics["rules_silent"] == metrics["analytes_silent"] == 1
    wait_until(lambda: ward.daemon.query("SELECT min(warned) FROM pulse") == [(1,)],
               what="that it was told is kept")
    since = ward.daemon.restart()
    wait_until(lambda: ward.daemon.metrics()["rules_silent"] == 1, what="still silent")
    assert "silent" not in "\n".join(ward.daemon.lines[since:])
    ward.listening(since=since)
    ward.write(result("p1", 0.6, name="p1-heard", when="-1 min"))
    ward.daemon.wait_log(f"event=rule-heard rule={LOW_COUNT}", since=since)
    ward.daemon.wait_log("event=analyte-heard name=neutrophils", since=since)
