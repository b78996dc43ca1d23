#!/usr/bin/env python3
"""make demo: a stand-in hospital, the daemon beside it, and a story of three myeloma patients.

What happens is shown as it happens: what the hospital writes, what the daemon says, and in the end
the DetectedIssues as the hospital holds them. Ends by itself; twice the same.
"""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from daemon import Daemon  # noqa: E402
from hospital import Hospital  # noqa: E402
from story import Server, Story  # noqa: E402

COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def shade(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def words(line):
    """The fields of a log line: event=posted rule=x ..."""
    fields = {}
    for part in line.split():
        key, _, value = part.partition("=")
        fields[key.split(">")[-1]] = value.strip('"')
    return fields


SHOWN = {"alert-raised": "rule fires, alert raised", "alert-updated": "alert updated",
         "alert-ended": "alert cleared", "alert-retracted": "alert retracted",
         "delivered": "alert written to the hospital", "event-in": "event in",
         "ready": "the daemon is ready"}


def on_log(line):
    fields = words(line)
    text = SHOWN.get(fields.get("event", ""))
    if not text:
        return
    more = " ".join(f"{key}={fields[key]}" for key in ("type", "id", "rule", "status")
                    if key in fields)
    print(shade("36", f"      daemon: {text} {more}"), flush=True)


def print_issue(issue):
    rule = next(t["code"] for t in issue["meta"]["tag"] if t["system"].endswith("/rule")
                or t["system"].endswith(":rule"))
    period = issue.get("identifiedPeriod", {})
    state = ("retracted" if issue["status"] == "entered-in-error"
             else "ended" if "end" in period else "open")
    print(f"\nDetectedIssue/{issue['id'][:14]}...  {shade('1', rule)}  {issue['severity']}  "
          f"{issue['patient']['reference']}  {state}")
    print("   " + issue["detail"][:400] + ("..." if len(issue["detail"]) > 400 else ""))
    implicated = ", ".join(r["reference"] for r in issue.get("implicated", []))
    evidence = ", ".join(d["reference"] for e in issue.get("evidence", []) for d in e["detail"])
    print(f"   implicated: {implicated or '-'}   evidence: {evidence or '-'}")
    for mitigation in issue.get("mitigation", []):
        action = mitigation["action"]
        print("   ended because: " + (action.get("text") or action["coding"][0]["display"]))


def main():
    steps = json.load(open(os.path.join(ROOT, "tests/stories/three-patients.json")))
    if isinstance(steps, dict):
        steps = steps["steps"]
    with tempfile.TemporaryDirectory(prefix="myeloma-demo-") as folder, Hospital() as hospital:
        print(f"A stand-in hospital speaks FHIR R4 at {hospital.base}")
        with Daemon(hospital.base, folder, on_log=on_log) as daemon:
            daemon.wait_ready()
            good = Story(steps, Server(hospital.base), out=sys.stdout).play()
        print(shade("1", "\nThe DetectedIssues as the hospital now holds them"))
        issues = hospital.resources("DetectedIssue")
        for issue in sorted(issues, key=lambda i: (i["patient"]["reference"], i["code"]["text"])):
            print_issue(issue)
    print("\n" + (f"{len(issues)} alerts; the daemon stopped cleanly" if good
                  else shade("31", "the story did not end as it should")))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
