"""The canary on the other ways in: topics, the WebSocket, patients by a list. What a server says there
beside the resources, and the tokens that it gives, are told to nobody either."""
import json
import struct

from hospital_socket import CLOSE, TEXT
from test_canary import Marks, chart, count, listed, outcome, say
from test_poll import group, kept, lab, one_by_one, patient_list
from test_socket import bound, bound_ward, by_socket
from ward import SLOW


def told(ward, *more):
    """Everything that the daemon says to anybody."""
    said = list(ward.daemon.lines) + [str(text) for text in more]
    if ward.daemon.config.get("hook"):
        said += [ward.daemon.request("GET", path)[2].decode()
                 for path in ("/metrics", "/health", "/ready")]
    return "\n".join([*said, listed(ward)])


def status_bundle(marks, subscription, kind, **more):
    """A notification of a topic in which every text that means nothing is a mark."""
    return {"resourceType": "Bundle", "id": marks.new("Bundle id"), "type": "history",
            "entry": [{"fullUrl": "urn:x:" + marks.new("fullUrl"), "resource": {
                "resourceType": "Parameters", "parameter": [
                    {"name": "subscription", "valueReference": {
                        "reference": subscription, "display": marks.new("subscription")}},
                    {"name": "topic", "valueCanonical": "http://x/" + marks.new("topic")},
                    {"name": "status", "valueCode": "active"},
                    {"name": "type", "valueCode": kind},
                    {"name": "error", "valueCodeableConcept": {"text": marks.new("error")}},
                    {"name": marks.new("name"), "valueString": marks.new("value")}]}}], **more}


def test_topics_tell_no_mark(house):
    settings = {**SLOW, "logLevel": "debug", "subscribe": {"by": "topic", "heartbeat": "1 s"}}
    ward, marks, said = house.ward(style="backport", settings=settings).listening(), Marks(), []
    ward.write(*chart(marks, "p1"), count(marks, "p1"))
    ward.alert("p1")
    ours = "Subscription/" + ward.subscribed()["Observation"]["id"]
    for name, kind in ((ours, "heartbeat"), (ours, "event-notification"), (ours, "query-event"),
                       (ours, marks.new("kind")), ("Subscription/" + marks.new("sid"), "handshake"),
                       (marks.new("reference"), "event-notification")):
        said += ward.notify("Observation", status_bundle(marks, name, kind))
    ward.hospital.set_options(heartbeats=False)
    ward.hospital.fail(path=r"\$(status|events)", times=3, answer=500,
                       body=outcome(marks, "of an operation"))
    ward.hospital.change_subscription(ours.partition("/")[2], status="error",
                                      error=marks.new("error of a Subscription"))
    ward.daemon.wait_log("event=subscription-repaired type=Observation")
    ward.settle()
    assert any(r.status == 500 for r in ward.hospital.requests_of("GET", "$status"))
    assert marks.seen_in(told(ward, *said)) == []


def test_the_socket_tells_no_mark_and_no_token(house):
    settings = {**by_socket(by="topic"), "logLevel": "debug"}
    ward, marks = bound_ward(house, "backport", settings=settings), Marks()
    ward.write(*chart(marks, "p1"), count(marks, "p1"))
    ward.alert("p1")
    since = len(ward.daemon.lines)
    for number, session in enumerate(list(ward.hospital.sockets.sessions)):
        session.send(TEXT, marks.new("no frame of ours"))
        session.send(TEXT, "ping " + marks.new("pinged"))
        session.send(TEXT, json.dumps(status_bundle(marks, marks.new("sid"), "handshake")))
        session.send(TEXT, json.dumps({"type": marks.new("type"), "payload": marks.new("payload")}))
        if number == 0:
            session.send(CLOSE, struct.pack(">H", 4000) + marks.new("reason").encode())
        else:
            session.cut()
    bound(ward, since)
    ward.settle()
    text = told(ward)
    assert marks.seen_in(text) == []
    assert ward.hospital.sockets.tokens
    assert not [token for token in ward.hospital.sockets.tokens if token in text]


def test_a_list_of_patients_tells_no_mark(house):
    marks = Marks()

    def prepare(ward):
        members = group("p1", name=marks.new("name of the group"),
                        code={"text": marks.new("kind of the group")},
                        identifier=[{"value": marks.new("identifier of the group")}],
                        text={"status": "generated", "div": marks.new("narrative of the group")})
        members["member"][0]["entity"]["display"] = marks.new("member")
        members["member"].append({"entity": {"display": marks.new("a member without reference")}})
        members["member"].append({"entity": {"reference": "Patient/" + marks.new("an id") + "/x"}})
        patients = {**patient_list("p1"), "title": marks.new("title of the list"),
                    "note": [{"text": marks.new("note of the list")}]}
        patients["entry"][0]["item"]["display"] = marks.new("entry")
        ward.write(members, patients, *chart(marks, "p1"), lab("p1", 0.8, note=[
            {"text": marks.new("note of a result")}]))
    for cohort in ("Group/ours", "List/ours"):
        ward = one_by_one(house, cohort=cohort, prepare=prepare, listen=True)
        kept(ward, "p1")
        for path in ("Group", "List"):
            ward.hospital.fail(path=path, times=1, answer=403, body=outcome(marks, "a refused list"))
        ward.daemon.wait_log("event=cohort-list-failed ")
        assert marks.seen_in(told(ward)) == []


def test_a_probe_tells_no_mark(house, tmp_path):
    hospital, marks = house.hospital(), Marks()
    for resource in (*chart(marks, "p1"), count(marks, "p1")):
        hospital.put(resource)
    said = []
    for body in (None, outcome(marks, "a refusal"), "<html>" + marks.new("page") + "</html>"):
        if body:
            hospital.fail(path="_lastUpdated|_history|patient=", answer=403, body=body)
        output = tmp_path / f"adapter-{len(said)}.json"
        said += say("probe", hospital.base, "--output", output)
        assert output.exists() or body, "what can be read is written down"
        if output.exists():
            said.append(output.read_text())
    assert any(request.status == 403 for request in hospital.asked)
    assert marks.seen_in("\n".join(map(str, said))) == []
