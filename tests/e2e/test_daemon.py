"""The daemon beside a hospital that behaves: it subscribes, listens, polls, and what the rules say
of the patients there stands in the chart, once, for as long as it is true."""
import itertools
import json
import os
import re
import shutil
import sqlite3
import threading
import time

import pytest

from daemon import few_rules
from waiting import DEADLINE, wait_until
from ward import (ACT_CODE, LOW_COUNT, NSAID, OURS, SLOW, Ward, at, evidence, implicated, low,
                  moment, myeloma, order, own_mitigations, patient, result, tag, treated)


PROTECTION = "imid-vte-proph-gap"


@pytest.fixture(scope="module")
def ward(shared_house):
    """A hospital whose changes come by push alone: the next poll is an hour away."""
    return shared_house.ward(settings=SLOW).listening()


def test_every_change_comes_by_push(ward):
    before = ward.daemon.metrics()
    low(ward, "pushed")
    ward.settle()
    after = ward.daemon.metrics()
    assert after["notifications_total"] >= before["notifications_total"] + 5
    assert after["events_found_by_poll_total"] == before["events_found_by_poll_total"]


# What it says and asks for at the start

def test_it_says_what_the_server_is_and_what_it_will_use(ward):
    line = ward.daemon.wait_log("event=capability ")
    assert "version=4.0.1" in line and "Stand-in hospital" in line
    assert "status=push" in line and "what=update-create" in line


def test_it_asks_for_three_subscriptions_with_a_secret(ward):
    subscriptions = ward.subscribed()
    assert set(subscriptions) == {"MedicationRequest", "Observation", "Condition"}
    for rtype, subscription in subscriptions.items():
        channel = subscription["channel"]
        assert channel["type"] == "rest-hook"
        assert channel["endpoint"] == f"http://127.0.0.1:{ward.daemon.port}/hook/{rtype}"
        assert channel["payload"] == "application/fhir+json"
        assert len(channel["header"]) == 1
        assert re.fullmatch(r"X-Myeloma-Adapter-Key: [0-9a-f]{64}", channel["header"][0])


def test_another_installation_has_another_secret_and_its_own_subscriptions(house):
    one = house.ward(settings=SLOW)
    other = house.daemon(one.hospital.base, settings={**SLOW, "name": "other"})
    other.wait_ready()
    found = wait_until(lambda: len(one.hospital.resources("Subscription")) == 6
                       and one.hospital.resources("Subscription"), what="six Subscriptions")
    assert len({s["channel"]["header"][0] for s in found}) == 2


def test_a_restart_finds_its_subscriptions_again(house):
    ward = house.ward(settings=SLOW)
    before = ward.subscribed()
    ward.listening(since=ward.daemon.restart())
    assert ward.subscribed() == before
    assert len(ward.hospital.resources("Subscription")) == 3


def test_a_server_without_subscriptions_is_polled(house):
    ward = house.ward(without=("Subscription",), ready=False)
    ward.daemon.wait_ready()
    assert "status=poll" in ward.daemon.wait_log("event=capability ")
    ward.daemon.wait_log("event=subscription-unsupported")
    low(ward, "p1")


@pytest.mark.parametrize("path, status", [("/health", 200), ("/ready", 200), ("/metrics", 200),
                                          ("/", 404), ("/hook", 404), ("/hook/Patients", 404),
                                          ("/../etc/passwd", 404)])
def test_the_listener_answers_operators(ward, path, status):
    assert ward.daemon.request("GET", path)[0] == status


# What an alert says

