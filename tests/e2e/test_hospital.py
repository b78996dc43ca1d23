"""The stand-in hospital keeps to FHIR R4 when it behaves, and misbehaves as it is told to.

All of it over real HTTP. Nothing here sleeps: what takes time is waited for, with a deadline.
"""
import contextlib
import datetime
import email.utils
import http.client
import io
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

import story as story_module
from hospital import Hospital, interval
from story import Server, Story
from waiting import DEADLINE, free_port, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
EXT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
QUICK = {"retry_seconds": 0.5, "retry_first": 0.02, "activation_delay": 0.005}


# What the tests talk with

class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def etag(self):
        return self.headers["ETag"]

    def ids(self):
        return [entry["resource"]["id"] for entry in self.json.get("entry", [])]

    def link(self, relation):
        return next((x["url"] for x in self.json["link"] if x["relation"] == relation), None)


class Client:
    def __init__(self, hospital, **headers):
        self.hospital = hospital
        self.headers = {"Content-Type": "application/fhir+json", **headers}

    def __call__(self, method, path, body=None, **headers):
        """path: below /fhir, or a whole URL of this server."""
        if path.startswith("http"):
            parts = urllib.parse.urlsplit(path)
            path = f"{parts.path}?{parts.query}"
        elif not path.startswith("/_control"):
            path = "/fhir" + path
        if body is not None and not isinstance(body, str):
            body = json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        peer = http.client.HTTPConnection("127.0.0.1", self.hospital.port, timeout=DEADLINE)
        with contextlib.closing(peer):
            peer.request(method, path, body, {**self.headers, **named})
            answer = peer.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def control(self, **command):
        answer = self("POST", "/_control", command)
        assert answer.status == 200, answer.text
        return answer


