"""Bad days: bad input, lost and doubled notifications, a server that fails in every way it can. In
the end the alerts are what the rules say of the data, each written once."""
import json
import socket
import sqlite3
import time

import pytest

from daemon import Daemon
from waiting import DEADLINE, wait_until
from ward import LOW_COUNT, SLOW, Ward, alert_rule_of, at, evidence, low, patient, result, treated

RUNNING_POLL = {"poll": {"every": "1 s", "subscriptions": "1 s"}}


@pytest.fixture(scope="module", autouse=True)
def stuck(shared_house):
    """Begins with the file, because it takes the daemon a minute to call a server stuck."""
    hospital = shared_house.hospital()
    hospital.stuck_requested()
    return shared_house.ward(hospital, ready=False)


@pytest.fixture(scope="module")
def ward(shared_house):
    return shared_house.ward(settings=SLOW)


# Bad input

BAD = {"no JSON": b"{\"resourceType\":\"Observation\",", "an array": b"[]", "a number": b"17",
       "no resource": b"{}x", "bytes that are no UTF-8": b"{\"resourceType\":\"\xff\xfe\"}",
       "nested too deep": b"[" * 100_000,
       "another type": json.dumps(patient("p1")).encode(),
       "another id than its URL": json.dumps(result("p1", 1, name="other")).encode()}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_malformed_notification_is_refused_and_counted(ward, body):
    before, journal = ward.daemon.metrics(), ward.daemon.journal()
    status, headers, answer = ward.notify("Observation/Observation/p1-neutrophils", body, "PUT",
                                          headers={"Content-Type": "application/fhir+json"})
    assert status == 400, answer
    outcome = json.loads(answer)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] == "error"
    assert headers["Content-Type"].startswith("application/fhir+json")
    after = ward.daemon.metrics()
    name = "notifications_refused_malformed_total"
    assert after[name] == before[name] + 1
    assert ward.daemon.journal() == journal
    assert after["events_accepted_total"] == before["events_accepted_total"]


@pytest.mark.parametrize("key", ["", "wrong", "0" * 64], ids=["none", "short", "right length"])
def test_a_wrong_secret_is_refused_and_counted(ward, key):
    before, journal = ward.daemon.metrics(), ward.daemon.journal()
    headers = {"X-Myeloma-Adapter-Key": key} if key else {}
    body = json.dumps(result("p1", 0.1)).encode()
    status, _, answer = ward.daemon.request("PUT", "/hook/Observation/Observation/p1-neutrophils",
                                            body, headers)
    assert status == 401 and json.loads(answer)["resourceType"] == "OperationOutcome"
    name = "notifications_refused_secret_total"
    assert ward.daemon.metrics()[name] == before[name] + 1
    assert ward.daemon.journal() == journal


def answer_to(ward, head, body=b"", deadline=DEADLINE):
    """The status line of the answer to a request that is sent byte by byte as given."""
    with socket.create_connection(("127.0.0.1", ward.daemon.port), timeout=deadline) as peer:
        peer.sendall(head.encode() + body)
        return peer.recv(4096).split(b"\r\n")[0].decode()


def test_nothing_is_read_of_a_body_whose_sender_has_no_key(ward):
    """The answer comes although the announced body never does."""
    head = ("PUT /hook/Observation HTTP/1.1\r\nHost: a\r\nX-Myeloma-Adapter-Key: wrong\r\n"
            "Content-Length: 1000000\r\n\r\n")
    assert " 401 " in answer_to(ward, head)


def test_a_body_over_the_limit_is_refused_and_counted(ward):
    name = "notifications_refused_size_total"
    before = ward.daemon.metrics()[name]
    head = (f"PUT /hook/Observation HTTP/1.1\r\nHost: a\r\nX-Myeloma-Adapter-Key: {ward.secret()}"
            "\r\nContent-Length: 5000000\r\n\r\n")
    assert " 413 " in answer_to(ward, head)
    assert ward.daemon.metrics()[name] == before + 1
    assert "status=413" in ward.daemon.wait_log("event=notification-refused status=")