def test_an_alert_says_what_why_what_to_do_and_on_whose_authority(ward):
    began = at("-2 s")      # a server's Date has no fractions
    issue = low(ward, "full")
    assert issue["status"] == "final" and issue["severity"] == "high"
    assert issue["patient"] == {"reference": "Patient/full"}
    codings = {c["system"]: c["code"] for c in issue["code"]["coding"]}
    assert codings == {ACT_CODE: "LAB", OURS + ":rule": LOW_COUNT}
    assert "ANC below 1.0" in issue["code"]["text"]
    assert set(issue["identifiedPeriod"]) == {"start"}
    assert moment(began) < moment(issue["identifiedPeriod"]["start"]) < moment(at("+2 s"))
    assert implicated(issue)[0] == "MedicationRequest/full-lenalidomide"
    assert evidence(issue) == ["Observation/full-neutrophils"]
    for words in ("0.8", "Interrupt and repeat CBC", "REVLIMID"):
        assert words in issue["detail"], issue["detail"]
    assert issue["text"]["status"] == "generated"
    assert issue["text"]["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml">')
    assert "Interrupt and repeat CBC" in issue["text"]["div"]


def test_an_alert_carries_identifier_tags_and_author(ward):
    issue = low(ward, "marked")
    identifier, = issue["identifier"]
    assert identifier["system"] == OURS + ":alert"
    assert issue["id"] == "mm-" + identifier["value"]
    assert tag(issue, "rule") == LOW_COUNT and tag(issue, "display") == "interruptive"
    generation = re.search(r"event=starting .*name=(\S+)", ward.daemon.log()).group(1)
    assert tag(issue, "generation") == generation
    kind, rid = issue["author"]["reference"].split("/")
    device = ward.hospital.get(kind, rid)
    assert kind == "Device" and device["version"][0]["value"]
    assert device["status"] == "active" and device["deviceName"]


def test_an_interaction_names_the_triggering_order_first(ward):
    ward.write(*treated("nsaid"), order("nsaid", "naproxen", since="-1 h"))
    issue = ward.alert("nsaid", NSAID)
    assert issue["code"]["coding"][0]["code"] == "DRG"
    assert implicated(issue)[0] == "MedicationRequest/nsaid-naproxen"
    assert "Condition/nsaid-mm" in evidence(issue)


def test_the_product_code_of_a_capsule_is_understood(ward):
    ward.write(*treated("capsule", drug="lenalidomide 25 mg capsule"), result("capsule", 0.7))
    assert ward.alert("capsule")


def test_another_drug_brings_its_own_rule(ward):
    ward.write(*treated("poma", drug="pomalidomide"), order("poma", "ciprofloxacin"))
    issue = ward.alert("poma", "pom-cyp1a2-strong")
    assert {"MedicationRequest/poma-pomalidomide", "MedicationRequest/poma-ciprofloxacin"} <= set(
        implicated(issue))


def test_a_patient_outside_the_cohort_gets_no_alert_and_costs_no_read(ward):
    before = ward.daemon.metrics()["events_outside_cohort_total"]
    ward.write(patient("flu"), order("flu", "naproxen"), order("flu", "dexamethasone"),
               result("flu", 0.4))
    wait_until(lambda: ward.daemon.metrics()["events_outside_cohort_total"] >= before + 3,
               what="three events outside the cohort", explain=ward.explain)
    ward.settle()
    assert ward.alerts("flu") == []
    assert not [r for r in ward.hospital.asked if "patient=flu" in r.target.replace("%2F", "/")]


def test_a_diagnosis_brings_a_patient_in_with_what_was_there_before(ward):
    ward.write(patient("late"), order("late", "naproxen"))
    ward.settle()
    assert ward.alerts("late") == []
    ward.write(myeloma("late"))
    issue = ward.alert("late", NSAID)
    assert implicated(issue) == ["MedicationRequest/late-naproxen"]
    assert evidence(issue) == ["Condition/late-mm"]


@pytest.mark.parametrize("how", ["deleted", "entered-in-error", "refuted"])
def test_a_diagnosis_taken_back_retracts_what_rested_on_it(ward, how):
    pid = "not-" + how
    ward.write(patient(pid), order(pid, "naproxen"), myeloma(pid))
    ward.alert(pid, NSAID)
    if how == "deleted":
        ward.hospital.delete("Condition", pid + "-mm")
    else:
        ward.edit("Condition", pid + "-mm", verificationStatus={"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
            "code": how}]})
    ward.alert(pid, NSAID, "retracted")


def test_a_suppressed_finding_is_not_written(ward):
    ward.write(*treated("lora"), order("lora", "loratadine"), result("lora", 0.9))
    ward.alert("lora")
    ward.settle()
    assert ward.alerts("lora", "lor-none") == []


def test_a_weaker_finding_is_part_of_the_stronger_alert(ward):
    ward.write(*treated("critical"))
    ward.settle()           # no chart has the result without the order
    ward.write(result("critical", 0.3))
    ward.alert("critical")
    ward.settle()
    assert ward.alerts("critical", "crit-anc-05") == []


# How an alert changes and ends

def test_a_new_low_count_updates_the_alert_without_a_twin(ward):
    first = low(ward, "again")
    ward.write(result("again", 0.6, name="again-second", when="-1 s"))
    issue = ward.alert("again", where=lambda a: evidence(a) == ["Observation/again-second"])
    assert issue["id"] == first["id"] and "0.6" in issue["detail"]
    assert issue["identifiedPeriod"] == first["identifiedPeriod"]
    ward.settle()
    assert len(ward.alerts("again", LOW_COUNT)) == 1 and len(ward.versions(issue)) == 2


def test_an_update_carries_if_match(ward):
    issue = low(ward, "match")
    ward.write(result("match", 0.5, name="match-second", when="-1 s"))
    ward.alert("match", where=lambda a: evidence(a) == ["Observation/match-second"])
    ward.settle()           # an alert stands there before its request is answered and recorded
    first, *rest = ward.hospital.requests_of("PUT", "DetectedIssue/" + issue["id"])
    assert "if-match" not in first.headers
    assert [r.headers.get("if-match") for r in rest] == ['W/"1"']


