#!/usr/bin/env python3
"""make bench: speed as a table, with ratios taken in one run. No limits: nothing fails for being slow."""
import glob
import os
import subprocess

import bench_daemon

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TESTDATA = os.path.join(os.path.dirname(ROOT), "shared", "testdata")
ROWS = []


def row(what, value, beside=""):
    ROWS.append((what, value, beside))


def figures(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    return bench_daemon.numbers(done.stdout.decode())


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


def main():
    bench_knowledge()
    bench_core()
    bench_daemon.run(row, figures)
    width = max(len(what) for what, _, _ in ROWS)
    for what, value, beside in ROWS:
        print(f"{what:<{width}}  {value:>12}  {beside}".rstrip())


if __name__ == "__main__":
    main()
