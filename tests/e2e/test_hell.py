"""The hospital from hell. TABLE lists every misbehaviour and the test that shows it alone; those that
stand nowhere else stand here. At the end all of them meet on one day, made up by a seed; when the
hospital has calmed down, the alerts are those of a fresh daemon.

The hospital tells by its hook, by topics, or on a WebSocket. MM_TORTURE=1 plays MM_HELL_SEEDS (200)
more of such days."""
import contextlib
import functools
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from test_convergence import PATIENTS, POLL, Day, catch_up, data_of, differences, fresh
from test_ledger import listed, queue
from waiting import wait_until
from ward import LOW_COUNT, SLOW, Ward, evidence, low, result, treated

TORTURE = bool(os.environ.get("MM_TORTURE"))
MORE = int(os.environ.get("MM_HELL_SEEDS", "200")) if TORTURE else 0
FAST = {"poll": POLL}

# what the hospital does: the test that shows it alone, and one of its cases
TABLE = {
    "429": ("test_misbehaviour", "test_an_alert_is_never_lost_nor_written_twice", "429"),
    "429 to everything": ("test_hell", "test_a_server_that_wants_less_is_left_alone", ""),
    "503 with Retry-After": ("test_misbehaviour", "test_retry_after_is_kept", ""),
    "slow-loris answers": ("test_hell", "test_an_answer_that_drips_is_cut_off_and_asked_again", ""),
    "resets after the body": ("test_misbehaviour", "test_an_alert_is_never_lost_nor_written_twice",
                              "reset after the write"),
    "201 with a lost answer": ("test_misbehaviour",
                               "test_an_alert_of_a_server_that_chooses_ids_is_never_doubled",
                               "reset after the write"),
    "19 duplicates": ("test_misbehaviour",
                      "test_the_alerts_are_right_whatever_happens_to_notifications", "doubled"),
    "reorder": ("test_misbehaviour",
                "test_the_alerts_are_right_whatever_happens_to_notifications", "out of order"),
    "gaps": ("test_misbehaviour",
             "test_the_alerts_are_right_whatever_happens_to_notifications", "lost"),
    "stale payloads": ("test_misbehaviour",
                       "test_the_alerts_are_right_whatever_happens_to_notifications", "stale"),
    "a late notification behind a deletion": (
        "test_hell",
        "test_a_notification_that_comes_behind_its_deletion_and_a_restart_is_not_believed", ""),
    "wrong subscription id": ("test_hell",
                              "test_a_notification_of_another_subscription_does_no_harm", ""),
    "a heartbeat that stops": (
        "test_topics",
        "test_after_silence_the_status_is_asked_for_and_a_stopped_one_is_asked_for_again",
        ""),
    "401 in mid-stream": ("test_hell", "test_a_401_in_the_middle_of_the_pages_loses_nothing", ""),
    "401 for a while": ("test_hell", "test_credentials_that_are_refused_for_a_while", ""),
    "clock skew": ("test_daemon", "test_the_poll_goes_by_the_servers_time", "an hour behind"),
    "a clock that jumps": ("test_hell", "test_a_server_whose_clock_jumps_loses_nothing", ""),
    "412": ("test_misbehaviour", "test_a_clinicians_edit_in_between_is_read_and_kept", ""),
    "a create race": ("test_hell", "test_another_writer_is_quicker", ""),
    "If-None-Exist that is ignored": ("test_hell", "test_another_writer_is_quicker",
                                      "its promise is not kept"),
    "paging loops": ("test_misbehaviour", "test_next_links_that_lead_nowhere_lose_nothing", "loop"),
    "next to another origin": ("test_misbehaviour",
                               "test_next_links_that_lead_nowhere_lose_nothing", "elsewhere"),
    "no token to another origin": ("test_security", "test_the_token_goes_to_no_other_server", ""),
    "expired pages": ("test_misbehaviour", "test_next_links_that_lead_nowhere_lose_nothing",
                      "expired"),
    "a restart that resets counters": ("test_hell", "test_counters_that_begin_anew_lose_nothing",
                                       ""),
}


@functools.cache
def all_tests():
    """Of the files that the table names, "test_file.py::test_name[case]" each."""
    files = {str(pathlib.Path(__file__).with_name(module + ".py")) for module, _, _ in TABLE.values()}
    said = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
                           *sorted(files)], capture_output=True, text=True, check=True)
    return re.findall(r"(test_\w+\.py::.*)$", said.stdout, re.M)