def test_a_chunked_body_over_the_limit_is_refused_and_counted(ward):
    name = "notifications_refused_size_total"
    before = ward.daemon.metrics()[name]
    head = (f"PUT /hook/Observation HTTP/1.1\r\nHost: a\r\nX-Myeloma-Adapter-Key: {ward.secret()}"
            "\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", ward.daemon.port), timeout=DEADLINE) as peer:
        try:
            peer.sendall(head.encode() + 6 * chunk + b"0\r\n\r\n")
        except OSError:
            pass      # it may hang up as soon as it has answered
        assert b" 413 " in peer.recv(4096).split(b"\r\n")[0]
    assert ward.daemon.metrics()[name] == before + 1


def test_a_peer_that_is_too_slow_is_cut_off(house):
    """A byte now and then does not keep a connection. The bytes are the clock: there are ten in a
    second at most, fewer on a slow machine, and by default a request may take ten seconds."""
    ward = house.ward(settings={**SLOW, "hook": {"request": "1 s"}})
    head = (f"PUT /hook/Observation HTTP/1.1\r\nHost: a\r\nX-Myeloma-Adapter-Key: {ward.secret()}"
            "\r\nContent-Length: 1000\r\n\r\n")
    began, sent = time.monotonic(), 0
    with socket.create_connection(("127.0.0.1", ward.daemon.port)) as peer:
        peer.sendall(head.encode())
        peer.settimeout(0.1)
        while sent < 90:
            try:
                peer.sendall(b" ")
                sent += 1
                if peer.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - began > 0.8 and sent < 90


def test_another_method_is_refused(ward):
    assert ward.notify("Observation", method="PATCH", body=b"{}")[0] == 405


