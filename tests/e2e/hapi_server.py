#!/usr/bin/env python3
"""A real HAPI FHIR server (R4, R4B or R5) for end-to-end tests.

    with HapiServer(log_dir, release="R5") as hapi:
        http("GET", hapi.base + "/Patient/p1")

Subscriptions by criteria on R4; by criteria and by topic on R4B; by topic on R5;
each by rest-hook and by websocket. What HAPI 8.8 does with topics, as seen here:
it sends no handshake and no heartbeat; R5 counters are JSON numbers, not strings;
`Subscription.parameter` of R5 is NOT sent as a header, while `channel.header` of
R4B is, so on R5 a secret can travel in the endpoint's URL alone.

`python3 hapi_server.py --check` builds and starts it, and proves that it
stores, searches and notifies in the way the tests rely on.
"""

import argparse
import atexit
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import datetime, timezone
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from waiting import DEADLINE, TooLate, free_port, wait_until

HERE = Path(__file__).resolve().parent
PROJECT = HERE / "hapi"
BUILD = HERE.parent.parent / "build"
JAR = BUILD / "hapi" / "hapi-e2e.jar"
# The same taken apart: it starts in three quarters of the processor time, and there are a dozen starts.
APART = BUILD / "hapi" / "apart"
STARTED = APART / JAR.name

START_DEADLINE = 300
STOP_DEADLINE = 20
BUILD_DEADLINE = 1800
MIN_JAVA = 17

# One short-lived process on few cores: the simple collector and the quick
# compiler start it in two thirds of the time that the defaults take.
JVM_FLAGS = ["-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]


class HapiError(RuntimeError):
    """The server could not be built, started or used."""


# ---- small HTTP client ------------------------------------------------------


class Answer:
    """Status, headers (names in lower case) and body of an HTTP answer."""

    def __init__(self, status: int, headers: dict, text: str):
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self):
        return json.loads(self.text) if self.text else None