@pytest.mark.parametrize("what", TABLE)
def test_every_misbehaviour_has_a_test(what):
    module, name, case = TABLE[what]
    mine = [test for test in all_tests() if re.match(rf"{module}\.py::{name}(\[|$)", test)]
    assert mine
    assert [test for test in mine if case in test.partition("[")[2]], mine


def once(ward, pid):
    """The one alert of a patient, of which no twin was ever alive beside it."""
    issue, = (a for a in ward.alerts(pid, LOW_COUNT) if a["status"] != "entered-in-error")
    return issue


# Answers

@pytest.mark.parametrize("method, path", [("GET", r"(patient|subject)="), ("PUT", "DetectedIssue"),
                                          ("GET", "_lastUpdated"), ("GET", "DetectedIssue")])
def test_an_answer_that_drips_is_cut_off_and_asked_again(house, method, path):
    """A byte in 50 ms: a kilobyte takes most of a minute, but a request may take a second."""
    ward = house.ward(settings={**FAST, "server": {"request": "1 s"}})
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method=method, path=path, times=1, answer="slow", pause=0.05)
    ward.write(result("p1", 0.8))
    ward.alert("p1")
    ward.settle()
    assert len(ward.versions(once(ward, "p1"))) == 1


def test_a_server_that_wants_less_is_left_alone(house):
    """429 to every write: until the time is over that it asked for, there is no storm."""
    ward = house.ward(settings=FAST)
    for n in range(4):
        ward.write(*treated(f"p{n}"))
    ward.settle()
    ward.hospital.fail(path="DetectedIssue", answer=429, headers={"Retry-After": "1"})
    for n in range(4):
        ward.write(result(f"p{n}", 0.8))
    refused = lambda: [r for r in ward.hospital.asked if r.status == 429]   # noqa: E731
    wait_until(lambda: refused() and refused()[-1].at > refused()[0].at + 1, what="another attempt",
               explain=ward.explain)
    window = [r for r in refused() if r.at < refused()[0].at + 0.95]
    assert len(window) <= 4, "more than the four that were under way"
    ward.hospital.reset()
    for n in range(4):
        ward.alert(f"p{n}")
    ward.settle()
    assert all(len(ward.versions(once(ward, f"p{n}"))) == 1 for n in range(4))


def test_a_400_in_the_middle_of_the_pages_is_no_server_that_wants_categories(house):
    """Results without a category would be missed from then on."""
    ward = house.ward(settings=SLOW, max_page_size=4).listening()
    ward.hospital.deliveries(drop={})
    ward.write(*(result("p1", 2.5, name=f"p1-{n}", when="-2 d") for n in range(5)),
               result("p1", 0.8))
    ward.hospital.deliveries(drop=None)
    ward.hospital.fail(method="GET", path="_getpages", times=1, answer=400)
    ward.write(*treated("p1"))
    ward.alert("p1")
    ward.settle()
    assert any(r.status == 400 for r in ward.hospital.asked)
    assert not ward.hospital.requests_of("GET", "category=")


def test_a_400_to_one_search_of_results_is_no_server_that_wants_categories(house):
    ward = house.ward(settings=SLOW).listening()
    ward.hospital.deliveries(drop={})
    ward.write(result("p1", 0.8))
    ward.hospital.deliveries(drop=None)
    ward.hospital.fail(method="GET", path=r"Observation\?patient=p1", times=1, answer=400)
    ward.write(*treated("p1"))
    ward.alert("p1")
    assert any(r.status == 400 for r in ward.hospital.asked)
    assert not ward.hospital.requests_of("GET", "category=")
    assert "event=results-by-category" not in ward.daemon.log()


def test_a_401_in_the_middle_of_the_pages_loses_nothing(house):
    hospital = house.hospital(max_page_size=2)
    ward = Ward(hospital)
    for n in range(4):
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    hospital.fail(method="GET", path="_getpages", times=3, answer=401,
                  headers={"WWW-Authenticate": "Bearer"})
    ward.daemon = house.daemon(hospital.base, settings=FAST)
    for n in range(4):
        ward.alert(f"p{n}")