class Hook:
    """A notification endpoint on a plain socket: keeps what arrives, answers what it is told."""

    def __init__(self):
        self.got, self.status = [], 200
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # shutdown first: it wakes the thread that waits in accept
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer = self.listener.accept()[0]
                with peer, contextlib.suppress(OSError, ValueError):
                    self._one(peer, peer.makefile("rb"))

    def _one(self, peer, stream):
        method, path, _ = stream.readline().decode().split(" ")
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        self.got.append((method, path, headers, body.decode()))
        peer.sendall(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\n\r\n".encode())

    def wait(self, count=1):
        wait_until(lambda: len(self.got) >= count, what=f"{count} deliveries, got {self.got}")
        return self.got

    def bodies(self):
        return [json.loads(body) for _, _, _, body in self.got]

    def paths(self):
        return [path for _, path, _, _ in self.got]


@pytest.fixture
def hospital():
    with Hospital(free_port(), **QUICK) as server:
        yield server


@pytest.fixture
def call(hospital):
    return Client(hospital)


@pytest.fixture
def hook():
    server = Hook()
    yield server
    server.close()


def patient(pid="p1", **more):
    return {"resourceType": "Patient", "id": pid, **more}


def observation(oid="o1", value=1, **more):
    return {"resourceType": "Observation", "id": oid, "status": "final",
            "category": [{"coding": [{"system": "http://c", "code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
            "subject": {"reference": "Patient/p1"}, "valueQuantity": {"value": value}, **more}


def order(oid="m1", **more):
    code = {"coding": [{"system": "http://atc", "code": "L04AX04"}]}
    return {"resourceType": "MedicationRequest", "id": oid, "status": "active",
            "intent": "order", "medicationCodeableConcept": code,
            "subject": {"reference": "Patient/p1"}, **more}


def issue(iid="mm-1", key="k1", **more):
    return {"resourceType": "DetectedIssue", "id": iid, "status": "final",
            "identifier": [{"system": "http://a/alert", "value": key}],
            "patient": {"reference": "Patient/p1"}, **more}


def subscription(endpoint, criteria="Observation?", sid="s1", **more):
    channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json",
               "header": ["Authorization: Bearer abc", "X-Extra: a:b"]}
    channel.update(more.pop("channel", {}))
    return {"resourceType": "Subscription", "id": sid, "status": "requested", "reason": "test",
            "criteria": criteria, "channel": channel, **more}


def put(call, resource, **headers):
    return call("PUT", f"/{resource['resourceType']}/{resource['id']}", resource, **headers)


def subscribe(hospital, call, resource, status="active"):
    answer = put(call, resource)
    assert answer.status in (200, 201), answer.text
    wait_until(lambda: hospital.get("Subscription", resource["id"])["status"] == status,
               what=f"the subscription to be {status}")


def drained(hospital):
    return wait_until(lambda: hospital.state()["deliveries"]["pending"] == 0,
                      what="the deliveries to end") and hospital.state()["deliveries"]


# Capabilities

def test_metadata_tells_the_version_and_what_the_flags_say(call, hospital):
    statement = call("GET", "/metadata").json
    types = {r["type"]: r for r in statement["rest"][0]["resource"]}
    assert statement["fhirVersion"] == "4.0.1"
    assert types["DetectedIssue"]["updateCreate"] is True
    assert types["DetectedIssue"]["versioning"] == "versioned-update"
    call.control(options={"update_create": False, "conditional_create": False,
                          "versioning": "no-version", "without": ["Flag"]})
    types = {r["type"]: r for r in call("GET", "/metadata").json["rest"][0]["resource"]}
    assert types["DetectedIssue"]["updateCreate"] is False
    assert types["DetectedIssue"]["conditionalCreate"] is False
    assert types["DetectedIssue"]["versioning"] == "no-version"
    assert "Flag" not in types
    assert call("GET", "/Flag").status == 404


# Create, read, update, delete

def test_create_answers_201_with_location_etag_and_stamps(call):
    sent = patient(meta={"tag": [{"system": "s", "code": "c"}], "source": "http://me"})
    answer = call("POST", "/Patient", sent)
    body = answer.json
    assert answer.status == 201
    assert answer.headers["Location"].endswith(f"/fhir/Patient/{body['id']}/_history/1")
    assert (answer.etag, body["meta"]["versionId"]) == ('W/"1"', "1")
    assert email.utils.parsedate_to_datetime(answer.headers["Last-Modified"])
    assert email.utils.parsedate_to_datetime(answer.headers["Date"])
    assert body["id"] != "p1"
    assert len(body["meta"]["lastUpdated"]) == len("2026-01-01T00:00:00.000Z")
    assert body["meta"]["tag"] == sent["meta"]["tag"]
    assert body["meta"]["source"] == "http://me"


def test_a_create_with_if_none_exist_happens_once_and_refuses_two_matches(call):
    condition = {"If_None_Exist": "identifier=http://a/alert%7Ck1"}
    first = call("POST", "/DetectedIssue", issue(), **condition)
    again = call("POST", "/DetectedIssue", issue(), **condition)
    assert (first.status, again.status) == (201, 200)
    assert again.json["id"] == first.json["id"]
    call("POST", "/DetectedIssue", issue())
    assert call("POST", "/DetectedIssue", issue(), **condition).status == 412


def test_of_many_creates_with_one_condition_at_once_one_wins(call, hospital):
    condition = {"If_None_Exist": "identifier=http://a/alert%7Ck1"}
    statuses = []

    def create():
        statuses.append(call("POST", "/DetectedIssue", issue(), **condition).status)
    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
    assert len(hospital.resources("DetectedIssue")) == 1


def test_a_server_without_conditional_create_makes_a_twin(call):
    call.control(options={"conditional_create": False})
    condition = {"If_None_Exist": "identifier=http://a/alert|k1"}
    statuses = [call("POST", "/DetectedIssue", issue(), **condition).status for _ in range(2)]
    assert statuses == [201, 201]


def test_prefer_minimal_leaves_the_body_out(call):
    answer = call("POST", "/Patient", patient(), Prefer="return=minimal")
    assert (answer.status, answer.text) == (201, "")


def test_update_creates_then_makes_a_version_and_both_can_be_read(call):
    assert put(call, observation(value=1)).status == 201
    answer = put(call, observation(value=2))
    assert (answer.status, answer.etag) == (200, 'W/"2"')
    old = call("GET", "/Observation/o1/_history/1").json
    assert old["valueQuantity"]["value"] == 1
    assert call("GET", "/Observation/o1").json["valueQuantity"]["value"] == 2
    assert call("GET", "/Observation/o1/_history/3").status == 404


def test_update_as_create_is_405_when_the_server_does_not_allow_it(call):
    call.control(options={"update_create": False})
    answer = put(call, patient())
    assert answer.status == 405
    assert answer.json["resourceType"] == "OperationOutcome"


def test_an_update_without_change_makes_no_version(call):
    put(call, observation())
    answer = put(call, observation(meta={"versionId": "77", "lastUpdated": "2001-01-01"}))
    assert (answer.status, answer.etag) == (200, 'W/"1"')


def test_if_match_of_another_version_is_412(call):
    put(call, observation(value=1))
    assert put(call, observation(value=2), If_Match='W/"7"').status == 412
    assert put(call, observation(value=2), If_Match='W/"1"').status == 200


def test_a_server_may_insist_on_if_match(call):
    call.control(options={"require_if_match": True})
    assert put(call, observation(value=1)).status == 201
    assert put(call, observation(value=2)).status == 412


def test_a_server_without_versions_gives_no_etag(call):
    call.control(options={"versioning": "no-version"})
    answer = put(call, patient())
    assert "ETag" not in answer.headers
    assert "versionId" not in answer.json["meta"]
    assert call("GET", "/Patient/p1/_history/1").status == 404


def test_a_read_with_if_none_match_of_the_current_version_is_304(call):
    etag = put(call, patient()).etag
    assert call("GET", "/Patient/p1", If_None_Match=etag).status == 304


def test_a_deleted_resource_is_410_and_can_be_put_again(call):
    put(call, patient())
    assert call("DELETE", "/Patient/p1").status == 200
    assert call("GET", "/Patient/p1").status == 410
    assert call("GET", "/Patient").json["total"] == 0
    answer = put(call, patient())
    assert (answer.status, answer.etag) == (201, 'W/"3"')


def test_decimals_keep_their_digits(call):
    text = json.dumps(observation()).replace('"value": 1}', '"value": 1.00}')
    call("PUT", "/Observation/o1", text)
    assert '"value":1.00}' in call("GET", "/Observation/o1").text


@pytest.mark.parametrize("method,path,body,status", [
    ("GET", "/Patient/none", None, 404), ("GET", "/Nonsense", None, 404),
    ("PUT", "/Patient/p1", {"resourceType": "Patient", "id": "p2"}, 400),
    ("PUT", "/Patient/p1", {"resourceType": "Patient"}, 400),
    ("POST", "/Patient", "{broken", 400), ("POST", "/Patient", "[1]", 400),
    ("POST", "/Patient", {"resourceType": "Observation"}, 400),
    ("PATCH", "/Patient/p1", "{}", 405), ("GET", "/Patient?_lastUpdated=yesterday", None, 400),
    ("GET", "/Patient?_sort=colour", None, 400), ("GET", "?_getpages=gone", None, 410),
    ("POST", "/Subscription", {"resourceType": "Subscription", "status": "requested"}, 422),
    ("POST", "/Subscription", subscription("http://x", "Observation"), 422),
    ("POST", "", {"resourceType": "Bundle", "type": "collection"}, 400)])
def test_errors_are_operation_outcomes(call, method, path, body, status):
    answer = call(method, path, body)
    assert answer.status == status, answer.text
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["severity"] == "error"


def test_a_body_that_is_not_declared_json_is_415(call):
    assert call("POST", "/Patient", patient(), Content_Type="text/plain").status == 415


def test_a_chunked_body_is_understood_and_the_connection_stays_open(hospital):
    peer = http.client.HTTPConnection("127.0.0.1", hospital.port, timeout=DEADLINE)
    with contextlib.closing(peer):
        chunks = iter([b'{"resourceType":', b'"Patient"}'])
        peer.request("POST", "/fhir/Patient", chunks,
                     {"Content-Type": "application/json"}, encode_chunked=True)
        answer = peer.getresponse()
        assert (answer.status, bool(answer.read())) == (201, True)
        used = peer.sock
        peer.request("GET", "/fhir/metadata")
        assert peer.getresponse().status == 200
        assert peer.sock is used


def test_stamps_are_strictly_increasing(hospital):
    stamps = [hospital.put(patient(f"p{i}"))["meta"]["lastUpdated"] for i in range(50)]
    assert stamps == sorted(set(stamps))


# Search and history

def test_search_by_patient_takes_the_reference_in_every_form(call):
    put(call, observation("o1"))
    put(call, observation("o2", subject={"reference": "http://x/fhir/Patient/p1"}))
    put(call, observation("o3", subject={"reference": "Patient/p2"}))
    for query in ("patient=p1", "patient=Patient/p1", "subject=Patient/p1", "subject=p1"):
        assert call("GET", f"/Observation?{query}").ids() == ["o1", "o2"], query


@pytest.mark.parametrize("query,found", [
    ("_id=m1", ["m1"]), ("status=active", ["m1"]), ("status=active,stopped", ["m1", "m2"]),
    ("status:not=active", ["m2"]), ("code=L04AX04", ["m1", "m2"]),
    ("code=http://atc%7CL04AX04", ["m1", "m2"]), ("code=http://other%7CL04AX04", []),
    ("category=%7Ccommunity", ["m2"]), ("identifier=urn:a%7C7", ["m2"]),
    ("identifier=urn:a%7C", ["m2"]), ("_tag=urn:t%7Cx", ["m1"]),
    ("status=active&code=none", [])])
def test_search_by_token(call, query, found):
    put(call, order("m1", meta={"tag": [{"system": "urn:t", "code": "x"}]}))
    put(call, order("m2", status="stopped", identifier=[{"system": "urn:a", "value": "7"}],
                    category=[{"coding": [{"code": "community"}]}]))
    assert call("GET", f"/MedicationRequest?{query}").ids() == found


def test_search_by_last_updated_takes_every_prefix_and_repeats(call, hospital):
    one, two, three = (hospital.put(patient(f"p{i}"))["meta"]["lastUpdated"] for i in (1, 2, 3))
    searches = {f"ge{two}": ["p2", "p3"], f"gt{two}": ["p3"], f"le{two}": ["p1", "p2"],
                f"lt{two}": ["p1"], two: ["p2"], f"eq{two}": ["p2"],
                f"ge{one}&_lastUpdated=lt{three}": ["p1", "p2"],
                one[:10]: ["p1", "p2", "p3"], "gt" + one[:4]: []}
    for query, found in searches.items():
        assert call("GET", f"/Patient?_lastUpdated={query}").ids() == found, query


def test_a_raw_plus_in_a_time_zone_is_an_error_and_an_escaped_one_is_not(call):
    assert call("GET", "/Patient?_lastUpdated=ge2020-01-01T00:00:00+01:00").status == 400
    assert call("GET", "/Patient?_lastUpdated=ge2020-01-01T00:00:00%2B01:00").status == 200


def test_dates_stand_for_the_whole_of_what_they_name():
    second = 1_000_000
    assert interval("2024-02-29")[1] - interval("2024-02-29")[0] == 86400 * second
    assert interval("2024-02")[1] == interval("2024-03")[0]
    assert interval("2024")[1] == interval("2025-01-01")[0]
    start, end = interval("2024-01-01T00:00:00.123Z")
    assert end - start == 1000
    assert interval("2024-01-01T01:00:00+01:00") == interval("2024-01-01T00:00:00Z")


def test_search_sorts_by_last_updated_both_ways(call):
    for pid in ("p1", "p2", "p1"):
        put(call, patient(pid, active=pid == "p1", birthDate=str(time.time_ns())))
    assert call("GET", "/Patient?_sort=_lastUpdated").ids() == ["p2", "p1"]
    assert call("GET", "/Patient?_sort=-_lastUpdated").ids() == ["p1", "p2"]


def test_pages_are_followed_to_the_end_and_show_what_was_there_at_the_start(call):
    for number in range(5):
        put(call, patient(f"p{number}"))
    page = call("GET", "/Patient?_count=2&_sort=_lastUpdated")
    put(call, patient("late"))
    ids = page.ids()
    while page.link("next"):
        page = call("GET", page.link("next"))
        ids += page.ids()
    assert ids == [f"p{number}" for number in range(5)]


def test_a_search_bundle_is_a_complete_searchset(call):
    put(call, patient())
    bundle = call("GET", "/Patient?_id=p1&colour=blue").json
    entry = bundle["entry"][0]
    assert (bundle["type"], bundle["total"]) == ("searchset", 1)
    assert bundle["meta"]["lastUpdated"] >= entry["resource"]["meta"]["lastUpdated"]
    assert bundle["link"] == [
        {"relation": "self", "url": f"{call.hospital.base}/Patient?_id=p1"}]
    assert entry["fullUrl"] == f"{call.hospital.base}/Patient/p1"
    assert entry["search"] == {"mode": "match"}


def test_an_unknown_parameter_is_ignored_unless_handling_is_strict(call):
    put(call, issue())
    lenient = call("GET", "/DetectedIssue?status=preliminary")
    assert lenient.json["total"] == 1    # R4 has no such parameter: an ignored filter shows all
    assert call("GET", "/DetectedIssue?status=final", Prefer="handling=strict").status == 400


def test_summary_count_gives_only_the_number(call):
    put(call, patient())
    bundle = call("GET", "/Patient?_summary=count").json
    assert bundle["total"] == 1 and "entry" not in bundle


def test_search_by_post_is_the_same_search(call):
    put(call, order())
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    answer = call("POST", "/MedicationRequest/_search", "patient=p1&status=active", **form)
    assert answer.ids() == ["m1"]


def test_subscriptions_are_found_by_endpoint_status_and_criteria(call, hook):
    put(call, subscription(hook.url, "Observation?code=751-8"))
    query = urllib.parse.urlencode({"url": hook.url, "criteria": "observation",
                                    "status": "requested,active"})
    assert call("GET", "/Subscription?" + query).ids() == ["s1"]
    assert call("GET", "/Subscription?url=http://elsewhere").ids() == []


def test_a_search_may_be_answered_from_a_cache_unless_no_cache_is_asked_for(call):
    call.control(options={"search_cache_seconds": 60})
    assert call("GET", "/Patient").json["total"] == 0
    put(call, patient())
    assert call("GET", "/Patient").json["total"] == 0
    assert call("GET", "/Patient", Cache_Control="no-cache").json["total"] == 1


def test_history_of_an_instance_and_of_a_type_is_newest_first_and_tells_deletions(call):
    put(call, patient("p1"))
    put(call, patient("p2"))
    put(call, patient("p1", active=True))
    call("DELETE", "/Patient/p1")
    entries = call("GET", "/Patient/p1/_history").json["entry"]
    assert [e["request"]["method"] for e in entries] == ["DELETE", "PUT", "PUT"]
    assert "resource" not in entries[0]
    page = call("GET", "/Patient/_history?_count=3")
    assert page.json["type"] == "history"
    assert [e["fullUrl"][-2:] for e in page.json["entry"]] == ["p1", "p1", "p2"]
    rest = call("GET", page.link("next")).json["entry"]
    assert [e["response"]["etag"] for e in rest] == ['W/"1"']


def test_history_since_starts_at_the_instant(call, hospital):
    hospital.put(patient("p1"))
    since = hospital.put(patient("p2"))["meta"]["lastUpdated"]
    assert call("GET", f"/Patient/_history?_since={since}").ids() == ["p2"]


# Bundles

def entry(method, url, resource=None, urn=None, **more):
    made = {"request": {"method": method, "url": url, **more}}
    if resource:
        made["resource"] = resource
    return {**made, "fullUrl": urn} if urn else made


def bundle_of(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_transaction_resolves_urns_and_answers_in_the_order_asked(call):
    answer = call("POST", "", bundle_of(
        "transaction", entry("GET", "Patient/p9"), entry("PUT", "Patient/p9", patient("p9")),
        entry("POST", "Observation", observation(subject={"reference": "urn:uuid:1"})),
        entry("POST", "Patient", patient(), "urn:uuid:1")))
    entries = answer.json["entry"]
    assert answer.json["type"] == "transaction-response"
    assert [e["response"]["status"] for e in entries] == [
        "200 OK", "201 Created", "201 Created", "201 Created"]
    assert entries[0]["resource"]["id"] == "p9"
    made = entries[3]["response"]["location"].split("/_history")[0]
    stored = call("GET", "/" + entries[2]["response"]["location"]).json
    assert stored["subject"]["reference"] == made


def test_a_transaction_that_fails_leaves_nothing(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url))
    answer = call("POST", "", bundle_of(
        "transaction", entry("PUT", "Observation/o1", observation()),
        entry("PUT", "Patient/p1", patient("other"))))
    assert answer.status == 400 and "entry[1]" in answer.text
    assert hospital.get("Observation", "o1") is None
    assert drained(hospital)["tried"] == 0


def test_a_transaction_obeys_if_none_exist_and_points_at_what_exists(call):
    call("POST", "/DetectedIssue", issue())
    made = call("GET", "/DetectedIssue").ids()[0]
    provenance = {"resourceType": "Provenance", "target": [{"reference": "urn:uuid:1"}]}
    entries = call("POST", "", bundle_of(
        "transaction", entry("POST", "Provenance", provenance),
        entry("POST", "DetectedIssue", issue(), "urn:uuid:1",
              ifNoneExist="identifier=http://a/alert|k1"))).json["entry"]
    assert entries[1]["response"]["status"] == "200 OK"
    stored = call("GET", "/" + entries[0]["response"]["location"]).json
    assert stored["target"] == [{"reference": f"DetectedIssue/{made}"}]


def test_in_a_batch_each_entry_stands_by_itself(call, hospital):
    entries = call("POST", "", bundle_of(
        "batch", entry("PUT", "Patient/p1", patient("other")),
        entry("PUT", "Patient/p2", patient("p2")),
        entry("GET", "Patient?_id=p2"))).json["entry"]
    assert entries[0]["response"]["status"] == "400 Bad Request"
    assert entries[0]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert entries[1]["response"]["status"] == "201 Created"
    assert entries[2]["resource"]["total"] == 1
    assert hospital.get("Patient", "p1") is None


def test_a_conditional_update_creates_updates_or_refuses(call):
    where = "/DetectedIssue?identifier=http://a/alert%7Ck1"
    made = call("PUT", where, issue())
    assert made.status == 201
    changed = call("PUT", where, issue(severity="high"))
    assert (changed.status, changed.json["id"]) == (200, made.json["id"])
    call("POST", "/DetectedIssue", issue())
    assert call("PUT", where, issue()).status == 412


# Who may ask

@pytest.mark.parametrize("options,good", [
    ({"token": "secret"}, "Bearer secret"), ({"basic": "user:pass"}, "Basic dXNlcjpwYXNz")])
def test_a_server_with_a_secret_answers_401_without_it(options, good):
    with Hospital(**options) as hospital:
        call = Client(hospital)
        answer = call("GET", "/Patient")
        assert answer.status == 401 and "WWW-Authenticate" in answer.headers
        assert call("GET", "/Patient", Authorization="Bearer wrong").status == 401
        assert call("GET", "/Patient", Authorization=good).status == 200
        assert call("GET", "/metadata").status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def test_tls_is_served_and_a_silent_peer_does_not_keep_others_out(certificate):
    cert, key = certificate
    with Hospital(tls_cert=cert, tls_key=key) as hospital:
        with socket.create_connection(("127.0.0.1", hospital.port)):
            context = ssl.create_default_context(cafile=cert)
            peer = http.client.HTTPSConnection("127.0.0.1", hospital.port, timeout=DEADLINE,
                                               context=context)
            with contextlib.closing(peer):
                peer.request("GET", "/fhir/metadata")
                assert peer.getresponse().status == 200
        hospital.fail(answer="reset")
        peer = http.client.HTTPSConnection("127.0.0.1", hospital.port, timeout=DEADLINE,
                                           context=context)
        with contextlib.closing(peer), pytest.raises(OSError):
            peer.request("GET", "/fhir/metadata")
            peer.getresponse()


# Subscriptions, in the manner of HAPI

def test_a_subscription_becomes_active_in_a_version_of_its_own(call, hospital, hook):
    answer = put(call, subscription(hook.url))
    assert answer.json["status"] == "requested"
    wait_until(lambda: hospital.get("Subscription", "s1")["status"] == "active")
    assert hospital.get("Subscription", "s1")["meta"]["versionId"] == "2"
    assert hook.got == []    # HAPI does not greet the endpoint


def test_a_channel_that_is_not_switched_on_stays_requested(call, hospital, hook):
    put(call, subscription(hook.url, channel={"type": "websocket"}))
    subscribe(hospital, call, subscription(hook.url, sid="s2"))
    assert hospital.get("Subscription", "s1")["status"] == "requested"


def test_a_matching_change_is_put_to_the_endpoint_as_it_was_at_the_change(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url, "Observation?code=751-8&status=final"))
    stored = put(call, observation(value=1)).json
    put(call, observation("o2", status="preliminary"))
    put(call, order())
    put(call, observation(value=2))
    method, path, headers, body = hook.wait(2)[0]
    assert (method, path) == ("PUT", "/hook/Observation/o1")
    assert json.loads(body) == stored
    assert headers["authorization"] == "Bearer abc" and headers["x-extra"] == "a:b"
    assert headers["content-type"].startswith("application/fhir+json")
    assert [b["valueQuantity"]["value"] for b in hook.bodies()] == [1, 2]
    assert drained(hospital)["succeeded"] == 2


def test_without_payload_an_empty_post_is_sent_whose_answer_does_not_matter(
        call, hospital, hook):
    hook.status = 500
    subscribe(hospital, call, subscription(hook.url, channel={"payload": ""}))
    put(call, observation())
    assert hook.wait()[0][:2] == ("POST", "/hook") and hook.got[0][3] == ""
    assert drained(hospital) == {"tried": 1, "succeeded": 1, "dropped": 0, "given_up": 0,
                                 "lost": 0, "pending": 0, "held": 0}


def test_a_change_that_changes_nothing_is_not_notified(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url))
    put(call, observation())
    put(call, observation())
    put(call, observation("o2"))
    hook.wait(2)
    assert hook.paths() == ["/hook/Observation/o1", "/hook/Observation/o2"]


def test_deletions_are_notified_only_with_the_extension_inside_channel(call, hospital, hook):
    extension = {"url": "http://hapifhir.io/fhir/StructureDefinition/"
                        "subscription-send-delete-messages", "valueBoolean": True}
    subscribe(hospital, call, subscription(hook.url + "/a"))
    subscribe(hospital, call, subscription(hook.url + "/b", sid="s2",
                                           channel={"extension": [extension]}))
    hospital.put(observation())
    hook.wait(2)
    call("DELETE", "/Observation/o1")
    hook.wait(3)
    drained(hospital)
    assert [got[:2] for got in hook.got[2:]] == [("DELETE", "/hook/b/Observation/o1")]


def test_the_star_criterion_matches_everything_but_subscriptions(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url, "[*]"))
    subscribe(hospital, call, subscription(hook.url + "/x", "[Patient,Flag]", sid="s2"))
    put(call, observation())
    hook.wait()
    assert hook.paths() == ["/hook/Observation/o1"]


def test_a_failing_delivery_is_retried_until_it_succeeds(call, hospital, hook):
    hook.status = 503
    call.control(options={"retry_seconds": DEADLINE})
    subscribe(hospital, call, subscription(hook.url))
    put(call, observation())
    hook.wait(2)
    hook.status = 200
    assert drained(hospital)["succeeded"] == 1


def test_a_delivery_that_never_succeeds_is_dropped_in_silence(call, hospital, hook):
    hook.status = 500
    call.control(options={"retry_seconds": DEADLINE})
    subscribe(hospital, call, subscription(hook.url))
    put(call, observation())
    hook.wait(3)
    call.control(options={"retry_seconds": 0})
    counts = drained(hospital)
    assert counts["tried"] > 2 and counts["given_up"] == 1 and counts["succeeded"] == 0
    assert hospital.get("Subscription", "s1")["status"] == "active"


def test_a_subscription_whose_end_has_passed_is_deleted(call, hospital, hook):
    put(call, subscription(hook.url, end=instant_in(60)))
    assert call("GET", "/Subscription/s1").status == 200
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.3)
    put(call, subscription(hook.url, end=soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
    wait_until(lambda: call("GET", "/Subscription/s1").status == 410)
    put(call, observation())
    assert drained(hospital)["tried"] == 0


def test_a_topic_subscription_is_accepted_by_hapi_and_never_fires(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url, "http://example.org/topic"))
    put(call, observation())
    assert drained(hospital)["tried"] == 0


# Subscriptions, in the manner of others

def test_medplum_posts_to_the_literal_endpoint_and_cuts_headers_at_a_colon(call, hospital, hook):
    call.control(options={"style": "medplum"})
    put(call, subscription(hook.url + "?x=1", status="active"))
    put(call, observation(value=1))
    put(call, observation(value=2))
    call("DELETE", "/Observation/o1")
    hook.wait(3)
    assert {got[:2] for got in hook.got} == {("POST", "/hook?x=1")}
    assert hook.bodies()[0]["valueQuantity"]["value"] == 1 and hook.bodies()[2] == {}
    assert hook.got[0][2]["x-extra"] == "a"
    words = [got[2]["x-medplum-interaction"] for got in hook.got]
    assert words == ["create", "update", "delete"]
    assert hook.got[2][2]["x-medplum-deleted-resource"] == "Observation/o1"


def test_medplum_does_not_activate_and_its_version_ids_are_no_numbers(call, hospital, hook):
    call.control(options={"style": "medplum"})
    answer = put(call, subscription(hook.url))
    put(call, observation())
    assert not answer.json["meta"]["versionId"].isdigit()
    assert drained(hospital)["tried"] == 0
    assert hospital.get("Subscription", "s1")["status"] == "requested"


def topic(endpoint, content, *filters):
    return subscription(
        endpoint, "http://example.org/topic",
        _criteria={"extension": [{"url": EXT + "backport-filter-criteria", "valueString": f}
                                 for f in filters]},
        channel={"_payload": {"extension": [
            {"url": EXT + "backport-payload-content", "valueCode": content}]}})


def parameter(parameters, name):
    found = next(p for p in parameters if p["name"] == name)
    return found.get("part") or next(v for k, v in found.items() if k.startswith("value"))


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
def test_a_topic_notification_is_a_history_bundle_led_by_the_status(
        call, hospital, hook, content):
    call.control(options={"style": "backport"})
    subscribe(hospital, call, topic(hook.url, content, "Observation?code=751-8"))
    put(call, order())
    put(call, observation(value=1))
    put(call, observation(value=2))
    handshake, first, second = [b for b in hook.wait(3) and hook.bodies()]
    status = second["entry"][0]["resource"]
    event = parameter(status["parameter"], "notification-event")
    assert (second["type"], status["resourceType"]) == ("history", "Parameters")
    assert parameter(handshake["entry"][0]["resource"]["parameter"], "type") == "handshake"
    assert parameter(status["parameter"], "type") == "event-notification"
    assert parameter(status["parameter"], "events-since-subscription-start") == "2"
    assert parameter(event, "event-number") == "2"
    assert len(second["entry"]) == (1 if content == "empty" else 2)
    assert any(p["name"] == "focus" for p in event) == (content != "empty")
    if content != "empty":
        focus = first["entry"][1]
        assert focus["fullUrl"].endswith("/fhir/Observation/o1")
        assert ("resource" in focus) == (content == "full-resource")
    if content == "full-resource":
        assert focus["resource"]["valueQuantity"]["value"] == 1


def test_a_topic_subscription_whose_handshake_fails_is_in_error(call, hospital, hook):
    hook.status = 500
    call.control(options={"style": "backport"})
    subscribe(hospital, call, topic(hook.url, "id-only"), status="error")


def test_lost_topic_events_are_counted_and_can_be_asked_for(call, hospital, hook):
    call.control(options={"style": "backport"})
    subscribe(hospital, call, topic(hook.url, "id-only", "Observation?"))
    hospital.deliveries(drop={"times": 2})
    for number in (1, 2, 3):
        put(call, observation(value=number))
    notified = hook.wait(2) and hook.bodies()[1]["entry"][0]["resource"]["parameter"]
    assert parameter(notified, "events-since-subscription-start") == "3"
    status = call("GET", "/Subscription/s1/$status").json["entry"][0]["resource"]
    assert parameter(status["parameter"], "events-since-subscription-start") == "3"
    events = call("GET", "/Subscription/s1/$events?eventsSinceNumber=1&eventsUntilNumber=2").json
    assert len(events["entry"]) == 3


def test_events_can_be_had_by_post_alone_few_at_once_or_not_at_all(call, hospital, hook):
    call.control(options={"style": "backport", "events_operation": "POST", "events_most": 1})
    subscribe(hospital, call, topic(hook.url, "id-only", "Observation?"))
    for number in (1, 2):
        put(call, observation(value=number))
    path = "/Subscription/s1/$events"
    asked = {"resourceType": "Parameters", "parameter": [
        {"name": "eventsSinceNumber", "valueString": "2"}]}
    assert call("GET", path).status == 400
    assert len(call("POST", path, {"resourceType": "Parameters", "parameter": []}).json["entry"]) == 2
    event = parameter(call("POST", path, asked).json["entry"][0]["resource"]["parameter"],
                      "notification-event")
    assert parameter(event, "event-number") == "2"
    call.control(options={"events_operation": "", "status_operation": False})
    assert [call("POST", path, asked).status, call("GET", "/Subscription/s1/$status").status] == \
        [400, 400]


def test_a_heart_beats_in_the_period_that_was_asked_for_and_counts(call, hospital, hook):
    call.control(options={"style": "backport"})
    resource = topic(hook.url, "id-only", "Observation?")
    resource["channel"]["extension"] = [
        {"url": EXT + "backport-heartbeat-period", "valueUnsignedInt": 1}]
    subscribe(hospital, call, resource)
    put(call, observation(value=1))
    status = (hook.wait(3) and hook.bodies()[2])["entry"][0]["resource"]["parameter"]
    assert parameter(status, "type") == "heartbeat"
    assert parameter(status, "events-since-subscription-start") == "1"


# Misbehaviour of answers

@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 422, 429, 500, 503])
def test_the_next_answers_can_be_any_status(call, status):
    call.control(fail={"method": "PUT", "path": "DetectedIssue/", "times": 2,
                       "answer": status, "headers": {"Retry-After": "1"}})
    put(call, patient())
    answers = [put(call, issue()) for _ in range(3)]
    assert [a.status for a in answers] == [status, status, 201]
    assert answers[0].headers["Retry-After"] == "1"
    assert answers[0].json["resourceType"] == "OperationOutcome"