def http(method: str, url: str, body=None, headers: dict = None,
         timeout: float = DEADLINE) -> Answer:
    """One request; any status is an answer, only no answer is an error."""
    parts = urllib.parse.urlsplit(url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    # The server refuses a bare "|" in the request line, with an HTML page.
    target = urllib.parse.quote(target, safe="%/?&=:,;$+@*'()!~")
    send = {"Accept": "application/fhir+json"}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        send["Content-Type"] = "application/fhir+json"
    send.update(headers or {})
    conn = HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        conn.request(method, target, data, send)
        got = conn.getresponse()
        text = got.read().decode("utf-8", "replace")
        names = {name.lower(): value for name, value in got.getheaders()}
        return Answer(got.status, names, text)
    finally:
        conn.close()


# ---- is it possible here? ---------------------------------------------------


def _java_tool(name: str):
    home = os.environ.get("JAVA_HOME")
    if home and os.access(Path(home) / "bin" / name, os.X_OK):
        return str(Path(home) / "bin" / name)
    return shutil.which(name)


def _java_major(java: str) -> int:
    run = subprocess.run([java, "-version"], capture_output=True, text=True)
    found = re.search(r'version "(?:1\.)?(\d+)', run.stderr + run.stdout)
    return int(found.group(1)) if found else 0


def _missing_java():
    java = _java_tool("java")
    if not java:
        return f"no Java runtime: a JDK {MIN_JAVA} or newer is needed"
    major = _java_major(java)
    if major < MIN_JAVA:
        return f"Java {major} is too old: a JDK {MIN_JAVA} or newer is needed"
    return None


def _missing_build_tools():
    if not _java_tool("javac"):
        return f"no javac: a full JDK {MIN_JAVA} or newer is needed, not only a runtime"
    if not shutil.which("mvn"):
        return "no mvn: Maven 3.6.3 or newer is needed to build the server"
    return None


def _sources():
    yield PROJECT / "pom.xml"
    for path in (PROJECT / "src").rglob("*"):
        if path.is_file():
            yield path


def _jar_is_fresh() -> bool:
    if not JAR.exists():
        return False
    built = JAR.stat().st_mtime
    return all(path.stat().st_mtime <= built for path in _sources())


# ---- the server -------------------------------------------------------------


class HapiServer:
    """One HAPI process on a free loopback port, with an empty database in memory; or with a
    database in a file, which outlives the process."""

    def __init__(self, log_dir=None, release="R4", database=None):
        self.log_dir = Path(log_dir or BUILD / "hapi-log")
        self.release = release
        # Without a delay, what was answered survives SIGKILL.
        self.database = f"jdbc:h2:file:{database};WRITE_DELAY=0" if database else None
        self.log_path = self.log_dir / "hapi.log"
        self.port = None
        self.start_seconds = None
        self._process = None

    @staticmethod
    def available():
        """(True, "") or (False, what is missing)."""
        missing = _missing_java()
        if not missing and not _jar_is_fresh():
            missing = _missing_build_tools()
        return (False, missing) if missing else (True, "")

    @staticmethod
    def build(say=print) -> Path:
        """Builds the jar where it is missing or older than its sources."""
        BUILD.mkdir(parents=True, exist_ok=True)
        # Two test runs at once must not build into one folder.
        with open(BUILD / "hapi.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _jar_is_fresh():
                _run_maven(say)
            if not STARTED.exists() or STARTED.stat().st_mtime < JAR.stat().st_mtime:
                _take_apart()
        return JAR

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    @property
    def web_socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/websocket"

    @property
    def pid(self):
        return self._process.pid if self._process else None

    def start(self) -> "HapiServer":
        ok, reason = self.available()
        if not ok:
            raise HapiError(reason)
        self.build()
        self.port = self.port or free_port()
        self.log_dir.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        command = [_java_tool("java"), *JVM_FLAGS, "-jar", str(STARTED),
                   f"--server.port={self.port}", f"--fhir.release={self.release}"]
        if self.database:
            command.append("--spring.datasource.url=" + self.database)
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)
        # A test run that ends badly must not leave a Java process behind.
        atexit.register(self.stop)
        try:
            wait_until(self._answers, START_DEADLINE,
                       f"/metadata of HAPI, see {self.log_path}", every=0.2)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def stop(self):
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self):
        """Ends it as a crash would."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self.stop()

    def restart(self) -> "HapiServer":
        """The same address again; a database in memory is empty then."""
        self.stop()
        return self.start()

    def __enter__(self) -> "HapiServer":
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise HapiError(f"HAPI ended with {self._process.returncode}:\n"
                            + _tail(self.log_path))
        with contextlib.suppress(OSError, HTTPException):
            return http("GET", self.base + "/metadata").status == 200
        return False


def _run_maven(say):
    command = ["mvn", "-q", "-B", "-f", str(PROJECT / "pom.xml"),
               "-DskipTests", "package"]
    log_path = BUILD / "hapi-maven.log"
    began = time.monotonic()
    say("building the HAPI test server (the first time downloads about 250 MB)")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_and_tell(process, began, say)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise HapiError(f"Maven ended with {process.returncode}:\n" + _tail(log_path))
    # Maven may leave a jar untouched that it thinks unchanged.
    os.utime(JAR)
    say(f"built in {time.monotonic() - began:.0f} s: {JAR.name}")


def _take_apart():
    half = APART.with_suffix(".new")
    for folder in (half, APART):
        shutil.rmtree(folder, ignore_errors=True)
    run = subprocess.run([_java_tool("java"), "-Djarmode=tools", "-jar", str(JAR), "extract",
                          "--destination", str(half)], capture_output=True, text=True)
    if run.returncode != 0:
        raise HapiError(f"{JAR.name} cannot be taken apart:\n" + run.stdout + run.stderr)
    os.utime(half / JAR.name)
    half.rename(APART)


def _wait_and_tell(process, began, say):
    while True:
        try:
            process.wait(20)
            return
        except subprocess.TimeoutExpired:
            spent = time.monotonic() - began
        if spent > BUILD_DEADLINE:
            raise HapiError(f"Maven not done within {BUILD_DEADLINE} s")
        say(f"  still building, {spent:.0f} s")


def _tail(path: Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


# ---- a listener for notifications -------------------------------------------


class Hook:
    """One request that the listener got."""

    def __init__(self, method, path, headers, body):
        self.at = time.monotonic()
        self.method = method
        self.path = path
        self.headers = {k.lower(): v for k, v in headers.items()}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


class HookListener:
    """Records what a server sends to a rest-hook endpoint on loopback."""

    def __init__(self, status: int = 200):
        self.hooks = []
        self.status = status
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> "HookListener":
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, wanted, deadline: float) -> Hook:
        """The first hook for which wanted(hook) holds."""
        def found():
            return next((hook for hook in self.hooks if wanted(hook)), None)
        with self._changed:
            self._changed.wait_for(found, deadline)
            hook = found()
        if hook is None:
            seen = [f"{h.method} {h.path}" for h in self.hooks]
            raise HapiError(f"no such notification within {deadline:g} s; seen: {seen}")
        return hook

    def _handler(self):
        listener = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size).decode("utf-8", "replace")
                listener._record(Hook(self.command, self.path, self.headers, body))
                self.send_response(listener.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *args):
                pass

        return Handler

    def _record(self, hook: Hook):
        with self._changed:
            self.hooks.append(hook)
            self._changed.notify_all()


def subscribe(base: str, criteria: str, endpoint: str, headers: list,
              payload: str = "application/fhir+json", deadline: float = DEADLINE) -> dict:
    """Creates a rest-hook Subscription and waits until it is active."""
    channel = {"type": "rest-hook", "endpoint": endpoint, "header": headers}
    if payload:
        channel["payload"] = payload
    made = http("POST", base + "/Subscription", {
        "resourceType": "Subscription", "status": "requested",
        "reason": "end-to-end test", "criteria": criteria, "channel": channel})
    if made.status != 201:
        raise HapiError(f"Subscription: {made.status} {made.text[:300]}")
    url = f"{base}/Subscription/{made.json['id']}"

    def active():
        now = http("GET", url).json
        return now if now.get("status") == "active" else None
    return wait_until(active, deadline, "the Subscription becomes active", every=0.1)


# ---- the proof --------------------------------------------------------------


class Check:
    """Prints each fact with its verdict and counts the failed ones."""

    def __init__(self):
        self.failed = 0

    def __call__(self, ok: bool, fact: str):
        self.failed += not ok
        print(("ok   " if ok else "FAIL ") + fact, flush=True)


def _observation(value: float) -> dict:
    return {"resourceType": "Observation", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
            "subject": {"reference": "Patient/mm-p1"},
            "valueQuantity": {"value": value, "unit": "10*3/uL"}}


def _issue(status: str = "preliminary") -> dict:
    return {"resourceType": "DetectedIssue", "id": "mm-abc", "status": status,
            "patient": {"reference": "Patient/mm-p1"}, "detail": "made by the check"}


def _check_hook(base: str, check: Check):
    with HookListener() as listener:
        began = time.monotonic()
        sub = subscribe(base, "Observation?status=final", listener.endpoint,
                        ["X-Secret: a:b c"])
        check(True, f"Subscription active after {time.monotonic() - began:.1f} s, "
                    f"tags {[t['code'] for t in sub['meta'].get('tag', [])]}")
        sent = time.monotonic()
        made = http("POST", base + "/Observation", _observation(0.8))
        where = made.headers.get("location", "")
        check(made.status == 201, f"POST Observation: {made.status}, Location {where}")
        hook = listener.wait_for(lambda h: h.method == "PUT", DEADLINE)
        oid = made.json["id"]
        check(hook.path.split("?")[0] == f"/hook/Observation/{oid}",
              f"{hook.method} {hook.path} after {hook.at - sent:.2f} s")
        check(hook.headers.get("x-secret") == "a:b c",
              f"channel.header arrives: X-Secret: {hook.headers.get('x-secret')}")
        check(hook.json["meta"]["versionId"] == "1",
              f"payload has versionId {hook.json['meta']['versionId']}, "
              f"content type {hook.headers.get('content-type')}")


def _check_versions(base: str, check: Check):
    url = base + "/DetectedIssue/mm-abc"
    made = http("PUT", url, _issue())
    check(made.status == 201, f"PUT DetectedIssue/mm-abc (update as create): "
          f"{made.status}, ETag {made.headers.get('etag')}")
    same = http("PUT", url, _issue())
    check(same.status == 200 and same.headers.get("etag") == 'W/"1"',
          f"the same PUT again: {same.status}, ETag {same.headers.get('etag')}")
    good = http("PUT", url, _issue("final"), {"If-Match": 'W/"1"'})
    check(good.status == 200, f'If-Match W/"1": {good.status}, '
          f"ETag {good.headers.get('etag')}")
    bad = http("PUT", url, _issue("entered-in-error"), {"If-Match": 'W/"1"'})
    check(bad.status in (409, 412), f'If-Match W/"1" when stale: {bad.status}')
    numeric = http("PUT", base + "/Patient/123", {"resourceType": "Patient", "id": "123"})
    check(numeric.status == 400, f"PUT with an id of digits only: {numeric.status}")


def _check_conditional_create(base: str, check: Check):
    body = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    key = {"If-None-Exist": "identifier=urn:x|1"}
    first = http("POST", base + "/Patient", body, key).status
    second = http("POST", base + "/Patient", body, key).status
    check((first, second) == (201, 200), f"If-None-Exist: {first}, then {second}")


def _check_search(base: str, check: Check):
    fresh = {"Cache-Control": "no-cache"}
    since = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    since = since.replace("+00:00", "Z")
    ids = [http("POST", base + "/Observation", _observation(n)).json["id"]
           for n in range(3)]
    query = f"{base}/Observation?_lastUpdated=ge{since}&_sort=_lastUpdated"
    full = http("GET", query, headers=fresh).json
    got = [e["resource"]["id"] for e in full.get("entry", [])]
    check(got == ids, f"_lastUpdated=ge{since}&_sort=_lastUpdated: {len(got)} in order")
    walked, url = [], query + "&_count=2"
    while url:
        page = http("GET", url, headers=fresh).json
        walked += [e["resource"]["id"] for e in page.get("entry", [])]
        url = next((x["url"] for x in page["link"] if x["relation"] == "next"), None)
    check(walked == ids, f"the same by next links of two: {len(walked)} in order")


def run_check(log_dir: Path) -> int:
    ok, reason = HapiServer.available()
    if not ok:
        print("not possible here: " + reason)
        return 2
    check = Check()
    HapiServer.build()
    with HapiServer(log_dir) as hapi:
        meta = http("GET", hapi.base + "/metadata").json
        check(meta["fhirVersion"] == "4.0.1",
              f"started in {hapi.start_seconds:.1f} s: {meta['software']['name']} "
              f"{meta['software']['version']}, FHIR {meta['fhirVersion']}")
        made = http("PUT", hapi.base + "/Patient/mm-p1",
                    {"resourceType": "Patient", "id": "mm-p1"})
        check(made.status == 201, f"PUT Patient/mm-p1: {made.status}")
        _check_hook(hapi.base, check)
        _check_versions(hapi.base, check)
        _check_conditional_create(hapi.base, check)
        _check_search(hapi.base, check)
        pid = hapi.pid
    check(not Path(f"/proc/{pid}").exists(), "stopped")
    print(f"{check.failed} failed" if check.failed else "all as expected")
    return 1 if check.failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", required=True,
                        help="build, start and prove it")
    parser.add_argument("--log-dir", type=Path, help="where hapi.log goes")
    args = parser.parse_args()
    log_dir = args.log_dir or Path(tempfile.mkdtemp(prefix="hapi-check-"))
    try:
        return run_check(log_dir)
    except (HapiError, TooLate) as error:
        print(f"FAIL {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