BROKEN = {
    "a code that is a list": {"code": ["low"]},
    "a value that is no number": {"valueQuantity": {"value": "low", "unit": 7}},
    "a subject that is a number": {"subject": 5},
    "a date that is none": {"effectiveDateTime": "yesterday"},
    "no code, no value": {"code": {}, "valueQuantity": {}},
    "a text of a megabyte": {"note": [{"text": "x" * 1_000_000}]},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_result_costs_that_result_alone(ward, change, request):
    pid = "broken-" + str(list(BROKEN).index(request.node.callspec.id))
    ward.write(*treated(pid), {**result(pid, 0.2, name=pid + "-bad", when="-2 d"), **change})
    ward.write(result(pid, 0.8))
    # Where the bad one counts too, it may have raised the alert before the good one came.
    ward.alert(pid, where=lambda a: f"Observation/{pid}-neutrophils" in evidence(a))
    ward.settle()


def test_a_page_with_a_broken_entry_is_read_to_its_end(house):
    """What cannot be read is set aside and counted; its neighbours on the page live."""
    hospital = house.hospital()
    ward = Ward(hospital)
    ward.write(*treated("p1"), result("p1", 2.0, name="p1-a", when="-2 d"))
    with hospital.store.lock:     # a resource that no client could have written
        version = hospital.store.latest("Observation", "p1-a")
        bad = json.loads(version.text)
        bad["id"] = {"not": "an id"}
        object.__setattr__(version, "text", type(version.text)(json.dumps(bad)))
    ward.write(result("p1", 0.8))
    ward.daemon = house.daemon(hospital.base, settings=SLOW)
    ward.alert("p1")
    wait_until(lambda: ward.daemon.metrics()["events_set_aside_total"] >= 1,
               what="one set aside", explain=ward.explain)
    ward.daemon.wait_log("event=set-aside")


# Notifications that are lost, doubled, late, out of order, old

@pytest.mark.parametrize("fault", [
    {"duplicate": {}}, {"reorder": {"hold": 6, "within": 0.3}}, {"stale": {}},
    {"delay": {"seconds": 0.3, "fraction": 0.5}}, {"drop": {"fraction": 0.5}},
    {"duplicate": {"copies": 3}, "reorder": {"hold": 9, "within": 0.3}, "stale": {"fraction": 0.3},
     "drop": {"fraction": 0.2}},
], ids=["doubled", "out of order", "stale", "late", "lost", "all at once"])
def test_the_alerts_are_right_whatever_happens_to_notifications(house, fault):
    ward = house.ward(settings=RUNNING_POLL, consumers=2)
    ward.hospital.deliveries(**fault)
    low_ones, ended_ones = ("a", "b"), ("c", "d")
    for pid in low_ones + ended_ones:
        ward.write(*treated(pid), result(pid, 0.8))
    for pid in ended_ones:
        ward.alert(pid)
        ward.write(result(pid, 2.5, name=pid + "-second", when="-1 s"))
    for pid in low_ones:
        ward.alert(pid)
        ward.write(result(pid, 0.6))
        ward.alert(pid, where=lambda a: "0.6" in a["detail"])
    for pid in ended_ones:
        ward.alert(pid, status="ended")
    ward.settle()
    for pid in low_ones + ended_ones:
        issue, = ward.alerts(pid, LOW_COUNT)
        assert len(ward.versions(issue)) == 2


# A server that fails while an alert is written

FAULTS = {
    "500": {"answer": 500}, "502 in HTML": {"answer": 502, "body": "<html>bad gateway</html>",
                                            "headers": {"Content-Type": "text/html"}},
    "503": {"answer": 503, "headers": {"Retry-After": "1"}}, "408": {"answer": 408},
    "429": {"answer": 429, "headers": {"Retry-After": "1"}}, "401": {"answer": 401},
    "409": {"answer": 409}, "412": {"answer": 412},
    "reset before": {"answer": "reset"}, "reset after the write": {"answer": "reset-after"},
    "500 after the write": {"answer": 500, "done": True},
    "cut in the middle": {"answer": "cut"}, "truncated": {"answer": "truncated"},
    "slow": {"answer": "slow", "pause": 0.0003}, "a proxy's page": {"answer": "garbage"},
}


def written_once(ward, pid):
    issue, = ward.alerts(pid, LOW_COUNT)
    assert len(ward.versions(issue)) == 1, "posted twice"
    return issue


@pytest.mark.parametrize("name", FAULTS)
def test_an_alert_is_never_lost_nor_written_twice(ward, name):
    pid = "fault-" + str(list(FAULTS).index(name))
    ward.write(*treated(pid))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, **FAULTS[name])
    try:
        ward.write(result(pid, 0.8))
        ward.alert(pid)
        ward.settle()
        issue = written_once(ward, pid)
        ward.write(result(pid, 2.5, name=pid + "-second", when="-1 s"))
        ward.alert(pid, status="ended")
        ward.settle()
        assert len(ward.versions(issue)) == 2
    finally:
        ward.hospital.reset()


@pytest.mark.parametrize("name", [n for n in FAULTS if n not in ("409", "412")])
def test_an_alert_of_a_server_that_chooses_ids_is_never_doubled(picky, name):
    ward = picky
    pid = "fault-" + str(list(FAULTS).index(name))
    ward.write(*treated(pid))
    ward.settle()
    ward.hospital.fail(method="POST", path="DetectedIssue", times=1, **FAULTS[name])
    try:
        ward.write(result(pid, 0.8))
        ward.alert(pid)
        ward.settle()
        written_once(ward, pid)
    finally:
        ward.hospital.reset()


@pytest.fixture(scope="module")
def picky(shared_house):
    """A server that chooses ids and ignores If-None-Exist: the worst for a lost answer."""
    return shared_house.ward(update_create=False, conditional_create=False, settings=SLOW)


def test_an_answer_that_comes_too_late_is_not_waited_for(house):
    """The write was done, the answer comes after the deadline of the request."""
    ward = house.ward(settings={**SLOW, "server": {"request": "1 s"}})
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, delay=2.5)
    ward.write(result("p1", 0.8))
    ward.daemon.wait_log("event=delivery-retry")
    ward.settle()
    written_once(ward, "p1")