def test_an_error_can_come_after_the_write_was_done(call, hospital):
    call.control(fail={"answer": 504, "done": True, "times": 1, "body": "<html>",
                       "headers": {"Content-Type": "text/html"}})
    answer = put(call, issue())
    assert (answer.status, answer.text) == (504, "<html>")
    assert answer.headers["Content-Type"] == "text/html"
    assert hospital.get("DetectedIssue", "mm-1")


def test_a_fault_lasts_until_reset_when_no_number_is_given(call):
    call.control(fail=[{"answer": 500}])
    assert {call("GET", "/Patient").status for _ in range(5)} == {500}
    call.control(reset=True)
    assert call("GET", "/Patient").status == 200


@pytest.mark.parametrize("answer,stored", [("reset", False), ("reset-after", True)])
def test_the_connection_can_be_cut_before_the_answer(call, hospital, answer, stored):
    call.control(fail={"method": "PUT", "answer": answer, "times": 1})
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        put(call, issue())
    assert (hospital.get("DetectedIssue", "mm-1") is not None) == stored
    assert hospital.state()["requests"] == {"PUT /fhir/DetectedIssue/{id} reset": 1}
    assert put(call, issue()).status == (200 if stored else 201)


def test_an_answer_can_come_late(call):
    call.control(fail={"delay": 0.2, "times": 1})
    begin = time.monotonic()
    assert put(call, issue()).status == 201
    assert time.monotonic() - begin >= 0.2


