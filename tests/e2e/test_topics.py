"""Topic subscriptions by the Backport guide, and signed notifications: how they are asked for, and
what becomes of what they tell."""
import hmac
import json
import os

import pytest

from hospital import EXT, TOPICS
from waiting import wait_until
from ward import SLOW, low, order, result, treated

LONG = pytest.mark.skipif(os.environ.get("MM_TORTURE") != "1", reason="long: make torture")
TYPES = ("MedicationRequest", "Observation", "Condition")
TOPIC_OF = {rtype: topic for topic, rtype in TOPICS.items()}


def by_topic(**more):
    return {**SLOW, "subscribe": {"by": "topic", **more}}


def extension(at, name):
    return next((e for e in at.get("extension", []) if e["url"] == EXT + name), {})


@pytest.fixture(scope="module")
def ward(shared_house):
    """A server of the Backport guide that tells the whole resource; the next poll is far away."""
    return shared_house.ward(style="backport", settings=by_topic()).listening()


# How they are asked for

def test_the_topics_are_those_that_the_capability_statement_lists(ward):
    for rtype, subscription in ward.subscribed().items():
        assert subscription["criteria"] == TOPIC_OF[rtype]
        assert subscription["meta"]["profile"] == [EXT + "backport-subscription"]
        channel = subscription["channel"]
        assert channel["endpoint"].endswith("/hook/" + rtype)
        assert extension(channel["_payload"], "backport-payload-content")["valueCode"] == \
            "full-resource"
        assert extension(channel, "backport-heartbeat-period")["valueUnsignedInt"] == 60
    assert "event=topic-chosen type=Observation" in ward.daemon.log()


def test_a_topic_of_the_configuration_is_taken_as_it_is(house):
    mine = {"orders": "http://hospital.example/own/orders"}
    ward = house.ward(style="backport", settings=by_topic(**mine))
    subscriptions = ward.subscribed()
    assert subscriptions["MedicationRequest"]["criteria"] == mine["orders"]
    assert subscriptions["Observation"]["criteria"] == TOPIC_OF["Observation"]


def test_without_a_topic_it_asks_by_criteria_and_says_so(house):
    ward = house.ward(style="backport", settings=by_topic(), topics=(TOPIC_OF["Condition"],))
    assert ward.subscribed()["Observation"]["criteria"] == "Observation?"
    assert ward.subscribed()["Condition"]["criteria"] == TOPIC_OF["Condition"]
    line = ward.daemon.wait_log("event=topic-missing type=Observation")
    assert "status=criteria" in line and "subscribe.results" in line
    low(ward.listening(), "by-criteria")


def wrapped(topic, rtype, interactions=("create", "update", "delete"), status="active"):
    """A topic as R4 has it: the Backport guide wraps it in a Basic."""
    element = "http://hl7.org/fhir/{}/StructureDefinition/extension-SubscriptionTopic.{}".format
    types = "http://hl7.org/fhir/fhir-types"
    told = [{"url": "supportedInteraction", "valueCode": word} for word in interactions]
    return {"resourceType": "Basic", "id": topic.rpartition("/")[2],
            "code": {"coding": [{"system": types, "code": "SubscriptionTopic"}]},
            "modifierExtension": [{"url": element("5.0", "status"), "valueCode": status}],
            "extension": [
                {"url": element("5.0", "url"), "valueUri": topic},
                {"url": element("4.3", "resourceTrigger"), "extension": [
                    {"url": "resource",
                     "valueUri": "http://hl7.org/fhir/StructureDefinition/" + rtype}, *told]}]}


def hospital_with_basics(house):
    """Its statement lists no topic. Two more would match, and are not for every change."""
    hospital = house.hospital(style="backport", topics=())
    for topic, rtype in TOPICS.items():
        hospital.put(wrapped(topic, rtype))
    hospital.put(wrapped("http://hospital.example/a/new-results", "Observation", ("create",)))
    hospital.put(wrapped("http://hospital.example/a/draft", "Observation", status="draft"))
    return hospital


def test_topics_that_are_wrapped_in_a_basic_are_found(house):
    ward = house.ward(hospital_with_basics(house), settings=by_topic()).listening()
    assert {rtype: s["criteria"] for rtype, s in ward.subscribed().items()} == TOPIC_OF
    before = ward.daemon.metrics()["events_found_by_poll_total"]
    low(ward, "basic")
    assert ward.daemon.metrics()["events_found_by_poll_total"] == before


def test_none_asks_for_no_subscription_and_polls(house):
    ward = house.ward(ready=False, settings={"subscribe": {"by": "none"}})
    ward.daemon.wait_ready()
    low(ward, "polled")
    assert ward.hospital.resources("Subscription") == []


# What they tell

