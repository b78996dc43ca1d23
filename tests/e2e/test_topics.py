"""Topic subscriptions by the Backport guide, and signed notifications: how they are asked for, and
what becomes of what they tell."""
import hmac
import json

import pytest

from hospital import EXT, TOPICS
from ward import SLOW, low, order, result

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