def test_an_answer_can_come_byte_by_byte(call, hospital):
    put(call, patient())
    call.control(fail={"answer": "slow", "pause": 0.002})
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", hospital.port), timeout=DEADLINE) as peer:
        peer.sendall(b"GET /fhir/Patient/p1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        pieces = list(iter(lambda: peer.recv(65536), b""))
    answer = b"".join(pieces)
    assert len(pieces) > 10 and time.monotonic() - begin >= len(answer) * 0.002
    assert answer.endswith(b"}")


def test_an_answer_can_be_the_page_of_a_proxy(call):
    call.control(fail={"answer": "garbage"})
    answer = call("GET", "/Patient")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_json_can_be_truncated_in_a_whole_answer_or_by_a_cut(call):
    call.control(fail=[{"answer": "truncated", "times": 1}, {"answer": "cut", "times": 1}])
    answer = call("GET", "/metadata")
    with pytest.raises(ValueError):
        json.loads(answer.text)
    with pytest.raises(http.client.IncompleteRead):
        call("GET", "/metadata")


def test_the_clock_of_the_date_header_can_be_wrong_while_the_stamps_are_right(call, hospital):
    call.control(clock={"date_skew": -3600})
    answer = put(call, patient())
    date = email.utils.parsedate_to_datetime(answer.headers["Date"])
    stamp = datetime.datetime.fromisoformat(answer.json["meta"]["lastUpdated"])
    assert datetime.timedelta(minutes=59) < stamp - date < datetime.timedelta(minutes=61)
    call.control(clock={"date_skew": 0, "stamp_skew": 3600})
    assert put(call, patient("p2")).json["meta"]["lastUpdated"] > instant_in(50)


def instant_in(minutes):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_pages_can_loop_lead_elsewhere_expire_or_never_end(call):
    for number in range(4):
        put(call, patient(f"p{number}"))
    call.control(paging={"mode": "loop"})
    page = call("GET", "/Patient?_count=2")
    assert page.link("next") == page.link("self")
    call.control(paging={"mode": "elsewhere", "origin": "http://127.0.0.1:9", "times": 1})
    assert call("GET", "/Patient?_count=2").link("next").startswith("http://127.0.0.1:9/")
    page = call("GET", "/Patient?_count=2")
    call.control(paging={"mode": "expired", "times": 1})
    assert call("GET", page.link("next")).status == 410
    assert call("GET", page.link("next")).ids() == ["p2", "p3"]
    call.control(paging={"mode": "relative"})
    assert call("GET", "/Patient?_count=2").link("next").startswith("/fhir?_getpages=")
    call.control(paging={"mode": "bogus", "times": 1})
    empty = call("GET", call("GET", "/Patient").link("next"))
    assert empty.ids() == [] and empty.link("next") is None


# Misbehaviour of deliveries and subscriptions

def delivering(hospital, call, hook, **kinds):
    subscribe(hospital, call, subscription(hook.url))
    call.control(deliveries=kinds)


def values(hook):
    return [body["valueQuantity"]["value"] for body in hook.bodies()]


def test_the_next_deliveries_can_be_dropped(call, hospital, hook):
    delivering(hospital, call, hook, drop={"times": 2})
    for value in (1, 2, 3):
        put(call, observation(value=value))
    hook.wait()
    assert values(hook) == [3]
    assert drained(hospital)["dropped"] == 2


def test_a_fraction_of_the_deliveries_can_be_dropped(call, hospital, hook):
    delivering(hospital, call, hook, drop={"fraction": 0.5})
    for value in range(40):
        hospital.put(observation(value=value))
    counts = drained(hospital)
    assert 5 < counts["dropped"] < 35
    assert counts["dropped"] + counts["succeeded"] == 40 and len(hook.got) == counts["succeeded"]


def test_a_delivery_can_arrive_nineteen_times(call, hospital, hook):
    delivering(hospital, call, hook, duplicate={"times": 1})
    put(call, observation(value=1))
    put(call, observation(value=2))
    drained(hospital)
    assert values(hook) == [1] * 19 + [2]


def test_deliveries_can_arrive_in_another_order(call, hospital, hook):
    delivering(hospital, call, hook, reorder={"hold": 5, "within": 60})
    for value in range(5):
        put(call, observation(value=value))
    hook.wait(5)
    assert values(hook) != list(range(5)) and sorted(values(hook)) == list(range(5))


def test_held_deliveries_are_let_go_after_their_time_or_on_demand(call, hospital, hook):
    delivering(hospital, call, hook, reorder={"hold": 9, "within": 0.05})
    put(call, observation(value=1))
    hook.wait(1)
    call.control(deliveries={"reorder": {"hold": 9, "within": 60}})
    put(call, observation(value=2))
    assert hospital.state()["deliveries"]["held"] == 1
    call.control(release=True)
    hook.wait(2)


def test_a_delivery_can_carry_the_version_before(call, hospital, hook):
    put(call, observation(value=1))
    delivering(hospital, call, hook, stale={"times": 1})
    put(call, observation(value=2))
    put(call, observation(value=3))
    hook.wait(2)
    assert values(hook) == [1, 3]
    assert hook.bodies()[0]["meta"]["versionId"] == "1"


def test_deliveries_can_come_late_and_the_delay_can_be_switched_off(call, hospital, hook):
    delivering(hospital, call, hook, delay={"seconds": 0.2})
    begin = time.monotonic()
    put(call, observation(value=1))
    hook.wait()
    assert time.monotonic() - begin >= 0.2
    call.control(deliveries={"delay": {"seconds": 60}})
    call.control(deliveries={"delay": None})
    put(call, observation(value=2))
    hook.wait(2)


def test_a_restart_forgets_what_was_queued(call, hospital, hook):
    hook.status = 503
    call.control(options={"retry_seconds": 60})
    subscribe(hospital, call, subscription(hook.url))
    for value in (1, 2, 3):
        put(call, observation(value=value))
    hook.wait(1)
    call.control(restart=True)
    hook.status = 200
    counts = drained(hospital)
    assert counts["lost"] + counts["succeeded"] == 3 and counts["lost"] >= 2
    put(call, observation("o2", value=9))
    wait_until(lambda: 9 in values(hook))


def test_a_stopped_hospital_is_gone_and_comes_back_with_its_data(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url))
    call.control(deliveries={"delay": {"seconds": 60}})
    put(call, observation())
    hospital.stop()
    with pytest.raises(OSError):
        call("GET", "/metadata")
    assert hospital.state()["deliveries"]["pending"] == 0
    hospital.start()
    assert call("GET", "/Observation/o1").status == 200
    call.control(reset=True)
    put(call, observation(value=2))
    hook.wait()
    assert values(hook) == [2]