def test_retry_after_is_kept(house):
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=429,
                       headers={"Retry-After": "3"})
    ward.write(result("p1", 0.8))
    ward.alert("p1")
    ward.settle()           # an alert stands there before its request is answered and recorded
    requests = ward.hospital.requests_of("PUT", "DetectedIssue")
    assert [r.status for r in requests] == [429, 201]
    gone = [r for r in ward.hospital.asked if "DetectedIssue" in r.target
            and requests[0].at < r.at < requests[0].at + 2.9]
    assert not gone, "asked again too early"
    assert ward.daemon.metrics()["delivery_retries_total"] == 1


def test_a_clinicians_edit_in_between_is_read_and_kept(ward):
    """412: somebody wrote in between. It is read again, and what they wrote stays."""
    issue = low(ward, "between")
    ward.settle()
    real, done = ward.hospital.answer, []

    def answer(request):
        if request.method == "PUT" and issue["id"] in request.target and not done:
            done.append(1)
            ward.edit("DetectedIssue", issue["id"],
                      mitigation=[{"action": {"text": "Seen by Dr. B"}, "date": "2026-01-05"}])
        return real(request)
    ward.hospital.answer = answer
    try:
        ward.write(result("between", 2.5, name="between-2", when="-1 s"))
        ended = ward.alert("between", status="ended")
        ward.settle()
    finally:
        ward.hospital.answer = real
    assert 412 in [r.status for r in ward.hospital.requests_of("PUT", issue["id"])]
    assert ended["mitigation"][0]["action"]["text"] == "Seen by Dr. B"
    assert len(ended["mitigation"]) == 2
    assert [r.status for r in ward.hospital.requests_of("PUT", issue["id"])][-2:] == [412, 200]


@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_the_server_refuses_for_good_is_parked_and_told(house, status):
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"), *treated("p2"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=status)
    ward.write(result("p1", 0.8))
    line = ward.daemon.wait_log("event=parked")
    assert f"rule={LOW_COUNT}" in line and "code=server." in line and "fix=" in line
    ward.write(result("p2", 0.8))
    ward.alert("p2")            # the others go on
    ward.settle()
    wait_until(lambda: ward.daemon.metrics()["deliveries_parked"] == 1, what="the gauge",
               explain=ward.explain)
    assert len([r for r in ward.hospital.requests_of("PUT", "DetectedIssue")
                if r.status == status]) == 1, "asked again and again"
    ward.write(result("p1", 0.5))      # something new to say is tried
    ward.alert("p1")
    ward.settle()
    written_once(ward, "p1")


def test_what_is_parked_is_tried_again_after_a_reload(house):
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", answer=403)
    ward.write(result("p1", 0.8))
    ward.daemon.wait_log("event=parked")
    ward.hospital.reset()
    ward.daemon.reload()
    ward.daemon.wait_log("event=reloaded")
    ward.alert("p1")
    ward.settle()
    written_once(ward, "p1")


def test_a_server_that_is_down_is_waited_for(house):
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    key = ward.secret()
    ward.hospital.stop()
    observation = result("p1", 0.8)
    ward.hospital.put(observation)
    status, _, _ = ward.notify("Observation/Observation/p1-neutrophils",
                               ward.hospital.get("Observation", "p1-neutrophils"), "PUT", key)
    assert status == 200
    ward.daemon.wait_log("event=(server-down|delivery-retry)")
    ward.hospital.start()
    ward.alert("p1")
    ward.settle()
    written_once(ward, "p1")


def test_a_server_that_is_not_there_yet_is_waited_for(house):
    hospital = house.hospital()
    hospital.stop()
    ward = house.ward(hospital, ready=False, settings=SLOW)
    ward.daemon.wait_log("event=listening")
    ward.daemon.wait_log("event=capability-failed")
    assert ward.daemon.request("GET", "/health")[0] == 200
    assert ward.daemon.request("GET", "/ready")[0] == 503
    hospital.start()
    ward.daemon.wait_ready()
    assert ward.daemon.request("GET", "/ready")[0] == 200
    low(ward, "p1")