def test_credentials_that_are_refused_for_a_while(house):
    """Whatever it does, 401 for a while: nothing is given up, and nothing is written twice."""
    ward = house.ward(settings={**FAST, "alerts": {"attempts": 2}})
    for n in range(3):
        ward.write(*treated(f"p{n}"))
    ward.settle()
    ward.hospital.fail(path="/fhir/", answer=401)
    ward.write(*[result(f"p{n}", 0.8) for n in range(3)])
    wait_until(lambda: len([r for r in ward.hospital.asked if r.status == 401]) > 5,
               what="some refusals", explain=ward.explain)
    ward.hospital.reset()
    for n in range(3):
        ward.alert(f"p{n}")
    ward.settle()
    assert ward.daemon.metrics()["deliveries_parked"] == 0
    assert all(len(ward.versions(once(ward, f"p{n}"))) == 1 for n in range(3))


@pytest.mark.parametrize("hook", [True, False], ids=["told", "polled"])
def test_a_server_whose_clock_jumps_loses_nothing(house, hook):
    """Two hours forth, and back: what is stamped in between is seen all the same."""
    ward = house.ward(settings=FAST, hook=hook)
    for n, skew in enumerate((0, 7200, -7200, 0)):
        ward.hospital.clock(date_skew=skew, stamp_skew=skew)
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
        ward.alert(f"p{n}")


def test_a_chart_without_end_is_set_aside_before_it_is_read(house):
    """... whoever is asked for; with a higher bound it is read when an operator says so."""
    ward = house.ward(settings={**SLOW, "server": {"chartMax": 65536, "pageCount": 10}}).listening()
    ward.hospital.deliveries(drop={})
    ward.write(*(result("p1", 2.5, name=f"p1-{n}", when="-2 d") for n in range(400)),
               result("p1", 0.8))
    ward.hospital.deliveries(drop=None)
    ward.write(*treated("p1"), *treated("p2"), result("p2", 0.8))
    ward.daemon.wait_log("event=chart-too-big type=Observation id=p1 code=chart.too-big .*fix=")
    ward.alert("p2")
    ward.settle()
    assert "chart.too-big" in {item["reason"] for item in listed(ward, "--state", "aside")}
    pages = [r for r in ward.hospital.asked if "_getpages" in r.target]
    assert len(pages) < 40 and not ward.alerts("p1")
    ward.daemon.config["server"]["chartMax"] = 2**24
    ward.daemon.restart()
    assert queue(ward, "retry", "--reason", "chart.too-big").returncode == 0
    ward.alert("p1")


# Somebody else writes

@contextlib.contextmanager
def just_before(hospital, method, path, action):
    """action(request), once, when such a request has come and before it is looked at."""
    real, done = hospital.answer, []

    def answer(request):
        if request.method == method and re.search(path, request.target) and not done:
            done.append(1)
            action(request)
        return real(request)
    hospital.answer = answer
    try:
        yield done
    finally:
        hospital.answer = real


SERVERS = {"ids are ours": {}, "ids are the server's": {"update_create": False},
           "its promise is not kept": {"update_create": False, "false_conditional_create": True},
           "it promises nothing": {"update_create": False, "conditional_create": False}}


@pytest.mark.parametrize("options", SERVERS.values(), ids=SERVERS.keys())
def test_another_writer_is_quicker(house, options):
    """Between our look and our create somebody creates the same alert: one is left."""
    ward = house.ward(settings=SLOW, **options)
    ward.write(*treated("p1"))
    ward.settle()
    method = "POST" if options else "PUT"
    with just_before(ward.hospital, method, "DetectedIssue",
                     lambda request: ward.hospital.put(json.loads(request.body))) as done:
        ward.write(result("p1", 0.8))
        ward.alert("p1")
        ward.settle()
    assert done
    kept = once(ward, "p1")
    ward.write(result("p1", 2.5, name="p1-second", when="-1 s"))
    assert ward.alert("p1", status="ended")["id"] == kept["id"]
    ward.settle()
    once(ward, "p1")


@pytest.fixture
def liar(house):
    """A hospital that promises to heed If-None-Exist and does not; its answer to a create is lost."""
    ward = house.ward(settings=SLOW, update_create=False, false_conditional_create=True)
    ward.write(*treated("p1"))
    ward.settle()
    yield ward
    ward.alert("p1")
    ward.settle()
    assert len({version["id"] for version in ward.hospital.history("DetectedIssue")}) == 1, "doubled"