def test_a_subscription_can_stick_at_requested(call, hospital, hook):
    call.control(stuck_requested=True)
    put(call, subscription(hook.url))
    wait_until(lambda: hospital.notifier.counts["stuck"] == 1, what="the activation to be tried")
    call.control(stuck_requested=False)
    subscribe(hospital, call, subscription(hook.url, "Patient?", sid="s2"))
    put(call, observation())
    assert drained(hospital)["tried"] == 0
    assert hospital.get("Subscription", "s1")["status"] == "requested"


@pytest.mark.parametrize("change", [{"status": "off"}, {"status": "error", "error": "full"},
                                    {"criteria": "Patient?"}, {"delete": True}])
def test_a_subscription_can_be_spoilt_by_hand(call, hospital, hook, change):
    subscribe(hospital, call, subscription(hook.url))
    call.control(subscription={"id": "s1", **change})
    stored = call("GET", "/Subscription/s1")
    assert stored.status == (410 if "delete" in change else 200)
    assert "delete" in change or change.items() <= stored.json.items()
    put(call, observation())
    assert drained(hospital)["tried"] == 0


# Control

def test_the_state_counts_requests_by_template_and_deliveries(call, hospital, hook):
    subscribe(hospital, call, subscription(hook.url))
    put(call, observation())
    call("GET", "/Observation/o1/_history/1")
    call("GET", "/Observation?_id=o1")
    call("GET", "/Observation/none")
    drained(hospital)
    state = call("GET", "/_control/state").json
    assert state["requests"] == {
        "GET /fhir/Observation 200": 1, "GET /fhir/Observation/{id} 404": 1,
        "GET /fhir/Observation/{id}/_history/{version} 200": 1,
        "PUT /fhir/Observation/{id} 201": 1, "PUT /fhir/Subscription/{id} 201": 1}
    assert state["deliveries"]["tried"] == state["deliveries"]["succeeded"] == 1
    assert state["subscriptions"] == {"s1": "active"}


