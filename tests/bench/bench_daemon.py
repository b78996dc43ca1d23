"""The daemon as a process: what it takes in, what it puts out, what it needs. Beside what waits for the
disk stands the disk's own rate, measured next to it."""
import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))

from daemon import Daemon  # noqa: E402
from hospital import Hospital  # noqa: E402
from waiting import wait_until  # noqa: E402

BENCH = os.path.join(ROOT, "build/release/bench")
MAPPINGS = os.path.join(ROOT, "mappings")
SECRET = "0123456789abcdef0123456789abcdef"
PATIENCE = 1800  # seconds; then a measurement has failed
DAY = 1_000_000  # events
CHARTS = 20_000


def numbers(text):
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def fsyncs_per_second(folder):
    """What the disk itself can do: 4 kB appended and synced, again and again."""
    path = os.path.join(folder, "fsync")
    with open(path, "wb") as file:
        start, count = time.monotonic(), 0
        while time.monotonic() - start < 0.5:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - start)


def memory_mb(daemon, name="VmRSS"):
    with open(f"/proc/{daemon.process.pid}/status", encoding="utf-8") as file:
        return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M)[1]) / 1024


def processor_s(daemon):
    with open(f"/proc/{daemon.process.pid}/stat", encoding="utf-8") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def metrics(daemon):
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/metrics", timeout=60) as reply:
        text = reply.read().decode()
    return {name: int(value) for name, value in
            re.findall(r"^myeloma_adapter_(\w+) (-?\d+)$", text, re.M)}