def test_the_same_facts_again_write_nothing(ward):
    issue = low(ward, "same")
    ward.settle()
    count = len(ward.hospital.requests_of("PUT", issue["id"]))
    ward.edit("Observation", "same-neutrophils", note=[{"text": "seen by nobody"}])
    ward.settle()
    assert len(ward.versions(issue)) == 1
    assert len(ward.hospital.requests_of("PUT", issue["id"])) == count


def test_a_new_order_of_the_same_drug_updates_the_alert(ward):
    first = low(ward, "cycle")
    ward.write(order("cycle", "lenalidomide", name="cycle-next", since="-1 h"))
    ward.alert("cycle", where=lambda a: "MedicationRequest/cycle-next" in implicated(a))
    ward.edit("MedicationRequest", "cycle-lenalidomide", status="completed")
    issue = ward.alert("cycle", where=lambda a: "MedicationRequest/cycle-lenalidomide"
                       not in implicated(a))
    assert issue["id"] == first["id"] and "end" not in issue["identifiedPeriod"]
    assert implicated(issue)[0] == "MedicationRequest/cycle-next"
    ward.settle()
    assert len(ward.alerts("cycle", LOW_COUNT)) == 1


def test_recovery_ends_the_alert(ward):
    issue = low(ward, "well")
    ward.write(result("well", 2.4, name="well-second", when="-1 s"))
    ended = ward.alert("well", status="ended")
    assert ended["id"] == issue["id"] and ended["status"] == "final"
    mitigation, = own_mitigations(ended)
    assert mitigation["date"] and "no longer" in mitigation["action"]["text"]
    assert [c["code"] for c in mitigation["action"]["coding"]] == ["ended"]
    assert "Ended" in ended["detail"] and "Ended" in ended["text"]["div"]


def test_a_fall_after_recovery_is_a_new_episode(ward):
    first = low(ward, "relapse")
    ward.write(result("relapse", 2.4, name="relapse-2", when="-20 min"))
    ward.alert("relapse", status="ended")
    ward.write(result("relapse", 0.7, name="relapse-3", when="-1 s"))
    second = ward.alert("relapse", status="open")
    assert second["id"] != first["id"]
    ward.settle()
    assert len(ward.alerts("relapse", LOW_COUNT)) == 2
    assert len(ward.alerts("relapse", LOW_COUNT, "ended")) == 1


@pytest.mark.parametrize("status", ["stopped", "completed", "cancelled"])
def test_a_stopped_order_ends_the_alert_with_code_7(ward, status):
    pid = "stop-" + status
    low(ward, pid)
    ward.edit("MedicationRequest", pid + "-lenalidomide", status=status)
    mitigation, = own_mitigations(ward.alert(pid, status="ended"))
    assert "lenalidomide" in mitigation["action"]["text"]
    assert [c["code"] for c in mitigation["action"]["coding"]] == ["7", "ended"]


def test_an_order_on_hold_ends_the_alert(ward):
    low(ward, "hold")
    ward.edit("MedicationRequest", "hold-lenalidomide", status="on-hold")
    mitigation, = own_mitigations(ward.alert("hold", status="ended"))
    assert "on hold" in mitigation["action"]["text"]


def open_for_a_while(ward, name, write):
    """The alert of a patient for whom write(patient's id, seconds) writes what holds so long, when
    nothing else waits. Where that takes longer, another patient gets more time."""
    for seconds in (3, 10, 30):
        pid = f"{name}-{seconds}"
        over = moment(at(f"+{seconds} s"))
        write(pid, seconds)
        ward.settle()
        found = ward.alerts(pid, LOW_COUNT, "open")
        if moment(at()) < over:
            issue, = found
            return pid, issue
    raise AssertionError(f"nothing is settled within {seconds} s\n{ward.explain()}")


