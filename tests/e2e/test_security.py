"""Secrets, TLS, and what must never be in a log."""
import glob
import json
import os
import re
import ssl
import stat
import subprocess

import pytest

from waiting import wait_until
from ward import SLOW, Ward, low, order, patient, result, treated

TOKEN = "t0ken-zebra-5417"
PASSWORD = "pass:word-zebra-8824"


def secret_file(folder, name, text):
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


# Credentials for the server

def test_a_bearer_token_comes_from_a_file(house, tmp_path):
    path = secret_file(tmp_path, "token", TOKEN + "\n")
    ward = house.ward(token=TOKEN, settings={**SLOW, "server": {"tokenFile": path}})
    low(ward, "p1")
    given = {r.headers.get("authorization") for r in ward.hospital.asked}
    assert given == {"Bearer " + TOKEN}


def test_user_and_password_come_from_a_file(house, tmp_path):
    path = secret_file(tmp_path, "basic", "adapter:" + PASSWORD)
    ward = house.ward(basic="adapter:" + PASSWORD,
                      settings={**SLOW, "server": {"basicFile": path}})
    low(ward, "p1")


@pytest.mark.parametrize("kind", ["token", "basic"])
def test_credentials_come_from_systemd(house, tmp_path, kind):
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    secret = TOKEN if kind == "token" else "adapter:" + PASSWORD
    secret_file(folder, "ehr", secret)
    ward = house.ward(**{kind: secret}, settings={**SLOW, "server": {kind + "Credential": "ehr"}},
                      environment={"CREDENTIALS_DIRECTORY": str(folder)})
    low(ward, "p1")


def test_the_secret_of_the_hook_comes_from_a_file(house, tmp_path):
    secret = "5ecret-of-the-hook-5ecret-of-the-hook-42"
    path = secret_file(tmp_path, "hook", secret)
    ward = house.ward(settings={**SLOW, "hook": {"secretFile": path}})
    assert ward.secret() == secret
    low(ward, "p1")


def test_a_renewed_token_is_taken_over_by_a_reload(house, tmp_path):
    path = secret_file(tmp_path, "token", TOKEN)
    ward = house.ward(token=TOKEN, settings={**SLOW, "server": {"tokenFile": path}})
    ward.write(*treated("p1"))
    ward.settle()
    ward.hospital.set_options(token="renewed-zebra")
    ward.write(result("p1", 0.8))
    wait_until(lambda: [r for r in ward.hospital.asked if r.status == 401], what="a 401",
               explain=ward.explain)
    secret_file(tmp_path, "token", "renewed-zebra")
    ward.daemon.reload()
    ward.daemon.wait_log("event=reloaded")
    ward.alert("p1")
    assert "zebra" not in ward.daemon.log()


@pytest.mark.parametrize("text, words", [(None, "token"), ("", "empty"), ("a\nb", "one line")],
                         ids=["missing", "empty", "two lines"])
def test_a_token_that_cannot_be_used_is_said_at_the_start(house, tmp_path, text, words):
    path = str(tmp_path / "token")
    if text is not None:
        secret_file(tmp_path, "token", text)
    hospital = house.hospital()
    daemon = house.daemon(hospital.base, settings={"server": {"tokenFile": path}})
    assert daemon.wait_end() == 1
    assert path in daemon.log() and words in daemon.log()
    assert hospital.asked == []


# TLS

def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