def test_a_create_whose_answer_is_lost_is_not_repeated_when_more_is_to_be_said(liar):
    """What a new result adds begins a delivery anew, and the server may have the first one."""
    liar.hospital.fail(method="POST", path="DetectedIssue", times=1, answer="reset-after")
    liar.hospital.fail(method="GET", path="DetectedIssue", times=2, answer=503,
                       headers={"Retry-After": "1"})
    liar.write(result("p1", 0.8))
    liar.daemon.wait_log("event=delivery-retry")
    liar.write(result("p1", 0.5, name="p1-second", when="-1 s"))


def just_after_a_create(hospital, action):
    """action(), once, when an alert was created and before anybody is told."""
    real = hospital.answer

    def answer(request):
        response = real(request)
        if request.method == "POST" and request.target.endswith("/DetectedIssue"):
            hospital.answer = real
            action()
        return response
    hospital.answer = answer


def test_a_create_is_not_repeated_by_the_next_life(liar):
    """It dies with the answer on its way."""
    just_after_a_create(liar.hospital, liar.daemon.kill)
    liar.write(result("p1", 0.8))
    assert liar.daemon.wait_end() != 0
    born = len(liar.daemon.lines)
    liar.daemon.start().wait_ready(since=born)


def test_what_was_created_and_not_found_at_once_is_not_created_again(liar):
    """The look that follows fails, and everything is held back for a while."""
    just_after_a_create(liar.hospital, lambda: liar.hospital.fail(
        method="GET", path="DetectedIssue", times=3, answer=503, headers={"Retry-After": "1"}))
    liar.write(result("p1", 0.8))


@pytest.mark.parametrize("status", [404, 410])
def test_an_alert_that_is_deleted_before_it_is_updated_is_looked_at_again(house, status):
    """Between our look and our write: it is no server that takes no alerts."""
    ward = house.ward(settings=SLOW)
    low(ward, "p1")
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=status)
    ward.write(result("p1", 0.5, name="p1-second", when="-1 s"))
    ward.alert("p1", where=lambda alert: evidence(alert) == ["Observation/p1-second"])
    ward.settle()
    assert "event=parked" not in ward.daemon.log()


def test_two_adapters_at_one_server_leave_one_alert_each(house):
    """Nobody should run two; if it happens, the chart says everything once."""
    hospital = house.hospital(update_create=False, false_conditional_create=True)
    one = house.ward(hospital, settings=FAST)
    other = house.ward(hospital, settings=FAST, hook=False)
    for n in range(6):
        one.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    for n in range(6):
        one.alert(f"p{n}")
    catch_up(one, other)
    for n in range(6):
        once(one, f"p{n}")


# Deletions

def test_a_notification_that_comes_behind_its_deletion_and_a_restart_is_not_believed(house):
    """Nobody would ever tell again that it was deleted."""
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.deliveries(drop={})
    ward.write(result("p1", 0.8))
    late = ward.hospital.get("Observation", "p1-neutrophils")
    ward.hospital.delete("Observation", "p1-neutrophils")
    path = "Observation/Observation/p1-neutrophils"
    assert ward.notify(path, method="DELETE")[0] == 200
    ward.settle()
    ward.daemon.kill()
    born = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=born)
    assert ward.notify(path, late, "PUT")[0] == 200
    ward.settle()
    assert ward.alerts("p1", LOW_COUNT) == []


# Topic notifications

EXT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"


def event_bundle(hospital, subscription, number, resource):
    """What the Backport guide sends on R4, by hand."""
    reference = f"{hospital.base}/{resource['resourceType']}/{resource['id']}"
    status = {"resourceType": "Parameters", "id": "status", "parameter": [
        {"name": "subscription", "valueReference": {
            "reference": f"{hospital.base}/Subscription/{subscription}"}},
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": "event-notification"},
        {"name": "events-since-subscription-start", "valueString": str(number)},
        {"name": "notification-event", "part": [
            {"name": "event-number", "valueString": str(number)},
            {"name": "focus", "valueReference": {"reference": reference}}]}]}
    return {"resourceType": "Bundle", "type": "history", "entry": [
        {"fullUrl": "urn:uuid:5d2e9c1c-0000-4000-8000-000000000001", "resource": status,
         "request": {"method": "GET", "url": f"Subscription/{subscription}/$status"},
         "response": {"status": "200"}},
        {"fullUrl": reference, "resource": resource,
         "request": {"method": "PUT", "url": reference.removeprefix(hospital.base + "/")},
         "response": {"status": "200"}}]}