def test_control_shows_current_resources_and_every_version(call):
    put(call, issue(status="preliminary"))
    put(call, issue())
    put(call, patient())
    current = call("GET", "/_control/resources?type=DetectedIssue").json
    assert [r["status"] for r in current] == ["final"]
    call("DELETE", "/DetectedIssue/mm-1")
    history = call("GET", "/_control/history?type=DetectedIssue").json
    assert [v["method"] for v in history] == ["PUT", "PUT", "DELETE"]
    assert [v["version"] for v in history] == ["1", "2", "3"]
    assert history[0]["resource"]["status"] == "preliminary" and history[2]["resource"] is None
    assert call("GET", "/_control/resources?type=DetectedIssue").json == []


@pytest.mark.parametrize("command", [
    {"nonsense": 1}, {"fail": {"answer": "nonsense"}}, {"fail": {"colour": 1}},
    {"fail": {"path": "("}}, {"deliveries": {"nonsense": {}}}, {"options": {"nonsense": 1}},
    {"paging": {"mode": "nonsense"}}, {"subscription": {"id": "none", "status": "off"}}, [1]])
def test_a_control_word_that_is_not_understood_is_400(call, command):
    answer = call("POST", "/_control", command)
    assert answer.status == 400 and answer.json["error"]


# The process