class Authority:
    """A private CA, and certificates for 127.0.0.1 that it signs."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.certificate = folder / (name + ".pem")
        self.key = folder / (name + ".key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", 2, "-subj", f"/CN={name}", "-keyout", self.key,
                "-out", self.certificate)

    def sign(self, name, address="IP:127.0.0.1"):
        key, request = self.folder / (name + ".key"), self.folder / (name + ".csr")
        certificate, more = self.folder / (name + ".pem"), self.folder / (name + ".ext")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        more.write_text(f"subjectAltName={address}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", 2, "-extfile", more, "-out", certificate)
        return str(certificate), str(key)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "hospital-ca")


@pytest.fixture(scope="module")
def server_certificate(authority):
    return authority.sign("server")


def test_a_server_with_a_private_authority_is_trusted_by_its_file(house, authority,
                                                                  server_certificate):
    certificate, key = server_certificate
    ward = house.ward(tls_cert=certificate, tls_key=key,
                      settings={**SLOW, "server": {"caFile": str(authority.certificate)}})
    assert ward.daemon.config["server"]["base"].startswith("https://")
    low(ward, "p1")


@pytest.mark.parametrize("which", ["another authority", "the system's authorities",
                                   "another name"])
def test_a_server_that_cannot_be_trusted_is_sent_nothing(house, authority, server_certificate,
                                                         tmp_path, which):
    certificate, key = server_certificate
    settings = {"caFile": str(authority.certificate),
                "tokenFile": secret_file(tmp_path, "token", TOKEN)}
    if which == "another authority":
        settings["caFile"] = str(Authority(tmp_path, "another-ca").certificate)
    elif which == "another name":
        certificate, key = authority.sign("elsewhere", "DNS:elsewhere.example")
    else:
        del settings["caFile"]
    hospital = house.hospital(tls_cert=certificate, tls_key=key)
    daemon = house.daemon(hospital.base, settings={**SLOW, "server": settings})
    line = daemon.wait_log("event=capability-failed")
    assert "tls" in line and "fix=" in line
    assert re.search(r"fix=.*(caFile|certificate|authorit)", line), line
    assert hospital.asked == []
    assert daemon.stop() == 0


@pytest.mark.parametrize("named", ["wss", "ws"])
def test_a_server_behind_tls_does_not_lead_us_to_a_socket_without(
        house, authority, server_certificate, tmp_path, named):
    """Somebody listens there who would see it all. What changes is found by poll."""
    certificate, key = server_certificate
    hospital = house.hospital(style="backport", websocket=True, tls_cert=certificate, tls_key=key,
                              token=TOKEN)
    place = hospital if named == "wss" else house.hospital(style="backport", websocket=True)
    hospital.sockets.url = f"{named}://127.0.0.1:{place.port}/socket"
    ward = house.ward(hospital=hospital, hook=False, ready=False, settings={
        "poll": {"every": "1 s", "subscriptions": "1 h"},
        "subscribe": {"by": "topic", "channel": "websocket"},
        "server": {"caFile": str(authority.certificate),
                   "tokenFile": secret_file(tmp_path, "token", TOKEN)}})
    if named == "wss":
        wait_until(lambda: len(hospital.sockets.bound()) == 3, what="bound", explain=ward.explain)
    else:
        line = ward.daemon.wait_log("event=socket-failed .*code=socket.plain")
        assert "wss://" in line and "subscribe.webSocket" in line
    low(ward, "p1")
    assert bool(place.sockets.heads) == (named == "wss")


def test_the_listener_speaks_tls(house, authority):
    certificate, key = authority.sign("hook")
    hospital = house.hospital()
    daemon = house.daemon(hospital.base, start=False, settings={
        **SLOW, "hook": {"certificateFile": certificate, "keyFile": key}})
    daemon.config["hook"]["url"] = f"https://127.0.0.1:{daemon.port}/hook"
    daemon.tls = ssl.create_default_context(cafile=str(authority.certificate))
    daemon.start().wait_ready()
    ward = Ward(hospital, daemon)
    ward.subscribed()
    low(ward, "p1")
    ward.settle()
    assert hospital.notifier.state()["succeeded"] >= 5
    assert daemon.request("GET", "/health")[0] == 200
    daemon.tls = None      # no plain HTTP beside it
    with pytest.raises(OSError):
        daemon.request("GET", "/health")


def test_the_key_of_the_listener_comes_from_systemd(house, authority, tmp_path):
    certificate, key = authority.sign("hook-credential")
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    secret_file(folder, "hook-key", open(key, encoding="ascii").read())
    hospital = house.hospital()
    daemon = house.daemon(hospital.base, start=False, settings={
        **SLOW, "hook": {"certificateFile": certificate, "keyCredential": "hook-key"}},
        environment={"CREDENTIALS_DIRECTORY": str(folder)})
    daemon.config["hook"]["url"] = f"https://127.0.0.1:{daemon.port}/hook"
    daemon.tls = ssl.create_default_context(cafile=str(authority.certificate))
    daemon.start().wait_ready()
    assert daemon.request("GET", "/health")[0] == 200


# What stays inside

def test_the_token_goes_to_no_other_server(house, tmp_path):
    """Not by a next link, and not by a redirect."""
    path = secret_file(tmp_path, "token", TOKEN)
    elsewhere = house.hospital()
    hospital = house.hospital(token=TOKEN, max_page_size=2)
    ward = Ward(hospital)
    ward.write(*treated("p1"), result("p1", 0.8))
    hospital.paging("elsewhere", times=3, origin=elsewhere.origin)
    hospital.fail(method="GET", path="/Observation", times=2, answer=307,
                  headers={"Location": elsewhere.base + "/Observation"})
    ward.daemon = house.daemon(hospital.base, settings={"poll": {"every": "1 s"},
                                                        "server": {"tokenFile": path}})
    ward.alert("p1")
    assert elsewhere.asked == []


NAME, STREET, NOTE = "Zebrafinch", "Quaggastreet", "Okapinote"


def test_no_secret_and_no_patient_data_reach_the_log(house, tmp_path):
    """Marks in every text that the daemon can meet, a bad day, and no mark in any line."""
    token = secret_file(tmp_path, "token", TOKEN)
    ward = house.ward(token=TOKEN, settings={**SLOW, "server": {"tokenFile": token},
                                             "logLevel": "debug"})
    key = ward.secret()
    marked = {"note": [{"text": NOTE}], "text": {
        "status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{NOTE}</div>"}}
    person = patient("p1", name=[{"family": NAME, "given": [NAME]}],
                     address=[{"line": [STREET]}], telecom=[{"value": "555-" + NAME}],
                     identifier=[{"system": "urn:mrn", "value": "MRN-" + NAME}])
    drug = {"text": NAME + " tablets", "coding": [{"system": "urn:local", "code": NAME,
                                                   "display": NAME}]}
    unknown = order("p1", "naproxen", name="p1-local", medicationCodeableConcept=drug, **marked)
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=500, body=json.dumps({
        "resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "exception", "diagnostics": f"no {NAME} here"}]}))
    ward.write(person, *treated("p1")[1:], unknown,
               result("p1", 0.8, valueString=NOTE, **marked))
    ward.alert("p1")
    ward.hospital.fail(method="PUT", path="DetectedIssue", times=1, answer=422, body=json.dumps({
        "resourceType": "OperationOutcome", "issue": [
            {"severity": "error", "code": "invalid", "diagnostics": f"{NAME} is wrong",
             "details": {"text": NAME}}]}))
    ward.write(result("p1", 0.5, name="p1-second", when="-1 s", **marked))
    ward.daemon.wait_log("event=parked")
    for body in (f'{{"resourceType":"Observation","{NAME}', f'{{"{NAME}": "{NOTE}"}}'):
        ward.notify("Observation", body.encode(), key=key)
        ward.notify(f"Observation/Observation/{NAME}?name={NAME}", body.encode(), "PUT", key=key)
    ward.notify("Observation", result("p1", 1, name=NAME + "-" * 80), key=key)
    ward.daemon.request("PUT", f"/hook/Observation/{NAME}", NOTE.encode(),
                        {"X-Myeloma-Adapter-Key": "wrong-" + NAME})
    ward.daemon.reload()
    ward.daemon.wait_log("event=reloaded")
    ward.hospital.fail(method="GET", path=r"(patient|subject)=", times=2, answer="garbage")
    ward.write(patient("p2", name=[{"family": NAME}]), *treated("p2")[1:], result("p2", 0.8))
    ward.alert("p2")
    assert ward.daemon.stop() == 0
    for line in ward.daemon.lines:
        for mark in (NAME, STREET, NOTE, TOKEN, key, "zebra"):
            assert mark.lower() not in line.lower(), f"{mark} in: {line}"
    assert len(ward.daemon.lines) > 10


def test_no_secret_stands_in_configuration_command_line_or_metrics(house, tmp_path):
    token = secret_file(tmp_path, "token", TOKEN)
    ward = house.ward(token=TOKEN, settings={**SLOW, "server": {"tokenFile": token}})
    key, pid = ward.secret(), ward.daemon.process.pid
    low(ward, "p1")
    texts = [open(ward.daemon.config_path, encoding="utf-8").read(),
             open(f"/proc/{pid}/cmdline", encoding="utf-8").read(),
             ward.daemon.request("GET", "/metrics")[2].decode(),
             json.dumps(ward.hospital.resources("Device")),
             json.dumps(ward.hospital.resources("DetectedIssue"))]
    for text in texts:
        assert TOKEN not in text and key not in text
    assert TOKEN.encode() not in b"".join(
        open(path, "rb").read() for path in glob.glob(ward.daemon.config["store"] + "*"))


def test_the_store_is_for_the_daemon_alone(house):
    ward = house.ward(settings=SLOW)
    low(ward, "p1")
    files = glob.glob(ward.daemon.config["store"] + "*")
    assert files
    for path in files:
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path


def test_patients_are_named_by_reference_alone(house):
    """An alert carries no name: who may not read the Patient learns none from the alert."""
    ward = house.ward(settings=SLOW)
    ward.write(patient("p1", name=[{"family": NAME}]), *treated("p1")[1:], result("p1", 0.8))
    assert NAME not in json.dumps(ward.alert("p1"))