def test_a_notification_of_another_subscription_does_no_harm(house):
    """Its payload says that the count is low; the hospital has never heard of that."""
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"), result("p1", 2.5))
    ward.settle()
    lie = {**result("p1", 0.1), "meta": {"versionId": "7", "lastUpdated": "2026-01-01T00:00:00Z"}}
    status, _, _ = ward.notify("Observation",
                               event_bundle(ward.hospital, "not-ours", 99, lie))
    assert status < 500
    ward.settle()
    ward.write(*treated("p2"), result("p2", 0.8))
    ward.alert("p2")
    ward.settle()
    assert ward.alerts("p1", LOW_COUNT) == []


def test_counters_that_begin_anew_lose_nothing(house):
    """The server restarts: what was queued is gone and its event numbers begin again."""
    ward = house.ward(settings=FAST, style="backport")
    topic_subscriptions(ward)
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.alert("p1")
    ward.hospital.deliveries(drop={})
    ward.write(*treated("p2"), result("p2", 0.8))
    ward.hospital.restart()
    ward.hospital.reset()
    ward.write(*treated("p3"), result("p3", 0.8))
    for pid in ("p1", "p2", "p3"):
        ward.alert(pid)
    ward.settle()


def topic_subscriptions(ward):
    """A Subscription of the Backport guide beside each of ours, to the same endpoint and key."""
    for rtype, ours in ward.subscribed().items():
        ward.hospital.put({
            "resourceType": "Subscription", "status": "requested", "reason": "by hand",
            "criteria": f"http://example.org/topic/{rtype}",
            "_criteria": {"extension": [{"url": EXT + "backport-filter-criteria",
                                         "valueString": rtype + "?"}]},
            "channel": {**ours["channel"], "payload": "application/fhir+json",
                        "_payload": {"extension": [{"url": EXT + "backport-payload-content",
                                                    "valueCode": "id-only"}]}}})


# All of it at once

class Hell(Day):
    """A day with every misbehaviour."""

    def __init__(self, seed):
        super().__init__(seed)
        self.server["false_conditional_create"] = self.random.random() < 0.3

    def settings(self):
        mine = super().settings()
        return {**mine, "server": {**mine["server"], "request": "2 s"}}

    def disturb_notifications(self):
        super().disturb_notifications()
        self.ward.hospital.deliveries(duplicate={"copies": 19, "fraction": 0.3,
                                                 "seed": self.seed})

    def weights(self):
        return {**super().weights(), self.a_dripping_answer: 2, self.a_spell_of_401: 2,
                self.a_clock_jump: 3, self.a_quicker_writer: 3, self.a_wrong_link: 2,
                self.a_server_restart: 3, self.a_foreign_notification: 3, self.a_deletion: 5}

    def a_dripping_answer(self):
        self.ward.hospital.fail(path=self.random.choice(("DetectedIssue", "Observation")),
                                times=1, answer="slow", pause=0.01)

    def a_spell_of_401(self):
        self.ward.hospital.fail(path="/fhir/(?!metadata)", answer=401,
                                times=self.random.randrange(1, 8))

    def a_clock_jump(self):
        self.ward.hospital.clock(date_skew=self.random.choice([-7200, 0, 300]),
                                 stamp_skew=self.random.choice([0, 60, 3600]))

    def a_quicker_writer(self):
        """Whoever writes next under an identifier is not the first."""
        hospital = self.ward.hospital

        def twin(request):
            body = json.loads(request.body)
            keys = {i["value"] for i in body["identifier"]}
            if not any(keys & {i["value"] for i in a["identifier"]}
                       for a in hospital.resources("DetectedIssue")):
                hospital.put(body)
        context = just_before(hospital, "POST", "/DetectedIssue$", twin)
        context.__enter__()
        self.contexts.append(context)

    def a_wrong_link(self):
        self.ward.hospital.paging("elsewhere", times=1)

    def a_server_restart(self):
        if self.lossy:
            self.ward.hospital.restart()

    def a_foreign_notification(self):
        """Late by weeks, about a patient of ours, from a subscription that is none of ours."""
        lie = {**result(self.pid(), 0.1), "meta": {"versionId": "0"}}
        if self.ward.subscriptions().get("Observation"):
            with contextlib.suppress(OSError):
                self.ward.notify("Observation", event_bundle(self.ward.hospital, "x", 5, lie))

    def pass_by(self):
        self.contexts = []
        try:
            super().pass_by()
        finally:
            for context in reversed(self.contexts):
                context.__exit__(None, None, None)


