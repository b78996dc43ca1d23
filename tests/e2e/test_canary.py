"""The canary: a mark of its own in every text of every resource and in every secret, and nowhere
outside: not in the log (every level), the metrics, what the listener answers, the errors of other
verbs, the title, the environment; and no core is left of a crash.

Each mark names its place ("qzmark0017x"), so that a leak tells where it came from. That the marks
have been inside the daemon is looked up in its store, and that a leak would be seen is tried out."""
import contextlib
import json
import os
import pathlib
import re
import resource as rlimits
import shutil
import signal
import subprocess
import tempfile

import pytest

from daemon import BINARY, Daemon, few_rules
from test_security import secret_file
from waiting import free_port, wait_until
from ward import DRUGS, LOW_COUNT, RXNORM, SLOW, order, patient, result, treated

WORD = re.compile(r"qzmark\w*", re.I)
# A value and an age that stand nowhere else; the value is low enough for an alert.
VALUE, STREET_NUMBER = 0.7390251, "90417"


class Marks:
    """Hands out marks and remembers what each stands for."""

    def __init__(self):
        self.places = {}

    def new(self, place):
        mark = f"qzmark{len(self.places):04d}x"
        self.places[mark] = place
        return mark

    def all_texts(self, resource, place):
        """The resource with a mark in every text that means nothing to the rules."""
        name = resource["resourceType"]
        more = {
            "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">"
                                                   + self.new(place + " narrative") + "</div>"},
            "identifier": [{"system": "urn:x:" + self.new(place + " identifier system"),
                            "value": self.new(place + " identifier"),
                            "assigner": {"display": self.new(place + " assigner")}}],
            "extension": [{"url": "http://example.org/" + self.new(place + " extension url"),
                           "valueString": self.new(place + " extension")}],
            "contained": [{"resourceType": "Organization", "id": "o",
                           "name": self.new(place + " contained")}],
            "meta": {"source": "urn:x:" + self.new(place + " source"),
                     "tag": [{"system": "urn:x", "code": self.new(place + " tag")}]},
        }
        if name not in ("Patient", "Medication"):
            whose = "patient" if name == "AllergyIntolerance" else "subject"
            more["note"] = [{"text": self.new(place + " note"),
                             "authorString": self.new(place + " author")}]
            more[whose] = {**resource[whose], "display": self.new(place + " subject")}
            more["encounter"] = {"display": self.new(place + " encounter")}
        return {**resource, **more, **{key: self.in_concept(value, place)
                                       for key, value in resource.items() if "coding" in value}}

    def in_concept(self, concept, place):
        coding = [{**c, "display": self.new(place + " display")} for c in concept["coding"]]
        return {"coding": coding, "text": self.new(place + " concept")}

    def seen_in(self, text):
        """The places whose marks stand in the text; a mark cut short counts."""
        found = set(WORD.findall(text))
        return sorted(self.places.get(mark.lower(), mark) for mark in found)


def person(marks, pid):
    return marks.all_texts(patient(
        pid, name=[{"family": marks.new("family"), "given": [marks.new("given")],
                    "text": marks.new("name")}],
        address=[{"line": [marks.new("street") + " " + STREET_NUMBER], "city": marks.new("city"),
                  "text": marks.new("address")}],
        telecom=[{"system": "phone", "value": marks.new("phone")}],
        contact=[{"name": {"text": marks.new("contact")}}],
        maritalStatus={"text": marks.new("marital status")},
        generalPractitioner=[{"display": marks.new("practitioner")}]), "Patient")


def chart(marks, pid):
    """A treated patient with a low count; whatever is text has a mark."""
    _, condition, *orders = treated(pid)
    resources = [person(marks, pid), marks.all_texts(condition, "Condition")]
    for one in orders:
        dosage = {**one["dosageInstruction"][0], "text": marks.new("dosage"),
                  "patientInstruction": marks.new("patient instruction"),
                  "additionalInstruction": [{"text": marks.new("additional instruction")}]}
        resources.append(marks.all_texts(
            {**one, "dosageInstruction": [dosage],
             "requester": {"display": marks.new("requester")},
             "reasonCode": [{"text": marks.new("reason")}]}, "MedicationRequest"))
    return [*resources, *history(marks, pid), *by_reference(marks, pid)]


