#!/usr/bin/env python3
"""make bench: speed as a table, with ratios taken in one run. No limits: nothing fails for being slow."""
import glob
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))

from daemon import Daemon  # noqa: E402
from hospital import Hospital  # noqa: E402
from waiting import wait_until  # noqa: E402

TESTDATA = os.path.join(os.path.dirname(ROOT), "shared", "testdata")
SECRET = "0123456789abcdef0123456789abcdef"
ROWS = []


def row(what, value, beside=""):
    ROWS.append((what, value, beside))


def figures(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    return {name: float(value) for name, value in
            (line.split() for line in done.stdout.decode().splitlines())}


def largest_bundle():
    import gzip
    best = None
    for path in glob.glob(os.path.join(TESTDATA, "synthea-*/*.json.gz")):
        size = len(gzip.open(path).read())
        if best is None or size > best[0]:
            best = (size, path)
    return best[1] if best else None


def bench_knowledge():
    f = figures("build/release/bench/eval_bench")
    all_us, rules = f["orders_50_us"], f["rules"]
    row("load all mappings", f"{f['load_ms']:.0f} ms",
        f"{f['load_ms'] / 300:.1f} x the aim of 300 ms; {rules:.0f} rules")
    row("memory of all mappings", f"{f['load_mb']:.0f} MB",
        f"{f['load_mb'] / 60:.1f} x the aim of 60 MB; growth of the resident set")
    row("evaluate all rules", f"{all_us:.0f} us",
        f"{all_us / 100:.1f} x the aim of 100 us; 50 orders, 500 results")
    row("a rule that has no drug in the chart", f"{1000 * f['orders_0_us'] / rules:.0f} ns",
        f"all {rules:.0f} in {f['orders_0_us']:.0f} us; a chart without orders")
    for part, words in ((4, "the first quarter of the rules"), (2, "the first half of the rules")):
        row(words, f"{f[f'rules_{part}th_us']:.0f} us",
            f"{f[f'rules_{part}th_us'] / all_us:.2f} x all rules; 50 orders, 500 results")
    for orders in (100, 200):
        row(f"{orders} orders, {10 * orders} results", f"{f[f'orders_{orders}_us']:.0f} us",
            f"{f[f'orders_{orders}_us'] / all_us:.1f} x the time, {orders // 50} x the chart; "
            "what is more is history")


def bench_core():
    bundle = largest_bundle()
    f = figures("build/release/bench/core_bench", *([bundle] if bundle else []))
    if not bundle:
        row("replay", "skipped", "no public test data beside the project")
        return
    row("replay of the largest public bundle", f"{f['replay_mb_s']:.0f} MB/s",
        f"{f['replay_mb_s'] / f['jansson_parse_mb_s']:.1f} x jansson's plain parse "
        f"({f['jansson_parse_mb_s']:.0f} MB/s, {f['bundle_mb']:.1f} MB)")
    row("our plain parse of the same bytes", f"{f['doc_parse_mb_s']:.0f} MB/s",
        f"{f['doc_parse_mb_s'] / f['jansson_parse_mb_s']:.1f} x jansson's")


def fsyncs_per_second(folder):
    """What the disk itself can do: the yardstick for durable commits."""
    path = os.path.join(folder, "fsync")
    with open(path, "wb") as file:
        start, count = time.monotonic(), 0
        while time.monotonic() - start < 0.5:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.monotonic() - start)


def resident_mb(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


def story_patient(hospital, number):
    patient = f"l{number}"
    hospital.put({"resourceType": "Patient", "id": patient, "gender": "female",
                  "birthDate": "1956-01-01"})
    for serial, code in enumerate(("342369", "3264")):
        hospital.put({"resourceType": "MedicationRequest", "id": f"{patient}-m{serial}",
                      "status": "active", "intent": "order", "authoredOn": "2026-01-01",
                      "subject": {"reference": f"Patient/{patient}"},
                      "medicationCodeableConcept":
                          coded("http://www.nlm.nih.gov/research/umls/rxnorm", code)})
    return patient


def bench_latency(hospital, daemon):
    took = []
    for number in range(15):
        patient = story_patient(hospital, number)
        wait_until(lambda p=patient: any(i["patient"]["reference"] == f"Patient/{p}"
                                         for i in hospital.resources("DetectedIssue")),
                   deadline=20, what="the prophylaxis gap")
        seen = len(hospital.resources("DetectedIssue"))
        start = time.monotonic()
        hospital.put({"resourceType": "Observation", "id": f"{patient}-o", "status": "final",
                      "code": coded("http://loinc.org", "751-8"),
                      "subject": {"reference": f"Patient/{patient}"},
                      "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                      "valueQuantity": {"value": 0.7, "system": "http://unitsofmeasure.org",
                                        "code": "10*9/L"}})
        wait_until(lambda n=seen: len(hospital.resources("DetectedIssue")) > n, deadline=20,
                   what="the hold")
        took.append((time.monotonic() - start) * 1000)
    row("result written to DetectedIssue there", f"{statistics.median(took):.0f} ms",
        f"worst of 15: {max(took):.0f} ms; stand-in hospital, push")


def bench_daemon():
    with tempfile.TemporaryDirectory(prefix="myeloma-bench-") as folder, Hospital() as hospital:
        secret = os.path.join(folder, "secret")
        with open(secret, "w") as file:
            file.write(SECRET)
        settings = {"hook": {"secretFile": secret}, "logLevel": "warn",
                    "poll": {"every": "60 s", "subscriptions": "60 s"}}
        settings["logLevel"] = "info"
        with Daemon(hospital.base, folder, settings=settings) as daemon:
            daemon.wait_ready()
            wait_until(lambda: all(s == "active" for s in
                                   hospital.state()["subscriptions"].values()), deadline=10,
                       what="active subscriptions")
            row("resident at rest", f"{resident_mb(daemon.process.pid):.1f} MB", "")
            bench_latency(hospital, daemon)
            fsyncs = fsyncs_per_second(folder)
            row("this disk", f"{fsyncs:.0f} fsync/s", "the yardstick for the next rows")
            for in_flight, count in ((1, 2000), (8, 8000), (64, 20000)):
                f = figures("build/release/bench/hook_bench", daemon.config["hook"]["url"], SECRET,
                            str(count), str(in_flight))
                row(f"notifications accepted, {in_flight} in flight",
                    f"{f['accepted_per_s']:.0f} /s",
                    f"p50 {f['p50_ms']:.1f} ms, p99 {f['p99_ms']:.1f} ms; "
                    f"{f['accepted_per_s'] / fsyncs:.1f} x the disk's fsync rate")
            row("resident after 30,000 notifications",
                f"{resident_mb(daemon.process.pid):.1f} MB", "")


def main():
    bench_knowledge()
    bench_core()
    bench_daemon()
    width = max(len(what) for what, _, _ in ROWS)
    for what, value, beside in ROWS:
        print(f"{what:<{width}}  {value:>12}  {beside}")


if __name__ == "__main__":
    main()