class TopicHell(Hell):
    """... of a server that tells by topics: numbers leap and begin anew, hearts stop, Subscriptions are
    switched off, and what is missing can be asked for, in part, or not at all."""

    def __init__(self, seed):
        super().__init__(seed)
        self.style = self.server["style"] = "backport"
        self.server["events_operation"] = self.random.choice(["GET", "GET", "POST", ""])
        self.server["events_most"] = self.random.choice([1, 1000])
        self.server["status_operation"] = self.random.random() < 0.8
        self.content = self.random.choice(["full-resource", "id-only", "empty"])

    def __str__(self):
        return f"{self.content}, " + super().__str__()

    def settings(self):
        return {**super().settings(), "subscribe": {"by": "topic", "heartbeat": "1 s",
                                                    "content": self.content}}

    def weights(self):
        return {**super().weights(), self.a_heart_that_stops: 4, self.a_disturbed_subscription: 3,
                self.numbers_that_leap: 3}

    def a_heart_that_stops(self):
        """... or beats again."""
        hospital = self.ward.hospital
        hospital.set_options(heartbeats=not hospital.options.heartbeats)

    def a_disturbed_subscription(self):
        subscriptions = self.ward.subscriptions()
        change = self.random.choice([{"status": "off"}, {"status": "error"}, {"delete": True}])
        if subscription := subscriptions.get(self.random.choice(sorted(subscriptions) or [""])):
            self.ward.hospital.change_subscription(subscription["id"], **change)

    def numbers_that_leap(self):
        """Some events get lost before they are told."""
        self.ward.hospital.deliveries(drop={"times": self.random.randrange(1, 4)})


class SocketHell(TopicHell):
    """... that tells on a WebSocket, which is cut, refused, silent, or talks nonsense."""

    ALIVE = "event=capability"

    def __init__(self, seed):
        super().__init__(seed)
        self.style = self.random.choice(["hapi", "backport", "medplum"])
        self.server.update(style=self.style, websocket=True)
        if self.style == "medplum":
            self.server["software"] = "medplum"

    def settings(self):
        mine = super().settings()
        by = "topic" if self.style == "backport" else "criteria"
        return {**mine, "subscribe": {**mine["subscribe"], "by": by, "channel": "websocket"}}

    def begin(self, house):
        hospital = house.hospital(**self.server)
        hospital.sockets.token_seconds = self.random.choice([3, 3600])
        self.ward = house.ward(hospital, hook=False, ready=False, settings=self.settings())
        for pid in PATIENTS:
            self.ward.write(*treated(pid))
        self.disturb_notifications()

    def weights(self):
        mine = super().weights()
        del mine[self.a_foreign_notification]       # there is no hook
        return {**mine, self.a_cut: 4, self.a_bad_connection: 4}

    def a_cut(self):
        self.ward.hospital.sockets.cut()

    def a_bad_connection(self):
        self.ward.hospital.sockets.misbehave(self.random.choice(
            ["refuse", "busy", "deaf", "close", "garbage", "huge", "strange"]), 2)


HELLS = {"hook": Hell, "topic": TopicHell, "socket": SocketHell}
DAYS = [("hook", 1), ("topic", 2), *([("socket", 3)] if MORE else []),
        *((sorted(HELLS)[seed % 3], seed) for seed in range(500, 500 + MORE))]


@pytest.mark.parametrize("by, seed", DAYS, ids=str)
def test_after_hell_the_alerts_are_those_of_a_fresh_daemon(house, by, seed):
    day = HELLS[by](seed)
    print(day)
    day.begin(house)
    day.pass_by()
    day.ward.hospital.reset()
    truth = fresh(house, day)
    catch_up(day.ward, truth)
    differing = differences(day, truth)
    assert not any(differing.values()), (
        f"{day}\n{differing}\n{data_of(day.ward)}\n{day.ward.daemon.log()[-8000:]}")
