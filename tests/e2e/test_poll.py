"""Polling, for servers of every kind: by time of change, by history, and one patient after another.
Nothing is pushed here, and every hospital keeps what it was asked."""
import pytest

from conftest import QUICK
from hospital_poll import CutHospital, VendorHospital
from test_ledger import queue
from waiting import free_port, wait_until
from ward import (LOW_COUNT, NSAID, Ward, myeloma, order, patient, result, treated)

# How a type is asked for.
SEARCH, HISTORY = "?_lastUpdated=", "/_history?"


def polled(house, hospital=None, ready=True, options=None, server=None, listen=False, **poll):
    """A ward that is only polled, often. listen: there is a listener, for its metrics alone."""
    hospital = hospital or house.hospital(**(options or {}))
    settings = {"poll": {"every": "1 s", **poll}, "server": server or {}}
    daemon = house.daemon(hospital.base, start=False, hook=False, settings=settings)
    if listen:
        daemon.config["hook"] = {"listen": f"127.0.0.1:{daemon.port}"}
    daemon.start()
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
    assert history >= 2 and searches >= 3 * history


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


# One patient after another: a server that answers nothing else, and takes no DetectedIssue

LABORATORY = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                           "code": "laboratory"}]}]


def lab(*arguments, **more):
    return result(*arguments, category=LABORATORY, **more)


def group(*pids, **more):
    return {"resourceType": "Group", "id": "ours", "type": "person", "actual": True,
            "member": [{"entity": {"reference": "Patient/" + pid}} for pid in pids], **more}


def one_by_one(house, *pids, cohort="Group/ours", prepare=None, quota=None, seconds=1, **poll):
    """A vendor's server with a list of these patients, and a daemon that looks at them."""
    hospital = VendorHospital(free_port(), quota=quota, seconds=seconds, **QUICK)
    house.hospitals.append(hospital)
    hospital.put(group(*pids))
    if prepare:
        prepare(Ward(hospital))
    return polled(house, hospital.start(), cohort=cohort, **poll)


def open_alerts(ward, pid):
    """The rules of the alerts that the daemon keeps for a server that does not take them."""
    ward.daemon.wait_log("event=capability ")
    return {rule for rule, in ward.daemon.query(
        f"SELECT rule FROM alert WHERE patient = '{pid}' AND state = 'open'")}


def kept(ward, pid, rule=LOW_COUNT, there=True):
    wait_until(lambda: (rule in open_alerts(ward, pid)) == there, what=f"{rule} for {pid}: {there}",
               explain=ward.explain)


def ill(ward, *pids):
    for pid in pids:
        ward.write(*treated(pid), lab(pid, 0.8))


def test_a_server_that_answers_for_one_patient_is_asked_patient_by_patient(house):
    ward = one_by_one(house, "p1", "p2", prepare=lambda w: ill(w, "p1"))
    assert plan(ward) == "patient"
    kept(ward, "p1")
    assert "event=results-by-category" in ward.daemon.log()
    assert not open_alerts(ward, "p2")
    assert not ward.hospital.requests_of("GET", "_lastUpdated")
    assert not ward.hospital.requests_of("GET", "_history")
    assert not ward.hospital.requests_of("GET", "$everything")
    searches = [r for rtype in ("MedicationRequest", "Observation", "Condition", "Procedure")
                for r in ward.hospital.requests_of("GET", rtype + "?")]
    assert searches and all("patient=p1" in r.target or "patient=p2" in r.target for r in searches)


def test_a_look_finds_a_new_order_a_result_a_correction_and_a_deletion(house):
    ward = one_by_one(house, "p1", prepare=lambda w: w.write(*treated("p1")))
    ward.write(lab("p1", 0.8))
    kept(ward, "p1")
    ward.write(order("p1", "naproxen"))
    kept(ward, "p1", NSAID)
    ward.hospital.delete("MedicationRequest", "p1-naproxen")
    kept(ward, "p1", NSAID, there=False)
    ward.edit("Observation", "p1-neutrophils", status="corrected",
              valueQuantity=result("p1", 3.1)["valueQuantity"])
    kept(ward, "p1", there=False)
    ward.write(lab("p1", 0.7, name="p1-again", when="-1 min"))
    kept(ward, "p1")
    ward.hospital.delete("Observation", "p1-again")
    kept(ward, "p1", there=False)


def test_who_is_listed_is_one_of_ours_only_if_the_chart_says_so(house):
    ward = one_by_one(house, "p1", prepare=lambda w: w.write(
        patient("p1"), order("p1", "naproxen"), lab("p1", 0.8)))
    ward.daemon.wait_log("event=ready")
    assert ward.daemon.query("SELECT count(*) FROM patient WHERE in_cohort = 1") == [(0,)]
    ward.write(myeloma("p1"), order("p1", "lenalidomide"), order("p1", "dexamethasone"))
    kept(ward, "p1")


