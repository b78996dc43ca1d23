"""Polling, for servers of every kind: by time of change, by history, and one patient after another.
Nothing is pushed here, and every hospital keeps what it was asked."""
import pytest

from conftest import QUICK
from hospital_poll import CutHospital
from waiting import free_port, wait_until
from ward import Ward, order, result, treated

# How a type is asked for.
SEARCH, HISTORY = "?_lastUpdated=", "/_history?"


def polled(house, hospital=None, kind=None, ready=True, options=None, server=None, **poll):
    """A ward that is only polled, often."""
    if kind:
        hospital = kind(free_port(), **{**QUICK, **(options or {})})
        house.hospitals.append(hospital)
        hospital.start()
    hospital = hospital or house.hospital(**(options or {}))
    daemon = house.daemon(hospital.base, hook=False,
                          settings={"poll": {"every": "1 s", **poll}, "server": server or {}})
    if ready:
        daemon.wait_ready()
    return Ward(hospital, daemon)


def plan(ward):
    return ward.daemon.wait_log("event=poll-plan ").partition("name=")[2].split()[0]


# By history

def test_history_finds_orders_results_and_a_deletion_that_nobody_told_of(house):
    ward = polled(house, by="history")
    assert plan(ward) == "history"
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.alert("p1")
    ward.hospital.delete("Observation", "p1-neutrophils")
    ward.alert("p1", status="retracted")
    ward.settle()
    asked = [r.target for r in ward.hospital.asked if r.method == "GET"]
    assert any("Observation" + HISTORY in target for target in asked)
    assert not any(SEARCH in target for target in asked)


def test_a_correction_and_what_came_before_us_are_found_in_the_history(house):
    hospital = house.hospital()
    before = Ward(hospital)
    before.write(*treated("p1"), result("p1", 0.8))
    before.write(*treated("p2"), result("p2", 0.8))
    hospital.delete("Observation", "p2-neutrophils")
    ward = polled(house, hospital, by="history")
    ward.alert("p1")
    ward.edit("Observation", "p1-neutrophils", status="corrected",
              valueQuantity=result("p1", 3.1)["valueQuantity"])
    wait_until(lambda: not ward.alerts("p1", status="open"), what="no open alert",
               explain=ward.explain)
    ward.settle()
    assert not ward.alerts("p2")


def test_a_history_of_many_pages_is_read_to_its_end(house):
    hospital = house.hospital(max_page_size=3)
    before = Ward(hospital)
    for n in range(4):
        before.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    ward = polled(house, hospital, by="history")
    for n in range(4):
        ward.alert(f"p{n}")


def test_a_history_that_ends_without_a_next_link_is_asked_for_larger_pages(house):
    hospital = CutHospital(free_port(), **QUICK)
    house.hospitals.append(hospital)
    before = Ward(hospital.start())
    for n in range(4):
        before.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    ward = polled(house, hospital, by="history", server={"pageCount": 2})
    for n in range(4):
        ward.alert(f"p{n}")
    counts = {r.target.partition("_count=")[2] for r in hospital.asked
              if "Observation" + HISTORY in r.target}
    assert {"2", "20"} <= counts


def test_a_deletion_while_we_were_down_is_found_when_we_are_back(house):
    ward = polled(house, by="history")
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.alert("p1")
    ward.settle()
    ward.daemon.stop()
    ward.hospital.delete("MedicationRequest", "p1-lenalidomide")
    ward.daemon.start()
    wait_until(lambda: not ward.alerts("p1", status="open"), what="no open alert",
               explain=ward.explain)


# By time of change, with the history beside it for its deletions

def test_beside_the_search_the_history_shows_deletions_and_is_asked_more_seldom(house):
    ward = polled(house)
    assert plan(ward) == "updated"
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.alert("p1")
    first = ward.daemon.wait_log("event=polled-deletions type=Observation ")
    ward.hospital.delete("Observation", "p1-neutrophils")
    ward.alert("p1", status="retracted")
    assert first in ward.daemon.lines
    history = len(ward.hospital.requests_of("GET", "Observation" + HISTORY))
    searches = len(ward.hospital.requests_of("GET", "Observation" + SEARCH))
    assert history == 2 and searches > history


def test_a_server_without_histories_is_not_asked_for_them(house):
    ward = polled(house, options={"type_history": False})
    wait_until(lambda: len(ward.hospital.requests_of("GET", "Observation" + SEARCH)) >= 4,
               what="four searches")
    assert not ward.hospital.requests_of("GET", HISTORY)


@pytest.mark.parametrize("by", ["updated", "history"])
@pytest.mark.parametrize("mode", ["loop", "elsewhere", "expired", "relative", "bogus"])
def test_next_links_that_lead_nowhere_lose_no_change(house, by, mode):
    hospital = house.hospital(max_page_size=2)
    elsewhere = house.hospital()
    before = Ward(hospital)
    before.write(*treated("p1"), result("p1", 0.8), order("p1", "naproxen"))
    hospital.paging(mode, times=2, origin=elsewhere.origin)
    ward = polled(house, hospital, ready=False, by=by)
    ward.alert("p1")
    assert elsewhere.asked == [], "a link to another server was followed"