@pytest.mark.parametrize("answer", ["garbage", "truncated", "reset", 500, 401])
def test_a_bad_capability_statement_is_asked_for_again(house, answer):
    hospital = house.hospital()
    hospital.fail(path="metadata", times=1, answer=answer)
    ward = house.ward(hospital, settings=SLOW)
    assert "fix=" in ward.daemon.wait_log("event=capability-failed")


@pytest.mark.parametrize("fault", [{"answer": 500}, {"answer": 401}, {"answer": "reset"},
                                   {"answer": "garbage"}, {"answer": "truncated"}],
                         ids=["500", "401", "reset", "a proxy's page", "truncated"])
def test_a_chart_that_cannot_be_read_now_is_read_later(house, fault):
    ward = house.ward(settings=SLOW)
    ward.hospital.fail(method="GET", path=r"(patient|subject)=", times=3, **fault)
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.alert("p1")


@pytest.mark.parametrize("mode", ["loop", "elsewhere", "expired", "relative", "bogus"])
def test_next_links_that_lead_nowhere_lose_nothing(house, mode):
    hospital = house.hospital(max_page_size=2)
    elsewhere = house.hospital()
    ward = Ward(hospital)
    for n in range(3):
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    hospital.paging(mode, times=2, origin=elsewhere.origin)
    ward.daemon = house.daemon(hospital.base, settings={"poll": {"every": "1 s"}})
    for n in range(3):
        ward.alert(f"p{n}")
    assert elsewhere.asked == [], "a link to another server was followed"


# Subscriptions that are disturbed

@pytest.fixture
def kept(house):
    """A ward whose polls are an hour apart, so that only a repaired Subscription helps."""
    return house.ward(settings={"poll": {"every": "1 h", "subscriptions": "1 s"}})


@pytest.mark.parametrize("change", [
    {"status": "off"}, {"status": "error", "error": "delivery failed"},
    {"criteria": "Observation?status=preliminary"}, {"delete": True}, {"end": "+0.3 s"},
], ids=["switched off", "in error", "other criteria", "deleted", "expired"])
def test_a_disturbed_subscription_is_put_right(kept, change):
    sid = kept.subscribed()["Observation"]["id"]
    if "end" in change:
        change = {"end": at(change["end"])}
    before = kept.subscribed()["Observation"]
    kept.write(*treated("p1"))
    kept.settle()
    kept.hospital.change_subscription(sid, **change)

    def right():
        now = kept.subscriptions().get("Observation", {})
        good = (now.get("status"), now.get("criteria")) == ("active", "Observation?")
        return (good and "end" not in now
                and len(kept.hospital.resources("Subscription")) == 3)
    wait_until(right, what="the Subscription is right again", explain=kept.explain)
    after = kept.subscriptions()["Observation"]
    assert after["channel"] == before["channel"]
    assert len(kept.hospital.resources("Subscription")) == 3
    kept.write(result("p1", 0.8))
    kept.alert("p1")


def test_a_header_taken_away_by_hand_comes_back(kept):
    subscription = kept.subscribed()["Observation"]
    channel = {**subscription["channel"], "header": ["X-Other: 1"]}
    kept.hospital.change_subscription(subscription["id"], channel=channel)
    wait_until(lambda: subscription["channel"]["header"][0]
               in kept.subscriptions()["Observation"]["channel"]["header"], what="our header",
               explain=kept.explain)


def test_what_happened_while_the_subscription_was_off_is_found(kept):
    kept.write(*treated("p1"))
    kept.settle()
    kept.hospital.change_subscription(kept.subscribed()["Observation"]["id"], status="off")
    kept.write(result("p1", 0.8))
    kept.alert("p1")