def history(marks, pid):
    """A procedure and an allergy, with what people write about them."""
    yield marks.all_texts({
        "resourceType": "Procedure", "id": pid + "-procedure", "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "234336002"}]},
        "subject": {"reference": "Patient/" + pid}, "performedDateTime": "2026-01-05",
        "performer": [{"actor": {"display": marks.new("surgeon")}}],
        "location": {"display": marks.new("theatre")},
        "outcome": {"text": marks.new("outcome of the procedure")},
        "complication": [{"text": marks.new("complication")}]}, "Procedure")
    yield marks.all_texts({
        "resourceType": "AllergyIntolerance", "id": pid + "-allergy",
        "code": {"coding": [{"system": RXNORM, "code": "7258"}]},
        "patient": {"reference": "Patient/" + pid}, "recordedDate": "2026-01-05",
        "asserter": {"display": marks.new("asserter")},
        "reaction": [{"description": marks.new("reaction"),
                      "manifestation": [{"text": marks.new("manifestation")}]}]},
        "AllergyIntolerance")


def by_reference(marks, pid):
    """An order whose drug stands elsewhere, and one whose drug stands inside it."""
    medication = marks.all_texts({
        "resourceType": "Medication", "id": pid + "-medication", "status": "active",
        "code": {"coding": [{"system": RXNORM, "code": DRUGS["loratadine"][0]}]},
        "ingredient": [{"itemCodeableConcept": {"text": marks.new("ingredient")}}],
        "manufacturer": {"display": marks.new("manufacturer")},
        "batch": {"lotNumber": marks.new("lot")}}, "Medication")
    yield medication
    there = order(pid, "loratadine", name=pid + "-there",
                  medicationReference={"reference": "Medication/" + medication["id"],
                                       "display": marks.new("reference to a drug")})
    del there["medicationCodeableConcept"]
    yield marks.all_texts(there, "order by reference")
    inside = marks.all_texts(order(pid, "loratadine", name=pid + "-inside"), "order of its own")
    inside["contained"] = [{"resourceType": "Medication", "id": "m",
                            "code": {"text": marks.new("contained drug")}}]
    inside["medicationReference"] = {"reference": "#m", "display": marks.new("contained reference")}
    del inside["medicationCodeableConcept"]
    yield inside


def count(marks, pid, value=VALUE, **more):
    return marks.all_texts(result(
        pid, value, performer=[{"display": marks.new("performer")}],
        method={"text": marks.new("method")}, bodySite={"text": marks.new("body site")},
        interpretation=[{"text": marks.new("interpretation")}],
        referenceRange=[{"text": marks.new("reference range")}], **more), "Observation")


def odd_ones(marks, pid):
    """What no mapping knows: names, codes and units are marks themselves."""
    drug = {"text": marks.new("drug"), "coding": [{
        "system": "urn:x:" + marks.new("drug system"), "code": marks.new("drug code"),
        "display": marks.new("drug display")}]}
    yield order(pid, "naproxen", name=pid + "-odd", medicationCodeableConcept=drug)
    unit = marks.new("unit")
    quantity = {"value": 1.5, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    yield result(pid, 1, "platelets", name=pid + "-unit", valueQuantity=quantity)
    odd = result(pid, 1, name=pid + "-code", status="final",
                 code={"coding": [{"system": "urn:x", "code": marks.new("code")}]})
    yield {**odd, "valueString": marks.new("value")}
    yield result(pid, 1, name=pid + "-when", when="-2 h",
                 effectiveDateTime=marks.new("date"))
    yield result(pid, 1, name=pid + "-status", status=marks.new("status"))


def outcome(marks, place):
    return json.dumps({"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": "invalid", "diagnostics": marks.new(place + " diagnostics"),
         "details": {"text": marks.new(place + " details")},
         "expression": [marks.new(place + " expression")]}]})


