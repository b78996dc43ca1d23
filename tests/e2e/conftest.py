"""What the end-to-end tests share: hospitals and daemons that end with their test, and a collection
of every version of every DetectedIssue that was written, validated at the end of the session."""
import json
import os
import tempfile
from pathlib import Path

import pytest

from daemon import Daemon
from hapi_server import HapiServer
from waiting import free_port
from ward import Ward, WatchedHospital

LAST = "test_written_alerts"     # validates what the others have collected
# Where runs side by side (tests/run.py) leave what each has collected.
SHARED = os.environ.get("MM_ALERTS")
QUICK = {"retry_seconds": 0.6, "retry_first": 0.05, "activation_delay": 0.005}


class Collection:
    """DetectedIssues by content, so that none is validated twice."""

    def __init__(self):
        self.issues = {}

    def add(self, issue, where):
        if issue:
            self.issues.setdefault(json.dumps(issue, sort_keys=True), (issue, where))

    def leave(self, folder):
        with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".json", delete=False) as file:
            json.dump(list(self.issues.values()), file)

    def take(self, folder):
        for path in sorted(Path(folder).glob("*.json")):
            for issue, where in json.loads(path.read_text(encoding="utf-8")):
                self.add(issue, where)


COLLECTION = Collection()


@pytest.fixture(scope="session")
def collection():
    if SHARED:
        COLLECTION.take(SHARED)
    return COLLECTION


def pytest_sessionfinish():
    if SHARED:
        COLLECTION.leave(SHARED)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.module.__name__ == LAST)    # the others keep their order


class House:
    """Makes hospitals and daemons, and ends them all."""

    def __init__(self, folder, name):
        self.folder, self.name, self.count = folder, name, 0
        self.hospitals, self.daemons = [], []

    def hospital(self, **options):
        hospital = WatchedHospital(free_port(), **{**QUICK, **options})
        self.hospitals.append(hospital)
        return hospital.start()

    def daemon(self, base, start=True, **options):
        self.count += 1
        folder = self.folder / f"daemon-{self.count}"
        folder.mkdir(mode=0o700)
        daemon = Daemon(base, folder, **options)
        self.daemons.append(daemon)
        return daemon.start() if start else daemon

    def ward(self, hospital=None, ready=True, settings=None, **options):
        """A hospital (with its options) and a daemon that is ready beside it."""
        mine = {k: options.pop(k) for k in ("mappings", "hook", "environment") if k in options}
        hospital = hospital or self.hospital(**options)
        daemon = self.daemon(hospital.base, settings=settings, **mine)
        ward = Ward(hospital, daemon)
        if ready:
            daemon.wait_ready()
            if mine.get("hook", True) and hospital.options.style != "medplum":
                ward.subscribed()
        return ward

    def end(self):
        """Every daemon that still runs ends cleanly."""
        bad = []
        try:
            for daemon in self.daemons:
                running = daemon.process and daemon.process.poll() is None
                code = daemon.stop()
                if running and (code != 0 or "loop-not-empty" in daemon.log()):
                    bad.append(f"ended with {code}:\n{daemon.log()[-3000:]}")
        finally:
            for daemon in self.daemons:
                daemon.kill()
            for hospital in self.hospitals:
                for version in hospital.history("DetectedIssue"):
                    COLLECTION.add(version["resource"], self.name)
                hospital.stop()
        assert not bad, "\n".join(bad)


@pytest.fixture(scope="session", params=["R4", "R4B", "R5"])
def hapi_of_release(request, tmp_path_factory):
    """A real server of each release, with a database that outlives its process."""
    available, reason = HapiServer.available()
    if not available:
        pytest.skip(reason)
    HapiServer.build()
    folder = tmp_path_factory.mktemp("hapi-" + request.param)
    with HapiServer(folder, request.param, folder / "database") as hapi:
        yield hapi


@pytest.fixture
def house(tmp_path, request):
    made = House(tmp_path, request.node.name)
    yield made
    made.end()


@pytest.fixture(scope="module")
def shared_house(tmp_path_factory, request):
    made = House(tmp_path_factory.mktemp("shared"), request.module.__name__)
    yield made
    made.end()