def test_alerts_that_the_server_does_not_take_are_kept_parked_and_counted(house):
    ward = one_by_one(house, "p1", prepare=lambda w: ill(w, "p1"))
    kept(ward, "p1")
    assert "type=DetectedIssue" in ward.daemon.wait_log("event=capability-lacking ")
    assert "code=server.not-offered" in ward.daemon.wait_log("event=parked ")
    count = len(open_alerts(ward, "p1"))
    wait_until(lambda: ward.daemon.query("SELECT count(*) FROM outbox WHERE state = 1")[0][0]
               == count, what="every alert parked", explain=ward.explain)
    assert not [r for r in ward.hospital.asked if "DetectedIssue" in r.target or r.method != "GET"]


def test_alerts_that_were_parked_are_written_when_the_server_takes_them(house):
    ward = one_by_one(house, "p1", prepare=lambda w: ill(w, "p1"))
    kept(ward, "p1")
    ward.daemon.wait_log("event=parked ")
    ward.hospital.set_options(without=())
    ward.daemon.restart()
    ward.alert("p1")


# The list of patients

def patient_list(*pids, deleted=()):
    return {"resourceType": "List", "id": "ours", "status": "current", "mode": "working",
            "entry": [{"item": {"reference": "Patient/" + pid}} for pid in pids] +
                     [{"item": {"reference": "Patient/" + pid}, "deleted": True}
                      for pid in deleted]}


@pytest.mark.parametrize("cohort", ["Group/ours", "List/ours"])
def test_who_comes_onto_a_list_of_the_server_is_looked_at(house, cohort):
    def prepare(ward):
        ward.write(patient_list("p1", deleted=["p3"]))
        ill(ward, "p1", "p2", "p3")
    ward = one_by_one(house, "p1", cohort=cohort, prepare=prepare)
    kept(ward, "p1")
    assert not open_alerts(ward, "p2")
    ward.write(group("p1", "p2"), patient_list("p1", "p2", deleted=["p3"]))
    kept(ward, "p2")
    assert not open_alerts(ward, "p3")


def test_a_list_in_a_file_is_read_again_when_it_changes(house, tmp_path):
    path = tmp_path / "patients.txt"
    path.write_text("# our clinic\np1\n")
    ward = one_by_one(house, cohort=str(path), prepare=lambda w: ill(w, "p1", "p2", "p3"))
    kept(ward, "p1")
    path.write_text("p1\nPatient/p2   # since Monday\n")
    kept(ward, "p2")
    path.write_text("p1\np2\nMr. Smith\np3\n")
    line = ward.daemon.wait_log("event=cohort-list-failed ")
    assert f"{path}:3:1" in line and "code=roster.id" in line and "Smith" not in line
    ward.write(lab("p2", 3.0))
    kept(ward, "p2", there=False)      # the list of before counts on
    path.write_text("p1\np2\np3\n")
    kept(ward, "p3")


def test_a_file_is_read_again_at_a_reload_and_a_bad_one_is_refused(house, tmp_path):
    path = tmp_path / "patients.txt"
    path.write_text("p1\n")
    ward = one_by_one(house, cohort=str(path), every="1 h",
                      prepare=lambda w: ill(w, "p1", "p2"))
    kept(ward, "p1")
    path.write_text("p1\np2\n\np 3\n")
    ward.daemon.reload()
    assert f"{path}:4:1" in ward.daemon.wait_log("event=reload-refused ")
    path.write_text("p1\np2\n")
    ward.daemon.reload()
    kept(ward, "p2")


def test_a_bad_list_stops_a_start_with_its_line(house, tmp_path):
    path = tmp_path / "patients.txt"
    path.write_text("p1\n\n!\n")
    ward = one_by_one(house, cohort=str(path), ready=False)
    assert ward.daemon.wait_end() == 1
    assert f"{path}:3:1: this line is no id of a patient" in ward.daemon.log()


def test_a_list_that_cannot_be_read_is_told_and_waited_for(house):
    ward = one_by_one(house, "p1", cohort="Group/later", ready=False,
                      prepare=lambda w: ill(w, "p1"))
    line = ward.daemon.wait_log("event=cohort-list-failed ")
    assert "name=Group/later" in line and "code=server.gone" in line
    assert "event=ready" not in ward.daemon.log()
    ward.write(group("p1", id="later"))
    kept(ward, "p1")


# Whose turn it is

def looks(ward, since=0):
    """Patients in the order in which their orders were asked for; repeats in a row are one."""
    asked = [r.target.partition("patient=")[2].partition("&")[0]
             for r in ward.hospital.asked[since:] if "MedicationRequest?patient=" in r.target]
    return [pid for n, pid in enumerate(asked) if n == 0 or asked[n - 1] != pid]