class Story:
    """Everything that can happen to a chart, and whatever the daemon says to anybody."""

    def __init__(self, house, folder, level):
        self.marks, self.said = Marks(), []
        token = self.marks.new("token")
        self.key = self.marks.new("hook key") + "k" * 40
        settings = {**SLOW, "logLevel": level,
                    "server": {"tokenFile": secret_file(folder, "token", token)},
                    "hook": {"secretFile": secret_file(folder, "key", self.key)}}
        self.level = level
        self.ward = house.ward(token=token, settings=settings, ready=level in ("debug", "info"))
        wait_until(self.is_ready, what="it is ready", explain=self.ward.explain)

    def is_ready(self):
        """Without its log, which has no such line at the level of warnings."""
        with contextlib.suppress(OSError):
            return self.ward.daemon.request("GET", "/ready")[0] == 200
        return False

    def tell(self, *requests):
        for method, path, body, headers in requests:
            _, answered, text = self.ward.daemon.request(method, path, body, headers)
            self.said.append(json.dumps(answered) + text.decode("utf-8", "replace"))

    def refuse(self, status):
        self.ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=status,
                                body=outcome(self.marks, f"a refusal with {status}"))

    def episode(self, pid):
        """Raised, updated, answered by a clinician, ended; raised again and retracted."""
        ward, marks = self.ward, self.marks
        ward.write(*chart(marks, pid), *odd_ones(marks, pid))
        ward.settle()
        self.refuse(500)
        ward.write(count(marks, pid))
        issue = ward.alert(pid)
        ward.settle()
        ward.edit("DetectedIssue", issue["id"], mitigation=[{
            "action": {"text": marks.new("mitigation")}, "date": "2026-01-05",
            "author": {"reference": "Practitioner/1",
                       "display": marks.new("mitigation author")}}])
        ward.write(count(marks, pid, VALUE - 0.2, when="-30 min", name=pid + "-more"))
        ward.alert(pid, where=lambda a: len(ward.versions(a)) > 2)
        ward.write(count(marks, pid, 3.5, when="-1 s", name=pid + "-good"))
        ward.alert(pid, status="ended")
        ward.settle()

    def retraction(self, pid):
        ward, marks = self.ward, self.marks
        ward.write(*chart(marks, pid), count(marks, pid))
        ward.alert(pid)
        ward.edit("Observation", pid + "-neutrophils", status="entered-in-error")
        ward.alert(pid, status="retracted")
        ward.settle()

    def refusals(self, pid):
        """Parked, garbage, cut off; pages and subscriptions with a text in them."""
        ward, marks = self.ward, self.marks
        ward.write(*chart(marks, pid))
        ward.settle()
        self.refuse(422)
        ward.write(count(marks, pid))
        ward.daemon.wait_log("event=parked")
        for answer in ("garbage", "truncated", "reset"):
            ward.hospital.fail(method="GET", path=r"(patient|subject)=", times=1, answer=answer)
        ward.hospital.fail(method="GET", path="Subscription", times=1, answer=403,
                           body=outcome(marks, "a refused search"))
        sid = ward.subscribed()["Condition"]["id"]
        ward.hospital.change_subscription(sid, status="error", error=marks.new("error"))
        ward.daemon.reload()
        ward.daemon.wait_log("event=reloaded")
        ward.alert(pid)
        ward.settle()

    def bad_input(self):
        marks, key = self.marks, {"X-Myeloma-Adapter-Key": self.key}
        bodies = [f'{{"resourceType":"{marks.new("type")}","{marks.new("name")}', "[]",
                  f'{{"{marks.new("name alone")}":"{marks.new("value alone")}"}}',
                  json.dumps({"resourceType": "Observation", "id": marks.new("id") + "/" * 3}),
                  json.dumps({"resourceType": "Bundle", "type": marks.new("Bundle type"),
                              "entry": [{"fullUrl": marks.new("fullUrl")}]}),
                  json.dumps({"resourceType": "Observation", "id": "x",
                              "meta": {"versionId": marks.new("version") + "\n"}}),
                  marks.new("no JSON")]
        for body in bodies:
            query = "?name=" + marks.new("query")
            for method, path in (("PUT", "/hook/Observation/Observation/x"),
                                 ("POST", "/hook/Observation"), ("DELETE", "/hook/Observation/x")):
                self.tell((method, path + query, body.encode(), key),
                          (method, path, body.encode(),
                           {**key, "Content-Type": marks.new("content type")}))
        self.tell(("PUT", "/hook/Observation", b"{}",
                   {"X-Myeloma-Adapter-Key": marks.new("a wrong key")}),
                  ("GET", "/" + marks.new("path"), None, {}),
                  (marks.new("method").upper(), "/hook/Observation", b"", key),
                  ("PUT", "/hook/" + marks.new("type of the path"), b"{}", key),
                  ("PUT", "/hook/Observation/Observation/" + marks.new("id of the path"), b"{", key),
                  ("PUT", "/hook/Observation", b"", {**key, "Content-Encoding": marks.new("coding")}),
                  ("GET", "/health", None, {"Host": marks.new("host"), "Cookie": marks.new("cookie"),
                                            "User-Agent": marks.new("agent")}))

    def aside(self, pid):
        """A page whose entry is set aside: its id is none."""
        hospital, marks = self.ward.hospital, self.marks
        hospital.put(count(marks, pid, name=pid + "-aside", when="-3 d"))
        with hospital.store.lock:
            version = hospital.store.latest("Observation", pid + "-aside")
            bad = {**json.loads(version.text), "id": {marks.new("no id"): 1}}
            object.__setattr__(version, "text", type(version.text)(json.dumps(bad)))
        since = self.ward.daemon.restart()
        wait_until(lambda: self.ward.daemon.metrics()["events_set_aside_total"] >= 1,
                   what="one set aside", explain=self.ward.explain)
        self.ward.daemon.wait_log("event=set-aside", since=since)

    def crash(self, number):
        daemon = self.ward.daemon
        pid = daemon.process.pid
        daemon.process.send_signal(number)
        daemon.wait_end()
        since = len(daemon.lines)
        daemon.start().wait_ready(since=since)
        return pid

    def look_around(self):
        """What is seen of the process by others, and what it tells everybody."""
        for path in ("/metrics", "/health", "/ready"):
            self.tell(("GET", path, None, {}))
        pid = self.ward.daemon.process.pid
        for name in ("cmdline", "comm", "environ", "limits", "status", "maps", "mountinfo"):
            with contextlib.suppress(PermissionError):
                self.said.append(pathlib.Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace"))
        with contextlib.suppress(PermissionError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    self.said.append(os.readlink(f"/proc/{pid}/fd/{fd}"))

    def outside(self):
        return "\n".join([*self.ward.daemon.lines, *self.said])

    def inside(self):
        """What the store keeps: the proof that the marks were there."""
        folder = pathlib.Path(self.ward.daemon.folder)
        return "".join(path.read_bytes().decode("utf-8", "replace")
                       for path in folder.glob("adapter.db*"))


@pytest.fixture(scope="module", autouse=True)
def cores_may_be_written():
    """As far as the shell that starts the tests is concerned."""
    before = rlimits.getrlimit(rlimits.RLIMIT_CORE)
    rlimits.setrlimit(rlimits.RLIMIT_CORE, (before[1], before[1]))
    yield
    rlimits.setrlimit(rlimits.RLIMIT_CORE, before)


@pytest.fixture(scope="module", params=["debug", "info", "warn", "error"])
def story(request, shared_house, tmp_path_factory):
    made = Story(shared_house, tmp_path_factory.mktemp("secrets"), request.param)
    if request.param == "debug":
        made.episode("p1")
        made.retraction("p2")
        made.refusals("p3")
        made.bad_input()
        made.aside("p3")
        for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
            made.crash(number)
            made.look_around()
    else:       # fewer lines come of the same things
        if request.param in ("info", "warn"):
            made.ward.write(*chart(made.marks, "p1"), *odd_ones(made.marks, "p1"),
                            count(made.marks, "p1"))
            made.ward.alert("p1")
        made.bad_input()
        made.look_around()
    return made


def test_no_mark_is_told(story):
    assert story.marks.seen_in(story.outside()) == []


def test_no_number_of_a_patient_is_told(story):
    text = story.outside()
    assert str(VALUE)[:7] not in text
    assert STREET_NUMBER not in text and "1959-04-01" not in text


@pytest.mark.parametrize("story", ["debug"], indirect=True)
def test_the_marks_were_inside(story):
    """What the rules need of a resource is kept."""
    assert len(story.marks.places) > 200
    inside = story.marks.seen_in(story.inside())
    for place in ("Observation display", "MedicationRequest concept", "Condition narrative",
                  "Observation note", "Procedure note", "complication", "reaction",
                  "Medication narrative", "ingredient", "contained drug", "dosage", "unit", "value", "drug code"):
        assert place in inside, inside


def test_a_leak_would_be_seen(story):
    for line in (f"event=x name={list(story.marks.places)[7]}", "QZMARK0007X", "a qzmark00"):
        assert story.marks.seen_in(line), "the search is blind"
    story.said.append(f"event=leak text={list(story.marks.places)[7]}")
    try:
        assert story.marks.seen_in(story.outside()) == [list(story.marks.places.values())[7]]
    finally:
        story.said.pop()


def test_the_process_leaves_no_core_and_lets_nobody_look_in(story):
    process = story.ward.daemon.process
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
    assert pathlib.Path(f"/proc/{process.pid}/comm").read_text().strip() == "myeloma-adapter"
    assert not list(pathlib.Path(story.ward.daemon.folder).glob("core*"))


@pytest.fixture
def open_folder():
    """A folder that any user can reach, wherever the project lies and temporary files go."""
    with tempfile.TemporaryDirectory(prefix="canary-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def test_what_is_not_dumpable_belongs_to_root(open_folder):
    """Another process of the same user may not attach: the kernel shows it by the owner."""
    user = 65534 if os.getuid() == 0 else os.getuid()
    home, binary, mappings = (open_folder / name for name in ("home", "myeloma-adapter", "mappings"))
    home.mkdir(mode=0o700)
    shutil.copy(BINARY, binary)
    shutil.copytree(few_rules(), mappings)
    daemon = Daemon(f"http://127.0.0.1:{free_port()}/fhir", home, mappings=str(mappings),
                    binary=str(binary), user=user)
    daemon.write_config()
    for folder, names, files in os.walk(open_folder):
        for name in names + files:
            os.chown(os.path.join(folder, name), user, -1)
    with daemon:
        daemon.wait_log("event=listening")
        environ = f"/proc/{daemon.process.pid}/environ"
        assert os.stat(environ).st_uid == 0, "it is dumpable"
        assert daemon.process.poll() is None, "what has ended belongs to root too"


# Other verbs: what they say on stderr ends up in tickets

def say(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stderr.decode("utf-8", "replace"), done.stdout.decode(
        "utf-8", "replace")


def test_check_quotes_no_secret(tmp_path):
    """A secret of two lines, an empty one, one for the wrong place."""
    marks = Marks()
    for kind in ("tokenFile", "basicFile"):
        path = secret_file(tmp_path, kind, marks.new(kind) + "\n" + marks.new(kind + " 2") + "\n")
        config = {"store": str(tmp_path / "adapter.db"),
                  "server": {"base": "https://ehr.example/fhir", kind: path}}
        (tmp_path / "adapter.json").write_text(json.dumps(config))
        _, errors, output = say("check", "--config", tmp_path / "adapter.json")
        assert marks.seen_in(errors + output) == []
    daemon = Daemon(f"http://127.0.0.1:{free_port()}/fhir", tmp_path, settings={
        "server": {"tokenFile": secret_file(tmp_path, "t", marks.new("a") + "\n" + marks.new("b"))}})
    daemon.start()
    assert daemon.wait_end() == 1
    assert marks.seen_in(daemon.log()) == []


def test_replay_complains_without_quoting(tmp_path):
    """Broken resources between whole ones: the complaints are about places."""
    marks = Marks()
    resources = [*chart(marks, "p1"), *odd_ones(marks, "p1"), count(marks, "p1")]
    lines = [json.dumps(resource) for resource in resources]
    lines += [lines[-1][:-9], json.dumps({**resources[-1], "id": {marks.new("id"): 1}}),
              json.dumps({**resources[-1], "subject": {"reference": marks.new("reference")}}),
              marks.new("line"), json.dumps({"resourceType": marks.new("type")})]
    (tmp_path / "chart.ndjson").write_text("\n".join(lines) + "\n")
    code, errors, _ = say("replay", "--format", "json", tmp_path / "chart.ndjson")
    assert errors, f"it ended with {code} and did not complain"
    assert marks.seen_in(errors) == []


def listed(ward):
    """What `queue` says of everything that waits, and of each item."""
    told = []
    for words in (("list",), ("list", "--format", "json")):
        _, errors, output = say("queue", *words, "--config", ward.daemon.config_path)
        told.append(errors + output)
    for item in re.findall(r"(?:event|alert)/\w+", told[0]):
        for words in (("show",), ("show", "--format", "json")):
            told.append("".join(map(str, say("queue", *words, item, "--config",
                                             ward.daemon.config_path))))
    return "\n".join(told)


def test_queue_tells_no_mark(house, tmp_path):
    """A delivery that was refused, and then an event that was set aside, listed and shown."""
    story = Story(house, tmp_path, "debug")
    ward, marks = story.ward, story.marks
    ward.write(*chart(marks, "p1"))
    ward.settle()
    story.refuse(422)
    ward.write(count(marks, "p1"))
    ward.daemon.wait_log("event=parked")
    wait_until(lambda: ward.daemon.owed() == (0, 0), what="nothing waits", explain=ward.explain)
    refused = listed(ward)
    assert LOW_COUNT in refused and "alert/" in refused
    story.aside("p1")
    broken = listed(ward)
    assert "event/" in broken
    dropped = say("queue", "drop", "--because", "seen", "--state", "aside", "--config",
                  ward.daemon.config_path)
    assert marks.seen_in("\n".join(map(str, [refused, broken, *dropped]))) == []
