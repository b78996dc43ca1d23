#!/usr/bin/python3
"""Plays a story against a FHIR server: writes resources, and waits for the alerts they cause.

A story is a JSON file, a list of steps:

  {"say": "text"}
  {"put": {resource with an id}}
  {"delete": "Type/id"}
  {"wait": {"rule": "id", "status": "open|ended|retracted|none", "patient": "Patient/x"},
   "deadline": 10}

In any string, {now}, {now-2h} and {today-30d} stand for times counted from the moment the story
starts (units s, m, h, d, w). "none" means that no alert of the rule appears until the deadline.
The story ends at the first step that fails; the exit status then is 1.
"""
import argparse
import datetime
import json
import os
import re
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TIME = re.compile(r"\{(now|today)(?:([+-])(\d+)([smhdw]))?\}")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STATUSES = ("open", "ended", "retracted", "none")
DEADLINE = 60
QUIET = 2    # how long "none" is watched when no deadline is given


class StoryError(Exception):
    """A step that cannot be done; its text says why."""


def filled(value, now):
    """The value with every time word in its strings replaced."""
    if isinstance(value, dict):
        return {k: filled(v, now) for k, v in value.items()}
    if isinstance(value, list):
        return [filled(v, now) for v in value]
    return TIME.sub(lambda m: _time_word(m, now), value) if isinstance(value, str) else value


def _time_word(match, now):
    word, sign, count, unit = match.groups()
    shift = datetime.timedelta(**{UNITS[unit]: int(count)}) if unit else datetime.timedelta()
    at = now - shift if sign == "-" else now + shift
    return at.strftime("%Y-%m-%d" if word == "today" else "%Y-%m-%dT%H:%M:%SZ")


def alert_rule(issue):
    tags = issue.get("meta", {}).get("tag", [])
    return next((t.get("code") for t in tags if re.search("[/:]rule$", t.get("system", ""))), None)


def alert_status(issue):
    if issue.get("status") == "entered-in-error":
        return "retracted"
    if issue.get("status") == "final" and issue.get("identifiedPeriod", {}).get("end"):
        return "ended"
    return "open"


def holds(wanted, statuses):
    """Whether the alerts of one rule are, taken together, in the wanted status."""
    if wanted == "none":
        return not statuses
    return wanted in statuses and (wanted == "open" or "open" not in statuses)


class Server:
    """The few FHIR requests that a story needs."""

    def __init__(self, base, headers=None, ca=None):
        self.base = base.rstrip("/")
        self.headers = {"Accept": "application/fhir+json", **(headers or {})}
        self.tls = ssl.create_default_context(cafile=ca) if ca else None

    def call(self, method, url, resource=None):
        body = None if resource is None else json.dumps(resource).encode()
        headers = {**self.headers, "Cache-Control": "no-cache"}
        if body:
            headers["Content-Type"] = "application/fhir+json"
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.tls) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            raise StoryError(f"{method} {url}: {_reason(problem)}") from problem
        except OSError as problem:
            raise StoryError(f"{method} {url}: {problem}") from problem

    def put(self, resource):
        where = f"{resource['resourceType']}/{resource['id']}"
        return where, self.call("PUT", f"{self.base}/{where}", resource)[0]

    def alerts(self, patient):
        query = "?" + urllib.parse.urlencode({"patient": patient}) if patient else ""
        url, found = f"{self.base}/DetectedIssue{query}", []
        while url:
            bundle = json.loads(self.call("GET", url)[1])
            found += [e["resource"] for e in bundle.get("entry", []) if "resource" in e]
            url = next((link["url"] for link in bundle.get("link", [])
                        if link["relation"] == "next"), None)
        return found


def _reason(problem):
    """The server's own words, when it answered with an OperationOutcome."""
    try:
        issue = json.loads(problem.read())["issue"][0]
        return f"{problem.code} {issue.get('diagnostics') or issue['code']}"
    except (ValueError, KeyError, IndexError, TypeError):
        return str(problem.code)


class Story:
    def __init__(self, steps, server, out=sys.stdout):
        self.server, self.out = server, out
        self.steps = filled(steps, datetime.datetime.now(datetime.timezone.utc))
        self.colours = out.isatty() and "NO_COLOR" not in os.environ

    def play(self):
        """Does the steps in order; true when all went well."""
        for step in self.steps:
            try:
                self._step(step)
            except StoryError as problem:
                self._line("FAIL", str(problem), "31")
                return False
        return True

    def _step(self, step):
        if "say" in step:
            self._line("", step["say"], "1")
        elif "put" in step:
            where, status = self.server.put(step["put"])
            self._line("ok", f"PUT {where}: {status}", "32")
        elif "delete" in step:
            status = self.server.call("DELETE", f"{self.server.base}/{step['delete']}")[0]
            self._line("ok", f"DELETE {step['delete']}: {status}", "32")
        elif "wait" in step:
            self._wait(step["wait"], step.get("deadline"))
        else:
            raise StoryError(f"not a step: {', '.join(step) or 'empty'}")

    def _wait(self, wanted, deadline):
        rule, status = wanted["rule"], wanted["status"]
        if status not in STATUSES:
            raise StoryError(f"not a status: {status}")
        deadline = deadline or (QUIET if status == "none" else DEADLINE)
        begin = time.monotonic()
        while True:
            found = [a for a in self.server.alerts(wanted.get("patient"))
                     if alert_rule(a) == rule]
            statuses = [alert_status(a) for a in found]
            late = time.monotonic() - begin > deadline
            good = holds(status, statuses)
            # "none" is only true when it stayed true: at the first look nothing is there yet.
            if late or good != (status == "none"):
                break
            time.sleep(0.1)
        self._waited(wanted, found, statuses, good, time.monotonic() - begin)

    def _waited(self, wanted, found, statuses, good, seconds):
        rule, status = wanted["rule"], wanted["status"]
        if not good:
            seen = ", ".join(statuses) or "none"
            raise StoryError(f"{rule}: wanted {status}, after {seconds:.1f} s it is {seen}")
        self._line("ok", f"{rule}: {status} after {seconds:.1f} s", "32")
        for alert, its in zip(found, statuses):
            if its == status == "open":
                words = alert.get("code", {}).get("text") or alert.get("detail", "")
                self._line("", f"  {alert.get('severity', '')}: {words}", "33")

    def _line(self, mark, text, colour):
        if self.colours:
            mark, text = (f"\033[{colour}m{mark}\033[0m", text) if mark else (
                mark, f"\033[{colour}m{text}\033[0m")
        print(f"{mark} {text}" if mark else text, file=self.out, flush=True)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description="Plays a story against a FHIR server.")
    parser.add_argument("base", help="FHIR base URL, such as http://127.0.0.1:8080/fhir")
    parser.add_argument("story", help="JSON file with the steps")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    parser.add_argument("--ca", metavar="FILE", help="certificate to trust")
    arguments = parser.parse_args()
    headers = {name.strip(): value.strip() for name, _, value in
               (line.partition(":") for line in arguments.header)}
    story = Story(load(arguments.story), Server(arguments.base, headers, arguments.ca))
    return 0 if story.play() else 1


if __name__ == "__main__":
    sys.exit(main())