def test_every_change_comes_by_notification_of_a_topic(ward):
    before = ward.daemon.metrics()
    low(ward, "told")
    ward.settle()
    after = ward.daemon.metrics()
    assert after["notifications_total"] >= before["notifications_total"] + 5
    assert after["events_found_by_poll_total"] == before["events_found_by_poll_total"]


def test_a_deletion_comes_by_notification_of_a_topic(ward):
    low(ward, "deleted")
    ward.hospital.delete("MedicationRequest", "deleted-lenalidomide")
    ward.alert("deleted", status="retracted")


@pytest.mark.parametrize("content", ["id-only", "empty"])
def test_what_a_notification_does_not_hold_is_read(house, content):
    ward = house.ward(style="backport", settings=by_topic(content=content)).listening()
    channel = ward.subscribed()["Observation"]["channel"]
    assert extension(channel["_payload"], "backport-payload-content")["valueCode"] == content
    low(ward, "read")
    ward.edit("Observation", "read-neutrophils", valueQuantity={
        "value": 2.5, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"})
    ward.alert("read", status="retracted")


# Who may tell

def url_key(ward):
    return hmac.new(ward.secret().encode(), b"hook-url", "sha256").hexdigest()


def test_the_key_in_the_url_is_as_good_as_the_header(ward):
    body = json.dumps(result("nobody", 1)).encode()
    key = url_key(ward)
    assert ward.daemon.request("POST", f"/hook/{key}/Observation", body)[0] == 200
    assert ward.daemon.request("PUT", f"/hook/{key}/Observation/Observation/nobody-neutrophils",
                               body)[0] == 200
    for path in (f"/hook/{key[:-1]}x/Observation", f"/hook/{key.upper()}/Observation",
                 f"/hook/{ward.secret()}/Observation"):
        assert ward.daemon.request("POST", path, body)[0] == 401, path
    for path in (f"/hook/{key[:-1]}/Observation", f"/hook/{key}", f"/hook/{key}/",
                 f"/hook/{key}{key}/Observation", f"/hook/{key}/Subscription"):
        assert ward.daemon.request("POST", path, body)[0] == 404, path


SIGNING = "0123456789abcdef0123456789abcdef-signing"


def signed(tmp_path, **more):
    path = tmp_path / "signature.secret"
    path.write_text(SIGNING + "\n")
    return {**SLOW, "subscribe": {"signatureFile": str(path)}, **more}


def test_medplum_signs_what_it_tells(house, tmp_path):
    ward = house.ward(style="medplum",
                      settings=signed(tmp_path, server={"startActive": True})).listening()
    low(ward, "signed")
    assert ward.daemon.metrics()["events_found_by_poll_total"] == 0


def test_what_is_not_signed_is_refused(house, tmp_path):
    ward = house.ward(settings=signed(tmp_path), ready=False)
    ward.daemon.wait_ready()
    body = json.dumps(order("nobody", "lenalidomide")).encode()
    right = hmac.new(SIGNING.encode(), body, "sha256").hexdigest()
    before = ward.daemon.journal()
    for signature in (None, "", right[:-1], right.upper(), right + "0", "0" * 64):
        headers = {"X-Signature": signature} if signature is not None else {}
        status, _, answer = ward.notify("MedicationRequest", body, headers=headers)
        assert status == 401 and b"X-Signature" in answer, signature
    assert ward.daemon.journal() == before
    assert ward.notify("MedicationRequest", body, headers={"X-Signature": right})[0] == 200
    assert ward.notify("MedicationRequest", body + b" ", headers={"X-Signature": right})[0] == 401
    assert ward.notify("MedicationRequest", body, key="x" * 64,
                       headers={"X-Signature": right})[0] == 401
    assert ward.daemon.metrics()["notifications_refused_secret_total"] == 8


# What is missing. The polls are far apart: what is found is found because it was asked for.

def recovering(house, settings=None, **options):
    """A patient whose next result may be lost."""
    ward = house.ward(style="backport", settings=settings or by_topic(), **options).listening()
    ward.write(*treated("p"), result("p", 2.0))
    ward.settle()
    return ward


def lose(ward, *resources):
    """Their notifications get lost, and nobody says so."""
    ward.hospital.deliveries(drop={"times": len(resources)})
    ward.write(*resources)
    wait_until(lambda: ward.hospital.notifier.state()["dropped"] >= len(resources))


def number_of(ward, rtype="Observation"):
    """The number of the last event of its Subscription."""
    return len(ward.hospital.notifier.events[ward.subscriptions()[rtype]["id"]])


def asked_for_events(ward, method="GET"):
    return ward.hospital.requests_of(method, "$events")


def test_what_is_missing_is_asked_for(house):
    ward = recovering(house)
    lose(ward, result("p", 0.7, name="p-low"))
    missing = number_of(ward)
    ward.write(result("p", 1.0, "creatinine"))
    ward.alert("p")
    asked = asked_for_events(ward)
    assert len(asked) == 1 and asked[0].status == 200
    assert f"eventsSinceNumber={missing}&eventsUntilNumber={missing}&" in asked[0].target
    assert ward.daemon.metrics()["notification_gaps_total"] == 1
    assert ward.daemon.metrics()["events_found_by_poll_total"] == 0


@pytest.mark.parametrize("content", ["id-only", pytest.param("empty", marks=LONG)])
def test_what_is_missing_is_found_whatever_notifications_hold(house, content):
    ward = recovering(house, by_topic(content=content))
    lose(ward, result("p", 0.7, name="p-low"))
    ward.write(result("p", 1.0, "creatinine"))
    ward.alert("p")
    # One that does not say what changed is answered by a look at all of it.
    assert bool(asked_for_events(ward)) == (content == "id-only")


@LONG
def test_events_may_be_asked_for_by_post_alone(house):
    ward = recovering(house, events_operation="POST")
    lose(ward, result("p", 0.7, name="p-low"))
    missing = number_of(ward)
    ward.write(result("p", 1.0, "creatinine"))
    ward.alert("p")
    assert [r.status for r in asked_for_events(ward)] == [400]
    body, = [json.loads(r.body) for r in asked_for_events(ward, "POST")]
    values = {p["name"]: p.get("valueString") for p in body["parameter"]}
    assert values["eventsSinceNumber"] == values["eventsUntilNumber"] == str(missing)


@pytest.mark.parametrize("options", [
    pytest.param({"events_operation": ""}, id="no $events"),
    pytest.param({"events_most": 1}, id="an answer that is short", marks=LONG)])
def test_what_events_does_not_bring_the_poll_finds(house, options):
    ward = recovering(house, **options)
    lose(ward, result("p", 150, "platelets"), result("p", 0.7, name="p-low"))
    ward.write(result("p", 1.0, "creatinine"))
    ward.alert("p")
    assert ("event=events-unsupported type=Observation" in ward.daemon.log()) == \
        (options.get("events_operation") == "")


@LONG
def test_what_only_comes_in_another_order_is_not_asked_for(house):
    ward = recovering(house, by_topic(heartbeat="1 s"))
    ward.hospital.deliveries(reorder={"hold": 3})
    ward.write(*(result("p", 2.0, name=f"p-{i}") for i in range(6)))
    ward.settle()
    beats = ward.hospital.notifier.counts["heartbeats"]
    wait_until(lambda: ward.hospital.notifier.counts["heartbeats"] >= beats + 9,
               what="three heartbeats of each")
    assert ward.daemon.metrics()["notification_gaps_total"] == 0
    assert not asked_for_events(ward)


def test_a_counter_that_runs_backwards_is_a_restart_of_the_server(house):
    ward = recovering(house)
    ward.write(result("p", 1.0, "platelets"))
    ward.settle()
    lose(ward, result("p", 0.7, name="p-low"))
    ward.hospital.notifier.restart()
    ward.write(result("p", 1.0, "creatinine"))
    ward.daemon.wait_log("event=notification-restart type=Observation")
    ward.alert("p")
    assert not asked_for_events(ward)


def test_a_gap_is_seen_across_a_restart_of_ours(house):
    ward = recovering(house)
    assert ward.daemon.stop() == 0
    lose(ward, result("p", 0.7, name="p-low"), result("p", 0.6, name="p-lower"))
    missing = number_of(ward)
    since = len(ward.daemon.lines)
    ward.daemon.start()
    ward.listening(since=since)
    ward.write(result("p", 1.0, "creatinine"))
    wait_until(lambda: asked_for_events(ward), what="$events")
    assert f"eventsSinceNumber={missing - 1}&eventsUntilNumber={missing}&" in \
        asked_for_events(ward)[0].target


# Signs of life

def test_a_heartbeat_that_counts_more_tells_of_a_loss(house):
    ward = recovering(house, by_topic(heartbeat="1 s"))
    lose(ward, result("p", 0.7, name="p-low"))
    ward.alert("p")
    assert len(asked_for_events(ward)) == 1
    assert not ward.hospital.requests_of("GET", "$status")


def test_after_silence_the_status_is_asked_for_and_a_stopped_one_is_asked_for_again(house):
    ward = recovering(house, by_topic(heartbeat="1 s"), heartbeats=False)
    sid = ward.subscriptions()["Observation"]["id"]
    ward.hospital.change_subscription(sid, status="off")
    ward.write(result("p", 0.7, name="p-low"))     # nobody tells of this one
    line = ward.daemon.wait_log(f"event=subscription-silent type=Observation id={sid} "
                                "status=stopped")
    assert line
    ward.daemon.wait_log("event=subscription-repaired type=Observation")
    ward.alert("p")
    assert ward.subscribed()["Observation"]["id"] == sid


@LONG
def test_a_server_without_heartbeats_and_status_is_not_asked_again_and_again(house):
    ward = recovering(house, by_topic(heartbeat="1 s"), heartbeats=False, status_operation=False)
    for rtype in TYPES:
        ward.daemon.wait_log(f"event=heartbeat-unsupported type={rtype}")
    low(ward, "still-told")
    assert len(ward.hospital.requests_of("GET", "$status")) == len(TYPES)


def test_a_notification_that_says_error_has_the_subscription_looked_at(house):
    ward = recovering(house, by_topic(heartbeat="1 s"))
    sid = ward.subscriptions()["Observation"]["id"]
    ward.hospital.change_subscription(sid, status="error")
    ward.daemon.wait_log("event=subscription-repaired type=Observation")
    assert ward.subscribed()["Observation"]["status"] == "active"


def test_an_active_subscription_that_tells_nothing_is_said_once(house):
    """As HAPI of R4 does with topics: it takes the Subscription, and never fires."""
    settings = {"poll": {"every": "1 s", "subscriptions": "1 h"}, "subscribe": {
        "by": "topic", "orders": TOPIC_OF["MedicationRequest"],
        "results": TOPIC_OF["Observation"], "conditions": TOPIC_OF["Condition"]}}
    ward = house.ward(style="hapi", settings=settings).listening()
    low(ward, "p")
    ward.write(*(result("p", 0.8, name=f"p-{i}") for i in range(9)))
    line = ward.daemon.wait_log("event=push-silent type=Observation")
    assert "count=10 " in line and "fix=" in line
    ward.write(*(result("p", 0.8, name=f"q-{i}") for i in range(12)))
    wait_until(lambda: ward.daemon.metrics()["events_found_by_poll_total"] >= 26)
    assert ward.daemon.log().count("event=push-silent type=Observation") == 1


# Whose it is

def event_bundle(subscription, number, focus="Observation/x", kind="event-notification"):
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": {
        "resourceType": "Parameters", "parameter": [
            {"name": "subscription", "valueReference": {"reference": subscription}},
            {"name": "status", "valueCode": "active"}, {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(number)},
            {"name": "notification-event", "part": [
                {"name": "event-number", "valueString": str(number)},
                {"name": "focus", "valueReference": {"reference": focus}}]}]}}]}