def test_an_order_that_runs_out_ends_the_alert_by_the_clock(ward):
    def write(pid, seconds):
        ward.write(*treated(pid, until=f"+{seconds} s"), result(pid, 0.8))
    pid, issue = open_for_a_while(ward, "runout", write)
    events = ward.daemon.journal()
    ended = ward.alert(pid, status="ended")
    assert ended["id"] == issue["id"] and ward.daemon.journal() == events
    end = moment(ended["identifiedPeriod"]["end"])
    bounds = ward.hospital.get("MedicationRequest", pid + "-lenalidomide")
    bounds = bounds["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    # Well before the daemon's next look at the clock, which comes after 30 s without a reason.
    assert 0 <= (end - moment(bounds["end"])).total_seconds() < 20


def test_a_result_that_grows_too_old_ends_the_alert_by_the_clock(ward):
    def write(pid, seconds):
        ward.write(*treated(pid, since="-3 d"))
        ward.write({**result(pid, 0.8), "effectiveDateTime": at(f"-{14 * 86400 - seconds} s")})
    pid, _ = open_for_a_while(ward, "old", write)
    mitigation, = own_mitigations(ward.alert(pid, status="ended"))
    assert mitigation["action"]["text"]


def test_a_result_entered_in_error_retracts_the_alert(ward):
    issue = low(ward, "wrong")
    ward.edit("Observation", "wrong-neutrophils", status="entered-in-error")
    retracted = ward.alert("wrong", status="retracted")
    assert retracted["id"] == issue["id"] and not own_mitigations(retracted)
    assert "Retracted" in retracted["detail"]


def test_an_order_entered_in_error_retracts_the_alert(ward):
    low(ward, "error")
    ward.edit("MedicationRequest", "error-lenalidomide", status="entered-in-error")
    assert ward.alert("error", status="retracted")


def test_a_deleted_result_retracts_the_alert(ward):
    low(ward, "gone")
    ward.hospital.delete("Observation", "gone-neutrophils")
    assert ward.alert("gone", status="retracted")


def test_a_corrected_result_retracts_the_alert(ward):
    """The count never was low: what is said about it was an error."""
    low(ward, "corrected")
    ward.edit("Observation", "corrected-neutrophils", status="corrected", valueQuantity={
        **result("corrected", 1.8)["valueQuantity"]})
    assert ward.alert("corrected", status="retracted")


def test_what_a_clinician_wrote_is_kept_while_the_alert_follows_the_facts(ward):
    """A worse count reaches the chart in the same alert, beside the clinician's answer."""
    issue = low(ward, "answered")
    said = {"action": {"text": "Dose held until Monday"}, "date": "2026-01-05",
            "author": {"reference": "Practitioner/dr-a"}}
    ward.edit("DetectedIssue", issue["id"], mitigation=[said])
    ward.write(result("answered", 0.1, name="answered-2", when="-30 min"))
    ward.settle()
    worse = ward.alert("answered")
    assert worse["id"] == issue["id"] and len(ward.alerts("answered", LOW_COUNT)) == 1
    assert len(ward.versions(issue)) == 3 and worse["mitigation"] == [said]
    assert "0.1" in worse["detail"] and "0.1" not in issue["detail"]
    ward.write(result("answered", 2.2, name="answered-3", when="-1 s"))
    ended = ward.alert("answered", status="ended")
    assert ended["mitigation"][0] == said and len(own_mitigations(ended)) == 1
    ward.settle()
    last = ward.hospital.requests_of("PUT", issue["id"])[-1]
    assert last.headers["if-match"] == 'W/"3"'


# Servers that do not let a client choose ids

@pytest.mark.parametrize("conditional", [True, False], ids=["If-None-Exist", "search and create"])
def test_where_ids_are_the_servers_an_alert_is_created_once(house, conditional):
    ward = house.ward(update_create=False, conditional_create=conditional, settings=SLOW)
    issue = low(ward, "p1")
    assert re.fullmatch(r"\d+", issue["id"])
    ward.settle()
    post, = ward.hospital.requests_of("POST", "/DetectedIssue")
    assert issue["identifier"][0]["value"] in post.headers["if-none-exist"]
    ward.write(result("p1", 0.5, name="p1-second", when="-1 s"))
    ward.alert("p1", where=lambda a: evidence(a) == ["Observation/p1-second"])
    ward.settle()
    put, = ward.hospital.requests_of("PUT", "/DetectedIssue/")
    assert put.headers["if-match"] == 'W/"1"'
    ward.write(result("p1", 3.5, name="p1-third", when="+0 s"))
    assert ward.alert("p1", status="ended")["id"] == issue["id"]
    assert len(ward.hospital.resources("DetectedIssue")) == 1
    assert len(ward.hospital.resources("Device")) == 1


def test_a_server_without_versions_is_served(house):
    ward = house.ward(versioning="no-version", settings=SLOW)
    issue = low(ward, "p1")
    ward.write(result("p1", 2.5, name="p1-second", when="-1 s"))
    assert ward.alert("p1", status="ended")["id"] == issue["id"]


def test_where_no_device_is_taken_alerts_have_no_author(house):
    ward = house.ward(without=("Device",), settings=SLOW)
    assert "author" not in low(ward, "p1")
    assert "fix=" in ward.daemon.wait_log("event=device-refused")


def test_where_no_alert_is_taken_it_says_so_and_writes_them_when_it_can(house):
    ward = house.ward(without=("DetectedIssue",), settings=SLOW)
    assert "type=DetectedIssue" in ward.daemon.wait_log("event=capability-lacking")
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.daemon.wait_log("event=alert-raised")
    ward.hospital.set_options(without=())
    ward.daemon.restart()
    ward.alert("p1")


# Notifications in every shape


def test_an_empty_notification_makes_it_look(house):
    ward = house.ward(settings={**SLOW, "hook": {"payload": False}}).listening()
    assert "payload" not in ward.subscribed()["Observation"]["channel"]
    ward.write(*treated("p1"))
    ward.write(result("p1", 0.8))
    ward.alert("p1")
    ward.settle()
    assert ward.hospital.notifier.state()["succeeded"] >= 5


def test_medplum_posts_the_resource_and_tells_of_deletions(house):
    ward = house.ward(style="medplum", settings={**SLOW, "server": {"startActive": True}})
    ward.listening()
    subscriptions = ward.subscribed()
    assert all(s["status"] == "active" for s in subscriptions.values())
    low(ward, "p1")
    ward.settle()
    state = ward.hospital.notifier.state()
    assert state["succeeded"] == state["tried"] >= 5
    ward.hospital.delete("Observation", "p1-neutrophils")
    ward.alert("p1", status="retracted")


def test_what_push_did_not_tell_is_looked_for_before_it_is_called_missing(house):
    """The protection was ordered first, and its notification was lost."""
    ward = house.ward(settings=SLOW).listening()
    ward.write(patient("p1"), myeloma("p1"))
    ward.settle()
    ward.hospital.deliveries(drop={"times": 1})
    ward.write(order("p1", "apixaban"))
    ward.settle()
    ward.write(order("p1", "lenalidomide"))
    ward.settle()
    assert ward.alerts("p1", PROTECTION) == []
    ward.write(patient("p2"), myeloma("p2"), order("p2", "lenalidomide"))
    ward.alert("p2", PROTECTION)


def test_each_shape_gets_its_answer(ward):
    ward.write(*treated("shapes"))
    observation = ward.write(result("shapes", 2.0))[0]
    for method, path in (("PUT", "Observation/Observation/shapes-neutrophils"),
                         ("POST", "Observation")):
        status, headers, body = ward.notify(path, observation, method)
        assert status == 200 and json.loads(body)["resourceType"] == "OperationOutcome"
        assert headers["Content-Type"].startswith("application/fhir+json")
    status, _, body = ward.notify("Observation", method="POST")
    assert status == 200 and json.loads(body)["resourceType"] == "OperationOutcome"
    status, _, body = ward.notify("Observation/Observation/never-there", method="DELETE")
    assert status == 200


def test_the_answer_comes_only_after_the_commit(house):
    """A notification that was answered is not lost, whatever happens the moment after."""
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    key = ward.secret()
    ward.hospital.deliveries(drop={})
    ward.hospital.fail(path="/fhir/", answer=503)       # nothing can be read or written
    observation = ward.write(result("p1", 0.8))[0]
    status, _, _ = ward.notify("Observation/Observation/p1-neutrophils", observation, "PUT", key)
    ward.daemon.kill()
    assert status == 200 and ward.daemon.journal() > 0
    assert not ward.alerts("p1", LOW_COUNT)
    ward.hospital.reset()
    ward.hospital.fail(path="_lastUpdated", answer=503)  # and no poll will find it
    ward.daemon.start()
    ward.alert("p1")


def test_notifications_during_a_commit_are_answered_after_it(house):
    """While another program holds the store's lock there is no 200, and nothing is lost."""
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    key, before = ward.secret(), ward.daemon.journal()
    versions, statuses = itertools.count(1), []

    def under_a_brief_lock():
        """Whether the lock was brief. The daemon has half a second of patience; a busy machine
        may keep the lock longer, and then nothing but a 200 under it is wrong."""
        answers, observation = [], {**result("p1", 0.8), "meta": {
            "versionId": str(next(versions)), "lastUpdated": at()}}
        thread = threading.Thread(target=lambda: answers.append(
            ward.notify("Observation/Observation/p1-neutrophils", observation, "PUT", key)[0]))
        other = sqlite3.connect(ward.daemon.config["store"], DEADLINE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        thread.start()
        thread.join(0.3)
        early = list(answers)
        other.execute("ROLLBACK")
        brief = time.monotonic() - began < 0.5
        other.close()
        thread.join(DEADLINE)
        assert (early, answers) == ([], [200]) if brief else 200 not in early
        statuses.extend(answers)
        return brief
    wait_until(under_a_brief_lock, what="a brief lock")
    assert ward.daemon.journal() == before + statuses.count(200)


# The poll

def test_alone_the_poll_finds_everything(house):
    ward = house.ward(hook=False, settings={"poll": {"every": "1 s"}})
    low(ward, "p1")
    ward.write(result("p1", 2.5, name="p1-second", when="-1 s"))
    ward.alert("p1", status="ended")
    assert ward.hospital.resources("Subscription") == []


def test_the_poll_asks_past_the_servers_cache_and_reaches_back(house):
    ward = house.ward(hook=False, search_cache_seconds=60,
                      settings={"poll": {"every": "1 s", "overlap": "30 s"}})
    low(ward, "p1")
    path = "/Observation?_lastUpdated=ge"
    last = wait_until(lambda: ward.hospital.requests_of("GET", path)[1:],
                      what="a poll that is not the first")[-1]
    age_now = time.monotonic() - last.at
    asked = ward.hospital.requests_of("GET", "_lastUpdated=ge")
    assert asked and all("no-cache" in r.headers.get("cache-control", "") for r in asked)
    assert all(r.headers["accept"].startswith("application/fhir+json") for r in asked)
    assert all("_sort=_lastUpdated" in r.target for r in asked)
    since = re.search(r"_lastUpdated=ge([^&]+)", last.target).group(1).replace("%3A", ":")
    age = (moment(at()) - moment(since)).total_seconds() - age_now
    assert 29 <= age < 90, since


def test_the_first_poll_finds_what_was_there_before(house):
    hospital = house.hospital()
    ward = Ward(hospital)
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.daemon = house.daemon(hospital.base, settings=SLOW)
    ward.alert("p1")


def test_a_lost_notification_is_found_by_the_poll_and_counted(house):
    ward = house.ward(settings={"poll": {"every": "1 s"}}).listening()
    ward.write(*treated("p1"))
    ward.settle()
    before = ward.daemon.metrics()["events_found_by_poll_total"]
    ward.hospital.deliveries(drop={})
    ward.write(result("p1", 0.8))
    ward.alert("p1")
    assert ward.daemon.metrics()["events_found_by_poll_total"] > before


def test_many_pages_are_read_to_the_end(house):
    hospital = house.hospital(max_page_size=3)
    ward = Ward(hospital)
    for n in range(8):
        ward.write(*treated(f"p{n}"), result(f"p{n}", 0.8))
    ward.daemon = house.daemon(hospital.base, settings={**SLOW, "server": {"pageCount": 3}})
    for n in range(8):
        ward.alert(f"p{n}")


@pytest.mark.parametrize("skew", [-3600, 3600], ids=["an hour behind", "an hour ahead"])
def test_the_poll_goes_by_the_servers_time(house, skew):
    hospital = house.hospital()
    hospital.clock(date_skew=skew, stamp_skew=skew)
    ward = house.ward(hospital, hook=False, settings={"poll": {"every": "1 s", "overlap": "5 s"}})
    ward.write(*treated("p1"))
    polls = len(hospital.requests_of("GET", "/Observation?_lastUpdated"))
    wait_until(lambda: len(hospital.requests_of("GET", "/Observation?_lastUpdated")) > polls + 1,
               what="two more polls")
    ward.write(result("p1", 0.8))
    ward.alert("p1")


# Stopping, restarting

def test_sigterm_ends_cleanly(house):
    ward = house.ward()
    low(ward, "p1")
    assert ward.daemon.stop() == 0
    assert "event=stopped" in ward.daemon.log()
    assert "event=loop-not-empty" not in ward.daemon.log()
    assert not os.path.exists(f"/proc/{ward.daemon.process.pid}")


def test_sigterm_ends_cleanly_while_the_server_is_away(house):
    ward = house.ward()
    ward.hospital.fail(path="/fhir/", delay=30)
    ward.write(*treated("p1"), result("p1", 0.8))
    wait_until(lambda: ward.daemon.journal() > 0, what="an event")
    assert ward.daemon.stop() == 0


def test_work_accepted_before_a_stop_is_done_after_it(house):
    ward = house.ward(settings=SLOW)
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.fail(method="PUT", path="DetectedIssue", answer=503)
    ward.write(result("p1", 0.8))
    wait_until(lambda: ward.daemon.owed()[1] == 1, what="an alert is owed", explain=ward.explain)
    assert ward.daemon.stop() == 0
    assert ward.daemon.owed()[1] == 1
    ward.hospital.reset()
    ward.daemon.start()
    issue = ward.alert("p1")
    ward.settle()
    assert len(ward.versions(issue)) == 1


def test_a_restart_neither_loses_nor_doubles(house):
    ward = house.ward(settings=SLOW)
    steady, ending = low(ward, "steady"), low(ward, "ending")
    ward.write(*treated("raised"))
    ward.settle()
    assert ward.daemon.stop() == 0
    ward.write(result("ending", 2.5, name="ending-2", when="-1 s"), result("raised", 0.7))
    since = len(ward.daemon.lines)
    ward.daemon.start().wait_ready(since=since)
    assert ward.alert("ending", status="ended")["id"] == ending["id"]
    raised = ward.alert("raised")
    ward.settle()
    assert [len(ward.versions(i)) for i in (steady, ending, raised)] == [1, 2, 1]
    for pid in ("steady", "ending", "raised"):
        assert len(ward.alerts(pid, LOW_COUNT)) == 1


def start_with_an_empty_store(daemon):
    for name in os.listdir(daemon.folder):
        if name.startswith("adapter.db"):
            os.unlink(os.path.join(daemon.folder, name))
    since = len(daemon.lines)
    daemon.start().wait_ready(since=since)
    daemon.wait_log("event=delivered", since=since)


@pytest.mark.parametrize("update_create", [True, False], ids=["our ids", "the server's ids"])
def test_a_store_that_was_lost_makes_no_twins_and_keeps_what_clinicians_wrote(house,
                                                                              update_create):
    ward = house.ward(update_create=update_create, settings=SLOW)
    issue = low(ward, "p1")
    said = {"action": {"text": "Dose held until Monday"}, "date": "2026-01-05"}
    ward.edit("DetectedIssue", issue["id"], mitigation=[said])
    ward.settle()
    assert ward.daemon.stop() == 0
    start_with_an_empty_store(ward.daemon)
    ward.settle()
    standing, = ward.alerts("p1", LOW_COUNT)
    assert standing["id"] == issue["id"]
    assert standing.get("mitigation") == [said]


def test_a_twin_that_somebody_made_is_marked_as_an_error(house):
    ward = house.ward(update_create=False, conditional_create=False, settings=SLOW)
    issue = low(ward, "p1")
    ward.settle()
    assert ward.daemon.stop() == 0
    twin = ward.hospital.put({k: v for k, v in issue.items() if k not in ("id", "meta")}
                             | {"meta": {"tag": issue["meta"]["tag"]}})
    start_with_an_empty_store(ward.daemon)
    wait_until(lambda: ward.hospital.get("DetectedIssue", twin["id"])["status"]
               == "entered-in-error", what="the twin is marked", explain=ward.explain)
    ward.settle()
    assert ward.hospital.get("DetectedIssue", issue["id"])["status"] == "final"


def test_rules_that_changed_while_it_was_down_are_applied_at_the_start(site):
    site.write(*treated("p1"), result("p1", 1.2))
    site.settle()
    assert site.daemon.stop() == 0
    site.rules.write_text(below(site.rules.read_text(), "1.5"))
    site.daemon.start()
    assert site.alert("p1")


# Reloading

@pytest.fixture
def site(house, tmp_path):
    """A ward whose mappings are a copy that a test may change."""
    mappings = tmp_path / "mappings"
    shutil.copytree(few_rules(), mappings)
    ward = house.ward(settings=SLOW, mappings=str(mappings))
    ward.rules = mappings / "rules" / "lenalidomide.json"
    return ward


def below(text, limit):
    """The rules of lenalidomide with another limit for the neutrophils in combination."""
    changed = re.sub(r'("result": "neutrophils", "is": ")below 1\.0( 10\*9/L)',
                     rf"\1below {limit}\2", text, count=1)
    assert changed != text
    return changed


def generation_of(ward, since=0):
    line = ward.daemon.wait_log(r"event=reloaded", since=since)
    return re.search(r"version=(\S+)", line).group(1)


def test_a_reload_evaluates_every_chart_again(site):
    site.write(*treated("p1"), result("p1", 1.2))
    site.settle()
    assert site.alerts("p1", LOW_COUNT) == []
    text = site.rules.read_text()
    site.rules.write_text(below(text, "1.5"))
    site.daemon.reload()
    generation = generation_of(site)
    assert tag(site.alert("p1"), "generation") == generation
    since = len(site.daemon.lines)
    site.rules.write_text(text)
    site.daemon.reload()
    assert generation_of(site, since) != generation
    site.alert("p1", status="ended")


def test_a_rule_that_is_switched_off_ends_its_alerts(site):
    low(site, "p1")
    rules = json.loads(site.rules.read_text())
    rule, = (r for r in rules["rules"] if r["id"] == LOW_COUNT)
    rule["mode"] = "off"
    site.rules.write_text(json.dumps(rules, indent=2))
    site.daemon.reload()
    mitigation, = own_mitigations(site.alert("p1", status="ended"))
    assert "no longer in force" in mitigation["action"]["text"]


def test_a_bad_rule_file_is_refused_with_its_place_and_the_old_rules_go_on(site):
    text = site.rules.read_text()
    lines = text.splitlines()
    row = next(n for n, line in enumerate(lines) if '"severity": "high"' in line)
    lines[row] = lines[row].replace('"high"', '"hihg"')
    site.rules.write_text("\n".join(lines))
    site.daemon.reload()
    refused = site.daemon.wait_log("event=reload-refused")
    assert re.search(rf"where=\S+/lenalidomide\.json:{row + 1}:\d+", refused), refused
    assert "hihg" in refused and "fix=" in refused
    assert site.daemon.metrics()["reloads_refused_total"] == 1
    issue = low(site, "p1")
    assert tag(issue, "generation") == re.search(r"event=starting .*name=(\S+)",
                                                 site.daemon.log()).group(1)
    site.rules.write_text(text)
    site.daemon.reload()
    site.daemon.wait_log("event=reloaded")


def test_one_bad_file_refuses_the_good_changes_beside_it(site):
    """All or nothing: a good change of the configuration does not come in with a bad rule."""
    site.rules.write_text("{")
    site.daemon.config["logLevel"] = "error"
    site.daemon.write_config()
    site.daemon.reload()
    site.daemon.wait_log("event=reload-refused")
    low(site, "p1")
    site.daemon.wait_log("event=delivered")     # still told at level info


@pytest.mark.parametrize("change, place", [
    ({"poll": {"evry": "5 s"}}, r"adapter\.json:\d+:\d+"),
    ({"poll": {"every": "5 parsecs"}}, r"adapter\.json:\d+:\d+"),
    ({"name": "another"}, "reload.fixed"),
    ({"server": {"startActive": True}}, "reload.fixed"),
    ({"hook": {"payload": False}}, "reload.fixed"),
    ({"hook": {"connections": 7}}, "reload.fixed"),
    ({"server": {"connections": 7}}, "reload.fixed"),
], ids=["unknown key", "bad value", "a setting that cannot change", "how Subscriptions are created",
        "what Subscriptions ask for", "what the listener bears", "what the server bears"])
def test_a_bad_configuration_is_refused(site, change, place):
    good = dict(site.daemon.config)
    site.daemon.config = {**good, **{
        key: {**good[key], **more} if isinstance(good.get(key), dict) else more
        for key, more in change.items()}}
    site.daemon.write_config()
    site.daemon.reload()
    refused = site.daemon.wait_log("event=reload-refused")
    assert re.search(place, refused), refused
    assert site.daemon.process.poll() is None
    site.daemon.config = good
    low(site, "p1")


LOCAL_CODES = "system,code,concept,comment\nurn:ward,{code},{concept},\n"


def rule_of_the_site():
    """The rule of low counts under another id."""
    rules = json.loads((few_rules() / "rules/lenalidomide.json").read_text())["rules"]
    rule, = (dict(rule) for rule in rules if rule["id"] == LOW_COUNT)
    rule.pop("yieldsTo", None)
    return {"owner": "site", "reviewBy": "2030-01-01", "rules": [{**rule, "id": "site-low-count"}]}


@pytest.mark.parametrize("wrong", ["codes", "rules"])
def test_a_reload_takes_local_codes_and_rules_all_or_nothing(house, tmp_path, wrong):
    codes, rules = tmp_path / "codes", tmp_path / "rules"
    codes.mkdir()
    rules.mkdir()
    (codes / "site.csv").write_text(LOCAL_CODES.format(code="OTHER", concept="dexamethasone"))
    good = rule_of_the_site()
    (rules / "site.json").write_text(json.dumps({**good, "rules": []}))
    ward = house.ward(settings={**SLOW, "localCodes": [str(codes)], "localRules": [str(rules)]})
    drug = {"coding": [{"system": "urn:ward", "code": "LEN"}]}
    ward.write(*treated("p1")[:-1], result("p1", 0.8),
               {**order("p1", "lenalidomide"), "medicationCodeableConcept": drug})
    ward.settle()
    assert ward.alerts("p1") == []

    # Good codes and a good rule beside one that is wrong: nothing of them comes in.
    (codes / "site.csv").write_text(LOCAL_CODES.format(code="LEN", concept="lenalidomide"))
    (rules / "site.json").write_text(json.dumps(good))
    bad = codes / "slip.csv" if wrong == "codes" else rules / "slip.json"
    bad.write_text(LOCAL_CODES.format(code="X", concept="lenalidomid") if wrong == "codes" else "{")
    ward.daemon.reload()
    refused = ward.daemon.wait_log("event=reload-refused")
    assert re.search(rf"where={bad}:\d+:\d+", refused), refused
    ward.edit("Observation", "p1-neutrophils", note=[{"text": "evaluated again"}])
    ward.settle()
    assert ward.alerts("p1") == [] and ward.daemon.metrics()["reloads_refused_total"] == 1

    bad.unlink()
    ward.daemon.reload()
    generation = generation_of(ward)
    for rule in (LOW_COUNT, "site-low-count"):
        assert tag(ward.alert("p1", rule), "generation") == generation


def test_a_changed_interval_takes_effect_at_once(house):
    ward = house.ward(hook=False, settings=SLOW)
    ward.write(*treated("p1"), result("p1", 0.8))
    ward.daemon.config["poll"]["every"] = "1 s"
    ward.daemon.write_config()
    ward.daemon.reload()
    ward.daemon.wait_log("event=reloaded")
    ward.alert("p1")


def test_reloads_in_quick_succession_end_with_the_last_one(site):
    text = site.rules.read_text()
    site.write(*treated("p1"), result("p1", 1.2))
    site.settle()
    site.rules.write_text(text + "\n")
    site.daemon.reload()
    site.rules.write_text(below(text, "1.5"))
    site.daemon.reload()
    site.alert("p1")