def test_a_second_subscription_at_our_endpoint_is_switched_off(kept):
    ours = kept.subscribed()["Observation"]
    kept.hospital.put({**{k: v for k, v in ours.items() if k not in ("id", "meta")}})

    def one():
        found = [s["status"] for s in kept.hospital.resources("Subscription")
                 if s["channel"]["endpoint"] == ours["channel"]["endpoint"]]
        return sorted(found) == ["active", "off"]
    wait_until(one, what="one of the two is off", explain=kept.explain)


def test_others_subscriptions_are_left_alone(kept):
    foreign = kept.hospital.put({
        "resourceType": "Subscription", "status": "off", "reason": "theirs",
        "criteria": "Observation?", "channel": {"type": "rest-hook",
                                                "endpoint": "http://127.0.0.1:9/theirs"}})
    looks = len(kept.hospital.requests_of("GET", "Subscription"))
    wait_until(lambda: len(kept.hospital.requests_of("GET", "Subscription")) >= looks + 6,
               what="two more looks")
    assert kept.hospital.get("Subscription", foreign["id"]) == foreign


# Crashes

def test_a_crash_at_any_moment_neither_loses_nor_doubles(house):
    ward = house.ward(settings=RUNNING_POLL)
    ward.hospital.fail(method="PUT", path="DetectedIssue", delay=0.05)
    count = 12
    for n in range(count):
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
        if n % 4 == 3:
            ward.daemon.kill()
            ward.daemon.start()
    for n in range(count):
        ward.alert(f"p{n}")
    for n in range(0, count, 2):
        ward.write(result(f"p{n}", 2.5, name=f"p{n}-second", when="-1 s"))
        if n % 4 == 2:
            ward.daemon.kill()
            ward.daemon.start()
    for n in range(count):
        ward.alert(f"p{n}", status="ended" if n % 2 == 0 else "open")
    ward.settle()
    rules = {}
    for issue in ward.hospital.resources("DetectedIssue"):
        rules.setdefault((issue["patient"]["reference"], alert_rule_of(issue)), []).append(issue)
        assert len(ward.versions(issue)) <= 2
    assert all(len(found) == 1 for found in rules.values())


def test_another_program_that_holds_the_store_does_not_end_the_daemon(house):
    """An operator's sqlite3 with an open transaction: notifications get 503 and come again."""
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    key = ward.secret()
    other = sqlite3.connect(ward.daemon.config["store"], DEADLINE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    path = "Observation/Observation/p1-neutrophils"
    body = {**result("p1", 0.8), "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"}}
    status, headers, _ = ward.notify(path, body, "PUT", key)
    other.execute("ROLLBACK")
    other.close()
    assert status == 503 and "Retry-After" in headers
    assert ward.daemon.process.poll() is None, "the daemon ended:\n" + ward.daemon.log()[-2000:]
    ward.write(result("p1", 0.8))
    ward.alert("p1")


def test_a_second_daemon_on_the_same_store_does_not_start(house, ward):
    other = Daemon(ward.hospital.base, house.folder,
                   settings={"store": ward.daemon.config["store"]})
    house.daemons.append(other)
    other.start()
    assert other.wait_end() == 1
    assert "another process has it open" in other.log()
    assert ward.daemon.request("GET", "/health")[0] == 200


def test_a_port_that_is_taken_is_said(house, ward):
    other = Daemon(ward.hospital.base, house.folder)
    other.config["hook"]["listen"] = f"127.0.0.1:{ward.daemon.port}"
    house.daemons.append(other)
    other.start()
    assert other.wait_end() == 1
    assert str(ward.daemon.port) in other.log() or "in use" in other.log()


# Runs last: it waits for what began at the head of the file.

def test_a_server_that_leaves_subscriptions_requested_is_told_of(stuck):
    line = stuck.daemon.wait_log("event=subscription-stuck", deadline=60 + DEADLINE)
    assert "fix=" in line and "poll goes on" in line
    assert {s["status"] for s in stuck.subscriptions().values()} == {"requested"}
    low(stuck, "p1")       # by poll
    count = stuck.daemon.log().count("event=subscription-stuck")
    assert count <= 3, "said again and again"