def test_a_notification_of_a_subscription_that_is_none_of_ours_is_refused(ward):
    ours = ward.subscribed()
    before, journal = ward.daemon.metrics(), ward.daemon.journal()
    for foreign in ("Subscription/999999", "Subscription/" + ours["Condition"]["id"]):
        status, _, body = ward.notify("Observation", event_bundle(foreign, 10**18))
        assert status == 404 and b"none of ours" in body
    assert ward.daemon.journal() == journal
    after = ward.daemon.metrics()
    assert after["notification_gaps_total"] == before["notification_gaps_total"]
    assert after["notifications_refused_malformed_total"] == \
        before["notifications_refused_malformed_total"] + 2
    mine = f"{ward.hospital.base}/Subscription/{ours['Observation']['id']}"
    assert ward.notify("Observation", event_bundle(mine, 0))[0] == 200


def test_a_handshake_and_a_heartbeat_are_answered(ward):
    mine = "Subscription/" + ward.subscribed()["Observation"]["id"]
    journal = ward.daemon.journal()
    for kind in ("handshake", "heartbeat", "query-status"):
        status, headers, body = ward.notify("Observation", event_bundle(mine, 0, kind=kind))
        assert status == 200 and json.loads(body)["type"] == "transaction-response"
        assert headers["Content-Type"].startswith("application/fhir+json")
    assert ward.daemon.journal() == journal


def test_forged_notifications_without_content_do_not_make_it_hammer_the_server(house):
    ward = house.ward(settings=SLOW).listening()
    ward.settle()
    key, before, journal = ward.secret(), len(ward.hospital.asked), ward.daemon.journal()
    sent = 0

    def searches():
        return [r.at for r in ward.hospital.asked[before:] if "/Observation?" in r.target]

    def flooded():
        nonlocal sent
        for _ in range(20):
            assert ward.notify("Observation", b"", key=key)[0] == 200
            sent += 1
        return len(searches()) >= 3
    wait_until(flooded, what="three looks", every=0)
    # A look that finds nothing doubles the wait for the next: never sooner, however many ask.
    times = searches()
    assert times[2] - times[1] > 0.9 * 0.4, times
    assert ward.daemon.journal() - journal < sent / 2
    low(ward, "told-all-the-same")