def test_the_oldest_look_comes_first_also_after_a_restart(house):
    pids = ["p1", "p2", "p3", "p4"]
    ward = one_by_one(house, *pids, prepare=lambda w: [w.write(patient(p)) for p in pids])
    wait_until(lambda: len(looks(ward)) >= 9, what="nine looks", explain=ward.explain)
    assert looks(ward)[:8] == pids * 2
    ward.daemon.stop()
    since = len(ward.hospital.asked)
    last = dict(ward.daemon.query("SELECT name, CAST(value AS INTEGER) FROM setting"
                                  " WHERE name LIKE 'look:%'"))
    ward.daemon.start()
    wait_until(lambda: len(looks(ward, since)) >= 4, what="four looks", explain=ward.explain)
    assert looks(ward, since)[:4] == sorted(pids, key=lambda p: last["look:" + p])


def test_a_patient_who_cannot_be_read_does_not_keep_the_others_waiting(house):
    ward = one_by_one(house, "p1", "p2", ready=False, prepare=lambda w: [
        ill(w, "p1", "p2"), w.hospital.fail(path="patient=p1", answer=500)])
    kept(ward, "p2")
    ward.write(lab("p2", 3.0))
    kept(ward, "p2", there=False)
    assert not open_alerts(ward, "p1")
    ward.hospital.faults.reset()
    kept(ward, "p1")


def test_a_patient_whose_look_was_dropped_by_an_operator_is_looked_at_again(house):
    ward = one_by_one(house, "p1", "p2", ready=False, prepare=lambda w: [
        ill(w, "p1", "p2"), w.hospital.fail(path="patient=p1", answer=500)])
    kept(ward, "p2")
    wait_until(lambda: any(r.status == 500 for r in ward.hospital.requests_of("GET", "patient=p1")),
               what="a look that failed", explain=ward.explain)
    assert queue(ward, "drop", "--state", "waiting", "--because", "a test").returncode == 0
    ward.hospital.faults.reset()
    kept(ward, "p1")


def test_a_patient_who_may_not_be_read_is_set_aside_with_the_reason(house):
    ward = one_by_one(house, "p1", "p2", prepare=lambda w: [
        ill(w, "p1", "p2"), w.hospital.fail(path="patient=p1", answer=403)])
    kept(ward, "p2")
    wait_until(lambda: ward.daemon.query("SELECT count(*) FROM event WHERE patient = 'p1'"
                                         " AND reason = 'server.forbidden'")[0][0],
               what="an event that is set aside", explain=ward.explain)
    ward.hospital.faults.reset()
    kept(ward, "p1")


# The budget of requests

def asked_since_start(hospital):
    """[(seconds since the first request, how many there were by then)]"""
    times = sorted(r.at for r in hospital.asked)
    return [(when - times[0], n) for n, when in enumerate(times, 1)]


@pytest.mark.parametrize("by", ["patient", "updated", "history"])
def test_the_poll_keeps_within_its_budget(house, by):
    per_minute, urgent = 600, 8       # a few reads that do not wait
    if by == "patient":
        pids = [f"p{n}" for n in range(40)]
        ward = one_by_one(house, *pids, perMinute=per_minute,
                          prepare=lambda w: [w.write(patient(p)) for p in pids])
    else:
        hospital = house.hospital(max_page_size=1)
        Ward(hospital).write(patient("p1"), *(lab("p1", 2, name=f"n{n}") for n in range(30)))
        ward = polled(house, hospital, by=by, perMinute=per_minute)
    wait_until(lambda: len(ward.hospital.asked) >= 90, what="ninety requests")
    for seconds, count in asked_since_start(ward.hospital):
        assert count <= per_minute / 10 + seconds * per_minute / 60 + urgent


def test_a_budget_that_does_not_reach_everybody_in_a_day_is_told(house, tmp_path):
    # One request a minute, two a look at least: 30 looks an hour, 720 a day; 721 are listed.
    path = tmp_path / "patients.txt"
    path.write_text("".join(f"p{n}\n" for n in range(721)))
    ward = one_by_one(house, cohort=str(path), perMinute=1, ready=False)
    assert "count=721" in ward.daemon.wait_log("event=cohort-list ")
    assert "count=30" in ward.daemon.wait_log("event=poll-budget-small ")


def test_the_age_of_the_oldest_look_is_told(house, tmp_path):
    # Six requests a minute: the first is used up at once, and nobody else is looked at for seconds.
    path = tmp_path / "patients.txt"
    path.write_text("p1\np2\np3\n")
    ward = one_by_one(house, cohort=str(path), perMinute=6, ready=False, listen=True)
    ward.daemon.wait_log("event=listening")
    wait_until(lambda: ward.daemon.metrics()["look_oldest_age_seconds"] >= 2, what="an old look")
    assert ward.daemon.metrics()["cohort_listed"] == 3


def test_a_server_with_a_quota_is_not_hammered_and_answers_all_in_the_end(house):
    ward = one_by_one(house, "p1", "p2", quota=6, seconds=1, ready=False,
                      prepare=lambda w: ill(w, "p1", "p2"))
    kept(ward, "p1")
    kept(ward, "p2")
    refused = sum(r.status == 429 for r in ward.hospital.asked)
    assert refused < len(ward.hospital.asked) / 2
