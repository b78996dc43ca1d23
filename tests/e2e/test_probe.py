"""`myeloma-adapter probe`: it asks without writing, finds out what a server really does, and leaves a
configuration with which the daemon works."""
import json
import re
import subprocess

import pytest

from daemon import BINARY
from test_topics import hospital_with_basics
from ward import Ward, low, treated
from waiting import DEADLINE, free_port


def probe(*arguments, code=0):
    done = subprocess.run([BINARY, "probe", *arguments], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def ward(house):
    made = Ward(house.hospital())
    made.write(*treated("p1"))
    return made


def settings(text):
    """The configuration in it, without its comments."""
    return json.loads(re.sub(r"(?m)^\s*//.*$", "", text[text.index("{\n"):]))


def row(told, rtype):
    return re.search(rf"(?m)^  {rtype} +(.*)$", told)[1].split()


def test_it_only_reads(ward):
    before = ward.hospital.history()
    probe(ward.hospital.base)
    assert {request.method for request in ward.hospital.asked} == {"GET"}
    assert ward.hospital.history() == before


def test_a_server_that_does_everything(ward):
    told = probe(ward.hospital.base, "--hook", "http://127.0.0.1:8090/hook")
    assert "speaks    R4 (4.0.1), Stand-in hospital" in told and "clock     as ours" in told
    for rtype in ("MedicationRequest", "Observation", "Condition"):
        assert row(told, rtype)[0] == "yes" and row(told, rtype)[2:] == ["yes"] * 3
    assert row(told, "MedicationRequest")[1] == "yes"
    assert settings(told) == {
        "server": {"base": ward.hospital.base}, "subscribe": {"by": "criteria"},
        "hook": {"listen": "[::]:8090", "url": "http://127.0.0.1:8090/hook"},
        "poll": {"by": "updated"}}


def test_a_server_without_last_updated_is_asked_for_its_history(ward):
    ward.hospital.fail(path="_lastUpdated", answer=400)
    told = probe(ward.hospital.base)
    assert row(told, "Observation")[2:] == ["no", "no", "yes"]
    assert settings(told)["poll"] == {"by": "history"}


def test_a_server_that_has_neither_is_asked_patient_by_patient(ward):
    ward.hospital.fail(path="_lastUpdated", answer=400)
    ward.hospital.fail(path="_history", answer=404)
    told = probe(ward.hospital.base, "--format", "json")
    assert json.loads(told)["provedBy"] == "one patient after another"
    assert settings(probe(ward.hospital.base))["poll"]["by"] == "patient"
    named = settings(probe(ward.hospital.base, "--cohort", "List/7"))["poll"]
    assert (named["by"], named["cohort"]) == ("patient", "List/7")


def test_topics_that_the_statement_lists_are_used(house):
    hospital = house.hospital(style="backport")
    assert settings(probe(hospital.base))["subscribe"] == {"by": "topic"}


def test_topics_that_are_wrapped_in_a_basic_are_found(house):
    assert settings(probe(hospital_with_basics(house).base))["subscribe"] == {"by": "topic"}
    bare = house.hospital(style="backport", topics=())
    assert settings(probe(bare.base))["subscribe"] == {"by": "criteria"}


def test_a_server_that_tells_nothing_ends_with_1(ward):
    ward.hospital.fail(path="/fhir/MedicationRequest", answer=403)
    assert "there is no way to find changes here" in probe(ward.hospital.base, "--patient", "p1",
                                                           code=1)


def test_without_credentials_it_says_how_to_give_them(house, tmp_path):
    hospital = house.hospital(token="a-token-of-the-tests")
    assert "--token-file FILE" in probe(hospital.base, code=1)
    token = tmp_path / "token"
    token.write_text("a-token-of-the-tests\n")
    told = probe(hospital.base, "--token-file", str(token))
    assert settings(told)["server"]["tokenFile"] == str(token)
    assert "a-token-of-the-tests" not in told


def test_what_is_no_fhir_server_is_said(house):
    hospital = house.hospital()
    hospital.fail(path="metadata", answer="garbage")
    assert "give the base URL of the FHIR server" in probe(hospital.base, code=1)
    assert "http.failed" not in probe(f"http://127.0.0.1:{free_port()}/fhir", code=1)


def test_a_configuration_is_not_written_over_another_one(ward, tmp_path):
    path = tmp_path / "adapter.json"
    path.write_text("mine")
    assert "--force" in probe(ward.hospital.base, "--output", str(path), code=1)
    assert path.read_text() == "mine"
    probe(ward.hospital.base, "--output", str(path), "--force")
    assert settings(path.read_text())["server"]["base"] == ward.hospital.base


@pytest.mark.parametrize("fault", [(), ("_lastUpdated",), ("_lastUpdated", "_history")])
def test_what_it_writes_is_a_configuration(ward, tmp_path, fault):
    for path in fault:
        ward.hospital.fail(path=path, answer=400)
    path = tmp_path / "adapter.json"
    probe(ward.hospital.base, "--output", str(path), "--hook", "http://127.0.0.1:8090/hook")
    done = subprocess.run([BINARY, "check", "--config", str(path)], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_daemon_works_with_what_it_writes(house, tmp_path):
    """The starting configuration as it is, with a store and a free port of the test."""
    ward = Ward(house.hospital())
    ward.write(*treated("p0"))
    path = tmp_path / "adapter.json"
    port = free_port()
    probe(ward.hospital.base, "--output", str(path), "--hook", f"http://127.0.0.1:{port}/hook")
    ward.daemon = house.daemon(ward.hospital.base, settings=settings(path.read_text()))
    ward.daemon.port = port
    ward.daemon.wait_ready()
    low(ward, "p1")


@pytest.mark.parametrize("arguments, said", [
    ((), "give one URL"), (("ftp://ehr/fhir",), "is no URL"),
    (("http://ehr/fhir", "http://ehr/other"), "give one URL"),
    (("http://ehr/fhir", "--hook", "nowhere"), "is no URL"),
    (("http://ehr/fhir", "--patient", "a b"), "is no id"),
    (("http://ehr/fhir", "--format", "xml"), "text or json"),
    (("http://ehr/fhir", "--token-file", "a", "--basic-file", "b"), "not both")])
def test_wrong_usage_is_said(arguments, said):
    assert said in probe(*arguments, code=2)
