"""The daemon of the fault build (make fault): what it did to disk and lines, step by step, and a life
in which one of these steps fails or is the last. What can be asked for is in tests/fault/fault.c."""
import dataclasses
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing

from daemon import ROOT, Daemon

FAULTY = os.path.abspath(os.environ.get("MYELOMA_ADAPTER_FAULT",
                                        os.path.join(ROOT, "build/fault/myeloma-adapter")))


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens at which points: the `first` one of these kinds and classes, and `times` in all
    (0: those that follow too). `during` is a file: only while it is there."""
    do: str
    at: str = ""
    on: str = ""
    first: int = 1
    times: int = 1
    during: str = ""

    def environment(self):
        return {"FAULT_DO": self.do, "FAULT_AT": self.at, "FAULT_ON": self.on,
                "FAULT_FROM": str(self.first), "FAULT_TIMES": str(self.times),
                **({"FAULT_WHILE": self.during} if self.during else {})}

    def __str__(self):
        return f"{self.do} at {self.at or 'step'} {self.first} of {self.on or 'all'}"


@dataclasses.dataclass(frozen=True)
class Point:
    """A step that was done; result is what the call returned, or the word of a kill."""
    number: int
    kind: str
    on: str
    offset: int
    length: int
    result: str

    @property
    def what(self):
        return self.kind, self.on

    @property
    def killed(self):
        return self.result.startswith("kill-")


def points(path):
    """The steps in a trace, in their order."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="ascii") as file:
        rows = [line.split() for line in file]
    return [Point(int(n), kind, on, int(offset), int(length), result)
            for n, kind, on, offset, length, result in rows]


class FaultyDaemon(Daemon):
    """Each life has a trace of its own, and the fault that it was started with."""

    def __init__(self, base, folder, **options):
        assert os.access(FAULTY, os.X_OK), f"{FAULTY} is not there: make fault"
        super().__init__(base, folder, binary=FAULTY, **options)
        self.lives = 0

    def start(self, fault=None):
        self.lives += 1
        self.environment = {"FAULT_TRACE": self.trace_path(),
                            **(fault.environment() if fault else {})}
        return super().start()

    def trace_path(self):
        return os.path.join(self.folder, f"trace-{self.lives}")

    def points(self):
        """Of this life, so far."""
        return points(self.trace_path())


class Remains:
    """A copy of the files that a life left behind, as the next one would find them. Opening them in
    place would move the log into the file."""

    def __init__(self, store):
        self.folder = tempfile.mkdtemp(prefix="remains-")
        self.store = os.path.join(self.folder, "adapter.db")
        for suffix in ("", "-wal", "-journal"):
            if os.path.exists(store + suffix):
                shutil.copyfile(store + suffix, self.store + suffix)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def query(self, sql, *values):
        with closing(sqlite3.connect(self.store)) as store:
            return store.execute(sql, values).fetchall()

    def has_tables(self):
        return bool(self.query("SELECT 1 FROM sqlite_schema WHERE name = 'event'"))
