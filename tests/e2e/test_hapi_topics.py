"""Topics of real HAPI servers of R4B and R5. The poll is an hour away, so what the daemon learns it
learns by push."""
import pytest

from real_ward import TOPIC, RealHospital, RealWard, make_topics
from waiting import wait_until
from ward import low, result

TYPES = ("MedicationRequest", "Observation", "Condition")


@pytest.fixture(scope="module")
def ward(hapi_of_release, shared_house):
    hapi = hapi_of_release
    if hapi.release == "R4":
        pytest.skip("the server that HAPI publishes has no topics on R4")
    hospital = RealHospital(hapi.base, hapi.release)
    make_topics(hospital)
    # R5 has nothing else; a server of R4B is asked by criteria unless the configuration says so.
    subscribe = {} if hapi.release == "R5" else {"by": "topic"}
    daemon = shared_house.daemon(hapi.base, settings={
        "name": "topics", "subscribe": subscribe, "poll": {"every": "1 h", "subscriptions": "1 s"}})
    daemon.wait_ready()
    ward = RealWard(hospital, daemon)
    ward.listening()
    yield ward.hearing(*TYPES)
    daemon.stop()


def heard(ward):
    """Events that came by push, and how many the poll had to find."""
    now = ward.daemon.metrics()
    return now["notifications_total"], now["events_found_by_poll_total"]


def test_it_subscribes_to_the_topics_of_the_server(ward):
    subscriptions = ward.subscribed()
    assert {rtype: s.get("topic") or s["criteria"] for rtype, s in subscriptions.items()} == {
        rtype: TOPIC + rtype.lower() for rtype in TYPES}
    for rtype in TYPES:
        ward.daemon.wait_log(f"event=topic-chosen type={rtype} ")


def test_a_low_count_raises_an_alert_by_push(ward):
    pushed, polled = heard(ward)
    low(ward, "top-low")
    wait_until(lambda: heard(ward)[0] >= pushed + 3, what="notifications", explain=ward.explain)
    assert heard(ward)[1] == polled
    ward.assert_single("top-low", 1)


def test_recovery_ends_it_by_push(ward):
    low(ward, "top-end")
    ward.write(result("top-end", 2.2, name="top-end-2", when="-1 s"))
    ward.alert("top-end", status="ended")
    ward.assert_single("top-end", 2)


def test_a_deletion_retracts_it_by_push(ward):
    low(ward, "top-gone")
    ward.hospital.delete("Observation", "top-gone-neutrophils")
    ward.alert("top-gone", status="retracted")