def test_the_process_prints_its_port_and_ends_cleanly_on_sigterm():
    program = [sys.executable, os.path.join(HERE, "hospital.py")]
    with subprocess.Popen(program + ["--port", "0", "--print-port", "--token", "t"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        peer = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        with contextlib.closing(peer):
            peer.request("GET", "/fhir/Patient", headers={"Authorization": "Bearer t"})
            assert peer.getresponse().status == 200
            process.send_signal(signal.SIGTERM)
            assert process.communicate(timeout=DEADLINE) == ("", "")
    assert process.returncode == 0


# The story

RULE = {"meta": {"tag": [{"system": "http://a/other", "code": "x"},
                         {"system": "http://a/rule", "code": "anc-hold"}]}}


def tell(hospital, *steps):
    out = io.StringIO()
    good = Story(list(steps), Server(hospital.base), out).play()
    return good, out.getvalue()


def waiting(status, deadline=0.3, **more):
    return {"wait": {"rule": "anc-hold", "status": status, **more}, "deadline": deadline}


def test_a_story_writes_resources_with_times_counted_from_its_start(hospital):
    begin = datetime.datetime.now(datetime.timezone.utc)
    good, text = tell(hospital, {"say": "The count falls."}, {"put": observation(
        effectiveDateTime="{now-2h}", note=[{"text": "since {today-30d}, {now} {unknown}"}])})
    now = datetime.datetime.now(datetime.timezone.utc)
    stored = hospital.get("Observation", "o1")
    taken = datetime.datetime.fromisoformat(stored["effectiveDateTime"])
    assert good and text == "The count falls.\nok PUT Observation/o1: 201\n"
    assert abs(now - taken - datetime.timedelta(hours=2)) < datetime.timedelta(minutes=1)
    month = datetime.timedelta(days=30)
    days = [(moment - month).strftime("%Y-%m-%d") for moment in (begin, now)]  # midnight between?
    assert stored["note"][0]["text"].startswith(tuple(f"since {day}, 20" for day in days))
    assert stored["note"][0]["text"].endswith("Z {unknown}")


@pytest.mark.parametrize("status,elements", [
    ("open", {}), ("open", {"status": "preliminary"}),
    ("ended", {"identifiedPeriod": {"end": "2026-01-01T00:00:00Z"}}),
    ("retracted", {"status": "entered-in-error",
                   "identifiedPeriod": {"end": "2026-01-01T00:00:00Z"}})])
def test_a_story_waits_for_an_alert_to_be(hospital, status, elements):
    hospital.put(issue(**RULE, **elements))
    for wanted in ("open", "ended", "retracted", "none"):
        good, text = tell(hospital, waiting(wanted, 0.01, patient="Patient/p1"))
        assert good == (wanted == status), text
    assert tell(hospital, waiting("none", 0.01, patient="Patient/p2"))[0]


def test_a_story_sees_an_alert_that_comes_while_it_waits(hospital):
    hospital.put({**issue(**RULE), "status": "entered-in-error"})
    timer = threading.Timer(0.15, hospital.put, [issue("mm-2", severity="high", **RULE,
                                                       code={"text": "Hold it"})])
    timer.start()
    good, text = tell(hospital, waiting("open", DEADLINE))
    assert good and "ok anc-hold: open after" in text and "  high: Hold it" in text


def test_a_story_that_wants_no_alert_watches_until_the_deadline(hospital):
    timer = threading.Timer(0.15, hospital.put, [issue(**RULE)])
    timer.start()
    good, text = tell(hospital, waiting("none", DEADLINE))
    assert not good and "wanted none" in text and "it is open" in text


def test_a_story_stops_at_the_first_step_that_fails(hospital):
    hospital.fail("PUT", answer=422, times=1)
    good, text = tell(hospital, {"put": patient()}, {"say": "not reached"})
    assert not good and "422 told to answer 422" in text and "not reached" not in text
    assert not tell(hospital, {"dance": 1})[0]


def test_a_story_reads_every_page_of_alerts(hospital):
    hospital.set_options(page_size=1)
    for number in range(3):
        hospital.put(issue(f"mm-{number}", **(RULE if number == 2 else {})))
    assert tell(hospital, waiting("open"))[0]


def test_a_story_is_coloured_only_on_a_terminal_that_wants_it(hospital, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    def text():
        out = Terminal()
        Story([{"put": patient()}], Server(hospital.base), out).play()
        return out.getvalue()
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033[" in text()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in text()


def test_a_story_runs_from_the_command_line(hospital, tmp_path):
    file = tmp_path / "story.json"
    file.write_text(json.dumps([{"put": patient()}, {"delete": "Patient/p1"}]))
    done = subprocess.run([sys.executable, story_module.__file__, hospital.base, str(file)],
                          capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ok PUT Patient/p1: 201\nok DELETE Patient/p1: 200\n"