@contextlib.contextmanager
def life(base, folder, by="none", **settings):
    """A daemon with all mappings, without Subscriptions unless `by` says otherwise."""
    secret = os.path.join(folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write(SECRET)
    hook = {"secretFile": secret, "connections": 600, "connectionsPerPeer": 600}
    daemon = Daemon(base, folder, mappings=MAPPINGS,
                    settings={"hook": hook, "logLevel": "warn", "subscribe": {"by": by},
                              "poll": {"every": "60 s", "overlap": "120 s"}, **settings})
    with daemon:
        yield daemon


@contextlib.contextmanager
def big_hospital(events, patients, ours):
    command = [os.path.join(BENCH, "big_hospital"), str(events), str(patients), str(ours)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def asked(hospital):
    with urllib.request.urlopen(f"{hospital}/stats", timeout=60) as reply:
        return numbers(reply.read().decode())


def ready(daemon):
    wait_until(lambda: daemon.request("GET", "/ready")[0] == 200, PATIENCE, "ready")


def listening(daemon):
    def answers():
        with contextlib.suppress(OSError):
            return daemon.request("GET", "/health")[0] == 200
        return False
    wait_until(answers, PATIENCE, "/health")


# ---- taking in

def bench_accepts(row, figures):
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder, Hospital() as hospital, \
            life(hospital.base, folder) as daemon:
        listening(daemon)
        ready(daemon)
        row("resident at rest", f"{memory_mb(daemon):.1f} MB", "all mappings loaded, no patients")
        for connections, count in ((1, 2000), (8, 8000), (64, 20000), (256, 40000)):
            fsyncs = fsyncs_per_second(folder)
            f = figures(os.path.join(BENCH, "hook_bench"), daemon.config["hook"]["url"], SECRET,
                        str(count), str(connections))
            row(f"accepted durably, {connections} connections", f"{f['accepted_per_s']:.0f} /s",
                f"p50 {f['p50_ms']:.1f} ms, p99 {f['p99_ms']:.1f} ms; "
                f"{f['accepted_per_s'] / fsyncs:.1f} x the disk's {fsyncs:.0f} fsync/s")


def bench_posted(row, rate=200, seconds=20):
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder, \
            subprocess.Popen([os.path.join(BENCH, "posted_bench")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) as process:
        base = f"http://127.0.0.1:{int(process.stdout.readline())}/fhir"
        with life(base, folder, poll={"every": "600 s"}) as daemon:
            listening(daemon)
            ready(daemon)
            fsyncs = fsyncs_per_second(folder)
            out, _ = process.communicate(f"{daemon.config['hook']['url']} {SECRET} {rate} {seconds}\n")
    f = numbers(out)
    row(f"accepted to posted, {rate} events/s", f"{f['p50_ms']:.0f} ms",
        f"p99 {f['p99_ms']:.0f} ms; {f['posted']:.0f} alerts of {f['sent']:.0f} events, "
        f"each written anew; the disk {fsyncs:.0f} fsync/s")


# ---- a day of a large hospital

def bench_catchup(row):
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder, \
            big_hospital(DAY, 50_000, 100) as hospital:
        fsyncs, start = fsyncs_per_second(folder), time.monotonic()
        with life(f"{hospital}/fhir", folder) as daemon:
            listening(daemon)

            def drained():
                now = metrics(daemon)
                return (now["events_accepted_total"] >= DAY and not now["events_waiting"]
                        and not now["deliveries_waiting"])
            wait_until(drained, PATIENCE, "the end of the catch-up")
            took, peak, spent = time.monotonic() - start, memory_mb(daemon, "VmHWM"), processor_s(daemon)
        pages = asked(hospital)["pages"]
    row("catch-up of a day of 1,000,000 events", f"{DAY / took:.0f} /s",
        f"{took:.0f} s, {took / 600:.2f} x the aim of 600 s; {spent:.0f} s of processor time; "
        f"{pages / took:.0f} pages/s of 100; the disk {fsyncs:.0f} fsync/s")
    row("resident at the most meanwhile", f"{peak:.0f} MB", "500 of 50,000 patients in the cohort")


def bench_charts(row):
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder, \
            big_hospital(10 * CHARTS, CHARTS, 1) as hospital:
        fsyncs, start = fsyncs_per_second(folder), time.monotonic()
        with life(f"{hospital}/fhir", folder) as daemon:
            listening(daemon)

            def charted():
                now = metrics(daemon)
                return asked(hospital)["charts"] >= 5 * CHARTS and not now["events_waiting"]
            wait_until(charted, PATIENCE, f"{CHARTS} charts")
            took = time.monotonic() - start
            row(f"resident with {CHARTS:,} charts", f"{memory_mb(daemon):.0f} MB",
                f"at the most {memory_mb(daemon, 'VmHWM'):.0f} MB; {CHARTS / took:.0f} new charts/s, "
                f"each read whole; the file "
                f"{os.path.getsize(daemon.config['store']) / 1e6:.0f} MB; "
                f"the disk {fsyncs:.0f} fsync/s")


# ---- starting again

def fill_journal(path, count, state):
    """`count` events of 50,000 patients, waiting (0) or done (1)."""
    now = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.executemany(
            "INSERT INTO event (accepted_ms, via, change, type, id, version, patient, updated_ms,"
            " alone, keyed, state, ended_ms) VALUES (?, 1, 0, 'Observation', ?, '1', ?, ?, 0, 1, ?, ?)",
            ((now, f"r{state}-{n}", f"q{n % 50_000}", now, state, now) for n in range(count)))
        file.commit()


def bench_recovery(row):
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder:
        nowhere = "http://127.0.0.1:9/fhir"
        with life(nowhere, folder) as daemon:
            listening(daemon)
        for state, words in ((1, "done"), (0, "waiting")):
            fill_journal(daemon.config["store"], DAY, state)
            size, fsyncs = os.path.getsize(daemon.config["store"]) / 1e6, fsyncs_per_second(folder)
            start = time.monotonic()
            with life(nowhere, folder) as daemon:
                listening(daemon)
                took = time.monotonic() - start
            row(f"start with 1,000,000 events {words}" if state else "... and 1,000,000 waiting",
                f"{took:.2f} s", f"until the listener answers; a file of {size:.0f} MB; "
                f"the disk {fsyncs:.0f} fsync/s")


def run(row, figures):
    bench_accepts(row, figures)
    bench_posted(row)
    bench_recovery(row)
    bench_charts(row)
    bench_catchup(row)
