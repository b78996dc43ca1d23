#!/usr/bin/python3
"""A stand-in hospital: a small in-memory FHIR R4 server that can also misbehave.

It serves the demo and the tests. Well-behaved, it follows the FHIR R4 REST rules and notifies in
the manner of HAPI, Medplum or the Subscriptions Backport. Told to, it shows what only a bad day
in production shows: lost answers, nineteen copies of a notification, a `next` link that loops.
Everything is in memory, on the loopback address, and needs only the Python standard library.

Misbehaviour is switched by methods of Hospital or by POST /_control with the same words:

  {"fail": {"method": "PUT", "path": "DetectedIssue/", "times": 2, "answer": 503,
            "headers": {"Retry-After": "1"}, "body": ..., "delay": 0.5, "done": false}}
      answer: a status, "reset", "reset-after", "slow", "garbage", "truncated", "cut", or absent
      (delay only). done: do the request first, then give that answer. times: absent = for ever.
  {"deliveries": {"drop": {"fraction": 0.3}, "duplicate": {"copies": 19, "times": 1},
                  "reorder": {"hold": 5, "within": 1}, "stale": {}, "delay": {"seconds": 2}}}
      each may carry "times" and "fraction"; null switches one off
  {"subscription": {"id": "1000", "status": "error", "error": "text", "criteria": "Patient?",
                    "delete": true}}
  {"stuck_requested": true}   {"clock": {"date_skew": 90, "stamp_skew": 0}}
  {"paging": {"mode": "loop|elsewhere|expired|relative|bogus", "times": 1, "origin": "http://..."}}
  {"options": {"update_create": false, ...}}   {"release": true}   {"restart": true}
  {"reset": true}
GET /_control/state, /_control/resources?type=T and /_control/history?type=T show what happened.
"""
import argparse
import base64
import contextlib
import copy
import dataclasses
import datetime
import email.utils
import hmac
import http
import http.client
import json
import queue
import random
import re
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import uuid
from collections import Counter, OrderedDict
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hospital_socket import Sockets


FHIR_JSON = "application/fhir+json;charset=UTF-8"
TYPES = tuple("""
    AllergyIntolerance Basic Binary CarePlan Communication Condition Coverage Device
    DetectedIssue DiagnosticReport DocumentReference Encounter Flag Group Immunization List
    Location Medication MedicationAdministration MedicationDispense MedicationRequest
    MedicationStatement Observation Organization Patient Practitioner PractitionerRole Procedure
    Provenance RelatedPerson ServiceRequest Specimen Subscription Task""".split())
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
EXT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
HAPI_EXT = "http://hapifhir.io/fhir/StructureDefinition/"
MEDPLUM_SECRET = "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"

# What a server of style backport lists in its CapabilityStatement: every change of a type.
TOPICS = {f"http://hospital.example/topics/{name}": rtype for name, rtype in
          (("medication-request", "MedicationRequest"), ("observation", "Observation"),
           ("condition", "Condition"))}


@dataclasses.dataclass
class Options:
    """What kind of server this is. None of it is misbehaviour: real servers differ so."""
    style: str = "hapi"                   # hapi, medplum or backport
    software: str = "Stand-in hospital"   # what the CapabilityStatement calls it
    update_create: bool = True
    conditional_create: bool = True       # off: If-None-Exist is ignored, as some servers do
    false_conditional_create: bool = False    # it is promised, and ignored all the same
    versioning: str = "versioned-update"  # or "versioned", "no-version"
    require_if_match: bool = False
    type_history: bool = True
    without: tuple = ()                   # resource types that this server does not offer
    topics: tuple = tuple(TOPICS)         # what a server of style backport lists
    heartbeats: bool = True               # style backport: sent, if a subscription asks for them
    status_operation: bool = True         # ... $status
    events_operation: str = "GET"         # ... $events: "GET", "POST" alone, or "" for none
    events_most: int = 1000               # ... how many it gives at once
    page_size: int = 20
    max_page_size: int = 200
    search_cache_seconds: float = 0       # HAPI answers from a 60 s old search unless no-cache
    activation_delay: float = 0.02
    consumers: int = 1                    # HAPI has 2 per subscription, which reorders by itself
    retry_seconds: float = 3
    retry_first: float = 0.1
    websocket: bool = False               # Subscriptions by WebSocket are switched on
    token: str = ""
    basic: str = ""                       # user:password


class FhirError(Exception):
    """An answer other than success, with its OperationOutcome."""

    def __init__(self, status, code, text, headers=None):
        super().__init__(text)
        self.status, self.code, self.text, self.headers = status, code, text, headers or {}

    def response(self):
        return Response(self.status, dump(outcome("error", self.code, self.text)), self.headers)


def outcome(severity, code, text):
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


# JSON. Decimals keep their digits, because 1.0 and 1.00 are different results in FHIR.

class Raw(str):
    """Text that is JSON already."""


def load(text):
    def refuse(word):
        raise ValueError("not JSON: " + word)
    return json.loads(text, parse_float=Decimal, parse_constant=refuse)


def dump(value, sort=False):
    if isinstance(value, (Raw, Decimal)):
        return str(value)
    if isinstance(value, dict):
        items = sorted(value.items()) if sort else value.items()
        return "{%s}" % ",".join(json.dumps(k) + ":" + dump(v, sort) for k, v in items)
    if isinstance(value, (list, tuple)):
        return "[%s]" % ",".join(dump(v, sort) for v in value)
    return json.dumps(value, ensure_ascii=False)


def _bytes(text):
    return text.encode(errors="replace")   # JSON can name half a character; UTF-8 cannot


# Time. Stamps are whole milliseconds since 1970; intervals are in microseconds.

def now_ms():
    return time.time_ns() // 1_000_000


def instant(ms):
    seconds, rest = divmod(ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
                   r"(Z|[+-]\d\d:\d\d)?)?)?)?\Z")


def interval(text):
    """A FHIR date or dateTime as [start, end) in microseconds: a day is a whole day."""
    found = _DATE.match(text)
    if not found:
        raise FhirError(400, "invalid", f"not a date or time: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        start = datetime.datetime(int(year), int(month or 1), int(day or 1), int(hour or 0),
                                  int(minute or 0), int(second or 0), tzinfo=_zone(zone))
        end = start + _width(start, month, day, hour, second)
    except (ValueError, OverflowError) as problem:
        raise FhirError(400, "invalid", f"{text!r}: {problem}") from problem
    if fraction:
        begin = int(start.timestamp()) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
        return begin, begin + 10 ** max(6 - len(fraction), 0)
    return int(start.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000


def _zone(text):
    if text in (None, "Z"):
        return datetime.timezone.utc
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return datetime.timezone(datetime.timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _width(start, month, day, hour, second):
    if second:
        return datetime.timedelta(seconds=1)
    if hour:
        return datetime.timedelta(minutes=1)
    if day:
        return datetime.timedelta(days=1)
    if month:
        return (start.replace(day=1) + datetime.timedelta(days=32)).replace(day=1) - start
    return start.replace(year=start.year + 1) - start


# The store

@dataclasses.dataclass(frozen=True)
class Version:
    type: str
    id: str
    number: int
    vid: str
    when: int         # milliseconds
    method: str       # POST, PUT or DELETE
    resource: dict    # None: deleted
    text: str

    @property
    def reference(self):
        return f"{self.type}/{self.id}"


class Store:
    """Every version of every resource. The caller holds the lock."""

    def __init__(self):
        self.lock = threading.RLock()
        self.items = {}     # type -> id -> versions
        self.log = []       # versions in the order of writing
        self.last = 0
        self.next_id = 1000
        self.skew = 0

    def now(self):
        return max(now_ms() + int(self.skew * 1000), self.last)

    def versions(self, rtype, rid):
        return self.items.get(rtype, {}).get(rid, [])

    def latest(self, rtype, rid):
        versions = self.versions(rtype, rid)
        return versions[-1] if versions else None

    def current(self, rtype):
        """The living resources of a type, oldest first."""
        heads = (versions[-1] for versions in self.items.get(rtype, {}).values())
        return [head for head in heads if head.resource is not None]

    def new_id(self, rtype, unguessable):
        if unguessable:
            return str(uuid.uuid4())
        while self.latest(rtype, str(self.next_id)):
            self.next_id += 1
        self.next_id += 1
        return str(self.next_id - 1)

    def write(self, rtype, rid, content, method, stamp="number"):
        """content None deletes. stamp: number, uuid or none, the form of meta.versionId."""
        versions = self.items.setdefault(rtype, {}).setdefault(rid, [])
        number = len(versions) + 1
        vid = str(uuid.uuid4()) if stamp == "uuid" else str(number)
        # Two writes in one millisecond still get different stamps, so that a poll can sort.
        self.last = max(now_ms() + int(self.skew * 1000), self.last + 1)
        resource = content and _stamped(content, rid, vid if stamp != "none" else None, self.last)
        version = Version(rtype, rid, number, vid, self.last, method, resource,
                          Raw(dump(resource)) if resource else "")
        versions.append(version)
        self.log.append(version)
        return version

    def undo(self, mark):
        """Takes back every write since the log had `mark` entries."""
        while len(self.log) > mark:
            version = self.log.pop()
            versions = self.items[version.type][version.id]
            versions.pop()
            if not versions:
                del self.items[version.type][version.id]


def _stamped(content, rid, vid, when):
    meta = dict(content.get("meta", {}))
    if vid is not None:
        meta["versionId"] = vid
    meta["lastUpdated"] = instant(when)
    head = {"resourceType": content["resourceType"], "id": rid, "meta": meta}
    rest = {k: v for k, v in content.items() if k not in head}
    return copy.deepcopy({**head, **rest})


def same_content(one, other):
    """Whether two resources differ only in what the server stamps."""
    def bare(resource):
        meta = {k: v for k, v in resource.get("meta", {}).items()
                if k not in ("versionId", "lastUpdated")}
        rest = {k: v for k, v in resource.items() if k not in ("meta", "id")}
        return dump([meta, rest], sort=True)
    return bare(one) == bare(other)


# Search

# kind and element of each parameter; "a|b" means the first that is there
GENERIC = {
    "identifier": "token identifier", "status": "token status", "category": "token category",
    "code": "token code|medicationCodeableConcept", "url": "uri url",
    "patient": "patient subject|patient|for|beneficiary", "subject": "reference subject",
    "intent": "token intent", "clinical-status": "token clinicalStatus",
    "verification-status": "token verificationStatus",
    "medication": "reference medicationReference",
}
PARAMETERS = {
    # What R4 has, and no more: DetectedIssue has neither `status` nor `subject` before R5.
    "DetectedIssue": {
        "identifier": "token identifier", "code": "token code", "patient": "patient patient",
        "implicated": "reference implicated", "author": "reference author"},
    "Subscription": {
        "url": "uri channel.endpoint", "criteria": "string criteria", "status": "token status",
        "type": "token channel.type", "payload": "token channel.payload"},
    "Patient": {"identifier": "token identifier"},
}
EVERYWHERE = {"_id": "token id", "_tag": "token meta.tag", "_lastUpdated": "date"}
CONTROL = {"_sort", "_count", "_summary", "_total", "_format", "_pretty", "_elements"}


class Search:
    """A query string, compiled: which parameters were honoured, and what matches."""

    def __init__(self, rtype, pairs, strict=False):
        self.tests, self.honoured, self.control, self.ignored = [], [], {}, []
        for name, value in pairs:
            if value == "":
                continue
            if name in CONTROL:
                self.control[name] = value
            elif not self._add(rtype, name, value):
                self.ignored.append(name)
                continue
            self.honoured.append((name, value))
        if strict and self.ignored:
            raise FhirError(400, "not-supported",
                            f"unknown search parameter for {rtype}: {', '.join(self.ignored)}")

    def _add(self, rtype, name, value):
        plain, _, modifier = name.partition(":")
        spec = {**PARAMETERS.get(rtype, GENERIC), **EVERYWHERE}.get(plain)
        if spec is None:
            return False
        kind, _, path = spec.partition(" ")
        if modifier and not (modifier == "not" and kind == "token"):
            raise FhirError(400, "not-supported", f"modifier not supported: {name}")
        wanted = [_unescape(part) for part in re.split(r"(?<!\\),", value)]
        if kind == "date":
            wanted = [_date_test(part) for part in wanted]
        match = _MATCHERS[kind]
        self.tests.append(lambda v: match(v, path, wanted) != bool(modifier))
        return True

    def matches(self, version):
        return all(test(version) for test in self.tests)


def query_pairs(query):
    return urllib.parse.parse_qsl(query, keep_blank_values=True)


def _unescape(text):
    return re.sub(r"\\([,$\\])", r"\1", text)   # \| is left for the token matcher


def _elements(resource, paths):
    for path in paths.split("|"):
        found = [resource]
        for name in path.split("."):
            values = [item[name] for item in found if isinstance(item, dict) and name in item]
            found = [x for v in values for x in (v if isinstance(v, list) else [v])]
        if found:
            return found
    return []


def _codings(value):
    """(system, code) pairs; system None where the element has no system of its own."""
    if isinstance(value, dict) and "coding" in value:
        return [(c.get("system", ""), c.get("code")) for c in value["coding"]]
    if isinstance(value, dict):
        return [(value.get("system", ""), value.get("code", value.get("value")))]
    return [(None, value if isinstance(value, str) else json.dumps(value))]


def _token(version, path, wanted):
    have = [pair for value in _elements(version.resource, path) for pair in _codings(value)]
    return any(_token_match(pair, want) for pair in have for want in wanted)


def _token_match(pair, want):
    system, bar, code = want.replace("\\|", "\0").rpartition("|")
    system, code = system.replace("\0", "|"), code.replace("\0", "|")
    if bar and pair[0] is not None and pair[0] != system:
        return False
    return code == pair[1] or (bool(bar) and not code)


def _reference(version, path, wanted, default=""):
    have = {_local(value.get("reference", "")) for value in _elements(version.resource, path)
            if isinstance(value, dict)}
    for want in wanted:
        want = _local(want) if "/" in want else default + want
        if want in have or ("/" not in want and any(h.endswith("/" + want) for h in have)):
            return True
    return False


def _local(reference):
    """Type/id of a literal reference, whatever stands before and after it."""
    found = re.search(r"([A-Z]\w+/[A-Za-z0-9\-.]{1,64})(/_history/[^/]+)?\Z", reference)
    return found.group(1) if found else reference


def _patient(version, path, wanted):
    return _reference(version, path, wanted, "Patient/")


def _uri(version, path, wanted):
    return any(value in wanted for value in _elements(version.resource, path))


def _string(version, path, wanted):
    return any(value.lower().startswith(want.lower())
               for value in _elements(version.resource, path) for want in wanted)


def _date(version, _path, wanted):
    return any(test(version.when * 1000) for test in wanted)


def _date_test(text):
    prefix = text[:2] if text[:2].isalpha() else ""
    start, end = interval(text[len(prefix):])
    tests = {"": lambda at: start <= at < end, "ne": lambda at: not start <= at < end,
             "ge": lambda at: at >= start, "gt": lambda at: at >= end,
             "le": lambda at: at < end, "lt": lambda at: at < start}
    tests.update(eq=tests[""], sa=tests["gt"], eb=tests["lt"])
    if prefix not in tests:
        raise FhirError(400, "not-supported", f"prefix not supported: {text}")
    return tests[prefix]


_MATCHERS = {"token": _token, "reference": _reference, "patient": _patient, "uri": _uri,
             "string": _string, "date": _date}


# Misbehaviour

@dataclasses.dataclass
class RequestFault:
    method: str = ""      # empty: any
    path: str = ""        # a regular expression, searched for in path and query
    times: int = None     # None: until reset
    answer: object = None
    headers: dict = dataclasses.field(default_factory=dict)
    body: object = None
    delay: float = 0      # before the answer, after the work
    pause: float = 0.002  # between bytes, when slow
    done: bool = False

    WIRE = ("reset", "reset-after", "slow", "garbage", "truncated", "cut")

    def __post_init__(self):
        if not (self.answer is None or isinstance(self.answer, int) or self.answer in self.WIRE):
            raise ValueError(f"no such answer: {self.answer!r}")
        re.compile(self.path)

    def fits(self, request):
        return (self.method in ("", request.method) and self.times != 0
                and re.search(self.path, request.target) is not None)

    def does_the_work(self):
        return self.done or self.answer in (None, "reset-after", "slow", "truncated", "cut")


@dataclasses.dataclass
class DeliveryFault:
    times: int = None
    fraction: float = 1.0
    copies: int = 19      # duplicate: how often it arrives in all
    hold: int = 5         # reorder: how many are held and shuffled
    within: float = 1.0   # reorder: held no longer than this
    seconds: float = 1.0  # delay
    seed: int = 1

    KINDS = ("drop", "duplicate", "reorder", "stale", "delay")

    def __post_init__(self):
        self.random = random.Random(self.seed)


@dataclasses.dataclass
class PagingFault:
    mode: str
    times: int = None
    origin: str = "http://127.0.0.1:9"

    MODES = ("loop", "elsewhere", "expired", "relative", "bogus")

    def __post_init__(self):
        if self.mode not in self.MODES:
            raise ValueError(f"no such paging mode: {self.mode!r}")


class Faults:
    """What is switched on, and how often it may still happen."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        with self.lock:
            self.requests, self.deliveries, self.paging = [], {}, None
            self.stuck_requested, self.date_skew = False, 0

    def request(self, request):
        with self.lock:
            fault = next((f for f in self.requests if f.fits(request)), None)
            return fault and self._use(fault)

    def delivery(self, kind):
        with self.lock:
            fault = self.deliveries.get(kind)
            if fault is None or fault.random.random() >= fault.fraction:
                return None
            return self._use(fault)

    def page(self, *modes):
        with self.lock:
            fault = self.paging
            return self._use(fault) if fault and fault.mode in modes else None

    @staticmethod
    def _use(fault):
        if fault.times == 0:
            return None
        if fault.times is not None:
            fault.times -= 1
        return fault


# Requests and responses

class Request:
    def __init__(self, method, target, headers=None, body=b"", base=""):
        self.method, self.target, self.body, self.base = method, target, body, base
        self.headers = {k.lower(): v for k, v in (headers or {}).items()}
        self.path, _, self.query = target.partition("?")
        self.assigned_id = None

    def parts(self):
        return [urllib.parse.unquote(p) for p in self.path.split("/") if p][1:]

    def resource(self):
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("application/fhir+json", "application/json"):
            raise FhirError(415, "not-supported", f"content type not supported: {kind!r}")
        try:
            resource = load(self.body)
        except (RecursionError, ValueError) as problem:
            raise FhirError(400, "structure", f"not JSON: {problem}") from problem
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise FhirError(400, "structure", "not a resource: no resourceType")
        return resource

    def prefers(self, what):
        return what in self.headers.get("prefer", "").replace(" ", "")


@dataclasses.dataclass
class Response:
    status: int
    body: str = ""
    headers: dict = dataclasses.field(default_factory=dict)
    content_type: str = FHIR_JSON
    wire: str = ""        # how it goes out: "", reset, slow or cut
    pause: float = 0


@dataclasses.dataclass
class Page:
    """A search result that was frozen when it was asked for, as HAPI does."""
    kind: str
    versions: list
    size: int
    self_link: str


# Subscriptions

@dataclasses.dataclass
class Job:
    """One notification on its way."""
    subscription: str
    version: Version
    number: int
    epoch: int


def is_topic(subscription):
    return bool(re.match(r"(https?|urn):", subscription.get("criteria", "")))


def criteria_match(subscription, version, content):
    """content is the version whose elements count: for a deletion, the one before."""
    if is_topic(subscription):
        filters = _topic_filters(subscription)
        mine = [f for f in filters if f.partition("?")[0] == version.type]
        if not filters and subscription["criteria"] in TOPICS:
            return version.type == TOPICS[subscription["criteria"]]
        if not filters:
            return version.type != "Subscription"
        return bool(mine) and all(_query_match(f, version, content) for f in mine)
    criteria = subscription["criteria"]
    if criteria.startswith("["):
        types = criteria.strip("[]").split(",")
        return version.type in types or (types == ["*"] and version.type != "Subscription")
    return _query_match(criteria, version, content)


def _query_match(criteria, version, content):
    rtype, _, query = criteria.partition("?")
    return rtype == version.type and Search(rtype, query_pairs(query)).matches(content)


def _topic_filters(subscription):
    extensions = subscription.get("_criteria", {}).get("extension", [])
    return [e["valueString"] for e in extensions
            if e.get("url") == EXT + "backport-filter-criteria"]


def heartbeat_seconds(subscription):
    extensions = subscription.get("channel", {}).get("extension", [])
    return next((e["valueUnsignedInt"] for e in extensions
                 if e.get("url") == EXT + "backport-heartbeat-period"), 0)


def topic_content(subscription):
    extensions = subscription.get("channel", {}).get("_payload", {}).get("extension", [])
    return next((e["valueCode"] for e in extensions
                 if e.get("url") == EXT + "backport-payload-content"), "full-resource")


def check_subscription(subscription):
    """What HAPI and strict validation refuse when a Subscription is stored."""
    channel = subscription.get("channel")
    missing = [name for name in ("status", "reason", "criteria") if not subscription.get(name)]
    if missing or not isinstance(channel, dict):
        raise FhirError(422, "required", f"Subscription lacks {', '.join(missing or ['channel'])}")
    if channel.get("type") == "rest-hook" and not channel.get("endpoint"):
        raise FhirError(422, "required", "a rest-hook Subscription needs channel.endpoint")
    criteria = subscription["criteria"]
    if is_topic(subscription) or re.fullmatch(r"\[(\*|\w+(,\w+)*)\]", criteria):
        return
    rtype, mark, query = criteria.partition("?")
    if not mark or rtype not in TYPES or Search(rtype, query_pairs(query)).ignored:
        raise FhirError(422, "value", f"Subscription.criteria not understood: {criteria}")


class Notifier:
    """Activates subscriptions and delivers to them, each with a queue of its own."""

    def __init__(self, hospital):
        self.hospital, self.store, self.faults = hospital, hospital.store, hospital.faults
        self.counts = Counter()
        self.lock = threading.Lock()
        self.epoch = 0
        self.queues = {}
        self.held = []
        self.events = {}       # subscription id -> versions in the order of their numbers
        self.beating = set()   # subscription ids whose heart has been started
        self.timers = {}       # timer -> what to do when it is cancelled
        self.stopping = threading.Event()

    # life

    def start(self):
        self.stopping.clear()
        with self.store.lock:
            for version in self.store.current("Subscription"):
                self._subscription_changed(version)

    def stop(self):
        self.stopping.set()
        self.restart()
        with self.lock:
            timers, self.timers = self.timers, {}
            queues, self.queues = self.queues, {}
            self.beating.clear()
        for timer, cancelled in timers.items():
            timer.cancel()
            cancelled()
        for line in queues.values():
            line.put(None)

    def restart(self):
        """As after a crash of the server: what was queued is gone, event numbers begin anew."""
        with self.lock:
            self.epoch += 1
            self.events = {}
            held, self.held = self.held, []
        for _ in held:
            self._finish("lost")

    def later(self, seconds, work, cancelled=lambda: None):
        def run():
            with self.lock:
                mine = self.timers.pop(timer, None)
            if mine:
                work()
        timer = threading.Timer(max(seconds, 0), run)
        timer.daemon = True
        with self.lock:
            self.timers[timer] = cancelled
        timer.start()

    # what a change sets off; the store's lock is held

    def changed(self, version):
        if version.type == "Subscription":
            self._subscription_changed(version)
        content = version
        if version.resource is None:
            content = self.store.versions(version.type, version.id)[version.number - 2]
        for head in self.store.current("Subscription"):
            itself = head.reference == version.reference
            if not itself and self._listens(head.resource, version, content):
                self._event(head, version)

    def _listens(self, subscription, version, content):
        topic = is_topic(subscription)
        if topic and self.hospital.options.style != "backport":
            return False   # HAPI R4 accepts a topic subscription, activates it and never fires
        counted = ("active", "error") if topic else ("active",)
        if subscription["status"] not in counted or self._ended(subscription):
            return False
        return criteria_match(subscription, version, content)

    def _event(self, head, version):
        with self.lock:
            events = self.events.setdefault(head.id, [])
            events.append(version)
            job = Job(head.id, version, len(events), self.epoch)
        if head.resource["status"] == "active" and self._wanted(head.resource, version):
            self._post(job)

    def _wanted(self, subscription, version):
        """Deletions: Medplum and topics tell, HAPI only with an extension inside channel."""
        if version.resource is not None or is_topic(subscription):
            return True
        if self.hospital.options.style == "medplum":
            return True
        extensions = subscription["channel"].get("extension", [])
        return any(e.get("url") == HAPI_EXT + "subscription-send-delete-messages"
                   and e.get("valueBoolean") for e in extensions)

    def _subscription_changed(self, version):
        if version.resource is None:
            return
        if version.resource.get("end"):
            left = interval(version.resource["end"])[0] / 1e6 - self.store.now() / 1e3
            self.later(min(left, threading.TIMEOUT_MAX), lambda: self._end(version.id))
        self._beat_begin(version)
        channel = version.resource["channel"]
        # HAPI leaves a channel type that is not switched on `requested` for ever.
        known = ("rest-hook", "websocket") if self.hospital.options.websocket else ("rest-hook",)
        asked = version.resource["status"] == "requested" and channel.get("type") in known
        if asked and self.hospital.options.style != "medplum":
            self.later(self.hospital.options.activation_delay, lambda: self._activate(version))

    # heartbeats: in every period without a notification, one that says that all is well

    def _beat_begin(self, version):
        seconds = heartbeat_seconds(version.resource)
        if seconds and self._has_handshake(version.resource) and version.id not in self.beating:
            self.beating.add(version.id)
            self.later(seconds, lambda: self._beat(version.id))

    def _beat(self, sid):
        with self.store.lock:
            head = self.store.latest("Subscription", sid)
        if self.stopping.is_set() or head is None or head.resource is None:
            self.beating.discard(sid)
            return
        if self.hospital.options.heartbeats and head.resource["status"] in ("active", "error"):
            self._count("heartbeats")
            self._send(*self._topic_request(head.resource, self.bundle(head, "heartbeat", [])))
        self.later(heartbeat_seconds(head.resource) or 1, lambda: self._beat(sid))

    def _ended(self, subscription):
        end = subscription.get("end")
        return bool(end) and interval(end)[0] // 1000 <= self.store.now()

    def _end(self, sid):
        with self.store.lock:
            head = self.store.latest("Subscription", sid)
            if head and head.resource and self._ended(head.resource):
                self.hospital.delete("Subscription", sid)

    def _activate(self, version):
        if self.faults.stuck_requested:
            self._count("stuck")
            return
        change = {"status": "active"}
        if self._has_handshake(version.resource) and not self._handshake(version):
            change = {"status": "error", "error": "handshake failed"}
        with self.store.lock:
            if self.store.latest("Subscription", version.id) is version:
                self.hospital.change_subscription(version.id, **change)

    def _has_handshake(self, subscription):
        return self.hospital.options.style == "backport" and is_topic(subscription) and \
            subscription["channel"].get("type") != "websocket"

    def _handshake(self, version):
        bundle = self.bundle(version, "handshake", [])
        return _success(self._send(*self._topic_request(version.resource, bundle)))

    # queueing, with the delivery faults

    def _post(self, job):
        self._count("queued")
        if self.faults.delivery("drop"):
            self._finish("dropped")
            return
        if self.faults.delivery("stale"):
            job.version = self._previous(job.version)
        twins = self.faults.delivery("duplicate")
        copies = twins.copies if twins else 1
        self._count("queued", copies - 1)
        for _ in range(copies):
            self._delay(dataclasses.replace(job))

    def _previous(self, version):
        older = self.store.versions(version.type, version.id)[:version.number - 1]
        return older[-1] if older and older[-1].resource is not None else version

    def _delay(self, job):
        slow = self.faults.delivery("delay")
        if slow:
            self.later(slow.seconds, lambda: self._hold(job), lambda: self._finish("lost"))
        else:
            self._hold(job)

    def _hold(self, job):
        fault = self.faults.delivery("reorder")
        if fault is None:
            self._enqueue(job)
            return
        with self.lock:
            self.held.append(job)
            full, first = len(self.held) >= fault.hold, len(self.held) == 1
        if full:
            self.release(fault.random)
        elif first:
            self.later(fault.within, lambda: self.release(fault.random))

    def release(self, chance=random):
        """Lets the held deliveries go, in an order that is not the one they came in."""
        with self.lock:
            jobs, self.held = self.held, []
        order = list(range(len(jobs)))
        while len(jobs) > 1 and order == sorted(order):
            chance.shuffle(order)
        for index in order:
            self._enqueue(jobs[index])

    def _enqueue(self, job):
        with self.lock:
            line = self.queues.get(job.subscription)
            fresh = line is None
            if fresh:
                line = self.queues[job.subscription] = queue.Queue()
        line.put(job)
        for _ in range(self.hospital.options.consumers if fresh else 0):
            threading.Thread(target=self._consume, args=(line,), daemon=True).start()

    # delivering

    def _consume(self, line):
        while (job := line.get()) is not None:
            self._finish(self._deliver(job))
        line.put(None)   # for the other consumers of this queue

    def _deliver(self, job):
        """Tries until it succeeds or the time for retries is over; says how it ended."""
        options = self.hospital.options
        begin, pause = time.monotonic(), options.retry_first
        while True:
            head = self._alive(job)
            if head is None:
                return "lost"
            if self._attempt(head, job):
                return "succeeded"
            if time.monotonic() + pause > begin + options.retry_seconds:
                self._give_up(head)
                return "given_up"
            self.stopping.wait(pause)
            pause *= 1.1

    def _alive(self, job):
        with self.store.lock:
            head = self.store.latest("Subscription", job.subscription)
        gone = head is None or head.resource is None or head.resource["status"] != "active"
        return None if gone or job.epoch != self.epoch else head

    def _give_up(self, head):
        """HAPI says nothing and leaves the subscription active; the Backport marks the error."""
        if self._has_handshake(head.resource):
            self.hospital.change_subscription(head.id, status="error", error="delivery failed")

    def _attempt(self, head, job):
        self._count("tried")
        subscription = head.resource
        if subscription["channel"].get("type") == "websocket":
            return self.hospital.sockets.tell(head, job)
        if is_topic(subscription):
            bundle = self.bundle(head, "event-notification", [(job.number, job.version)])
            status = self._send(*self._topic_request(subscription, bundle))
        elif self.hospital.options.style == "medplum":
            status = self._send(*self._medplum_request(head, job.version))
        else:
            status = self._send(*self._hapi_request(subscription, job.version))
            if status and not subscription["channel"].get("payload"):
                return True   # HAPI does not look at the answer to an empty POST
        return _success(status)

    @staticmethod
    def _hapi_request(subscription, version):
        channel = subscription["channel"]
        headers = dict(line.split(":", 1) for line in channel.get("header", []) if ":" in line)
        if not channel.get("payload"):
            return "POST", channel["endpoint"], headers, ""
        url = f"{channel['endpoint'].rstrip('/')}/{version.reference}"
        if version.resource is None:
            return "DELETE", url, headers, None
        return "PUT", url, {**headers, "Content-Type": FHIR_JSON}, version.text

    @staticmethod
    def _medplum_request(head, version):
        channel = head.resource["channel"]
        # Medplum splits at every colon: a value that holds one arrives cut.
        headers = {parts[0]: parts[1] for parts in
                   (line.split(":") for line in channel.get("header", [])) if len(parts) > 1}
        word = "create" if version.number == 1 else "update"
        word = "delete" if version.resource is None else word
        headers.update({"Content-Type": "application/fhir+json", "X-Medplum-Interaction": word,
                        "X-Medplum-Subscription": head.id})
        if version.resource is None:
            headers["X-Medplum-Deleted-Resource"] = version.reference
        body = version.text or "{}"
        for extension in head.resource.get("extension", []):
            if extension.get("url") == MEDPLUM_SECRET:
                headers["X-Signature"] = hmac.new(extension["valueString"].encode(), body.encode(),
                                                  "sha256").hexdigest()
        return "POST", channel["endpoint"], headers, body

    @staticmethod
    def _topic_request(subscription, bundle):
        channel = subscription["channel"]
        headers = dict(line.split(":", 1) for line in channel.get("header", []) if ":" in line)
        headers["Content-Type"] = channel.get("payload", "application/fhir+json")
        return "POST", channel["endpoint"], headers, dump(bundle)

    @staticmethod
    def _send(method, url, headers, body):
        """The status of the answer, or None when there was none."""
        parts = urllib.parse.urlsplit(url)
        try:
            if parts.scheme == "https":
                # The receiver is a test on this machine with a certificate of its own.
                blind = ssl._create_unverified_context()
                peer = http.client.HTTPSConnection(parts.netloc, timeout=60, context=blind)
            else:
                peer = http.client.HTTPConnection(parts.netloc, timeout=60)
            with contextlib.closing(peer):
                path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
                clean = {name.strip(): value.strip() for name, value in headers.items()}
                peer.request(method, path, body if body is None else _bytes(body), clean)
                answer = peer.getresponse()
                answer.read()
                return answer.status
        except (OSError, ValueError, http.client.HTTPException):
            return None

    # topic notifications

    def bundle(self, head, kind, events):
        """An R4 history Bundle whose first entry is the subscription's status."""
        base, content = self.hospital.base, topic_content(head.resource)
        status = self._status(head, kind, events, content)
        first = {"fullUrl": "urn:uuid:" + str(uuid.uuid4()), "resource": status,
                 "request": {"method": "GET", "url": f"{base}/Subscription/{head.id}/$status"},
                 "response": {"status": "200"}}
        entries = [] if content == "empty" else [
            self._focus_entry(base, content, version) for _number, version in events]
        return {"resourceType": "Bundle", "id": str(uuid.uuid4()), "type": "history",
                "timestamp": instant(now_ms()), "entry": [first] + entries}

    def _status(self, head, kind, events, content):
        active = "requested" if kind == "handshake" else head.resource["status"]
        # A retried notification still tells the count as it was at its own event.
        total = max((number for number, _ in events),
                    default=len(self.events.get(head.id, ())) if kind != "handshake" else 0)
        parameters = [
            {"name": "subscription", "valueReference":
                {"reference": f"{self.hospital.base}/{head.reference}"}},
            {"name": "topic", "valueCanonical": head.resource["criteria"]},
            {"name": "status", "valueCode": active}, {"name": "type", "valueCode": kind},
            {"name": "events-since-subscription-start", "valueString": str(total)}]
        parameters += [self._event_part(content, *event) for event in events]
        return {"resourceType": "Parameters", "id": str(uuid.uuid4()), "meta": {"profile": [
            EXT + "backport-subscription-status-r4"]}, "parameter": parameters}

    def _event_part(self, content, number, version):
        part = [{"name": "event-number", "valueString": str(number)},
                {"name": "timestamp", "valueInstant": instant(version.when)}]
        if content != "empty":
            focus = {"reference": f"{self.hospital.base}/{version.reference}"}
            part.append({"name": "focus", "valueReference": focus})
        return {"name": "notification-event", "part": part}

    @staticmethod
    def _focus_entry(base, content, version):
        url = version.type if version.method == "POST" else version.reference
        status = {"POST": "201", "PUT": "200", "DELETE": "204"}[version.method]
        entry = {"fullUrl": f"{base}/{version.reference}",
                 "request": {"method": version.method, "url": url},
                 "response": {"status": status}}
        if content == "full-resource" and version.resource is not None:
            entry["resource"] = version.text
        return entry

    # counting

    def _count(self, what, by=1):
        with self.lock:
            self.counts[what] += by

    def _finish(self, how):
        with self.lock:
            self.counts[how] += 1
            self.counts["finished"] += 1

    def state(self):
        with self.lock:
            names = ("tried", "succeeded", "dropped", "given_up", "lost")
            return {**{name: self.counts[name] for name in names},
                    "pending": self.counts["queued"] - self.counts["finished"],
                    "held": len(self.held)}


def _success(status):
    return status is not None and 200 <= status < 300


# The hospital

class Hospital:
    """The server. Use as a context manager, or start() and stop(); data outlives a stop."""

    def __init__(self, port=0, tls_cert=None, tls_key=None, verbose=False, **options):
        self.options = Options(**options)
        self.port, self.verbose = port, verbose
        self.tls = (tls_cert, tls_key) if tls_cert else None
        self.store, self.faults = Store(), Faults()
        self.requests = Counter()
        self.pages = OrderedDict()
        self.cache = {}
        self.told = 0    # how much of the store's log the notifier has seen
        self.notifier = Notifier(self)
        self.sockets = Sockets(self)
        self.server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def base(self):
        return self.origin + "/fhir"

    def start(self):
        self.server = _Server(("127.0.0.1", self.port), self)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.notifier.start()
        return self

    def stop(self):
        """Goes off the net, cutting every connection; what was queued for delivery is lost."""
        if self.server:
            self.notifier.stop()
            self.server.shutdown()
            self.server.server_close()
            self.server.cut_all()
            self.server = None

    # data, as a test wants them

    def put(self, resource):
        """Writes as the hospital itself: no authentication, no faults. Returns what is stored."""
        resource = load(json.dumps(resource))
        rtype = resource["resourceType"]

        def work():
            rid = resource.get("id") or self.store.new_id(rtype, self._medplum())
            head = self.store.latest(rtype, rid)
            if head and head.resource and same_content(head.resource, resource):
                return head
            return self._write(rtype, rid, resource, "PUT" if head else "POST")
        return json.loads(self._atomic(work).text)

    def get(self, rtype, rid):
        """The current version, or None when there is none (any more)."""
        with self.store.lock:
            head = self.store.latest(rtype, rid)
        return json.loads(head.text) if head and head.resource is not None else None

    def delete(self, rtype, rid):
        self._atomic(lambda: self._remove(rtype, rid))

    def resources(self, rtype=None):
        with self.store.lock:
            types = [rtype] if rtype else list(self.store.items)
            heads = [head for t in types for head in self.store.current(t)]
        return [json.loads(head.text) for head in heads]

    def history(self, rtype=None):
        """Every version, oldest first."""
        with self.store.lock:
            log = [v for v in self.store.log if rtype in (None, v.type)]
        return [{"type": v.type, "id": v.id, "version": v.vid, "method": v.method,
                 "lastUpdated": instant(v.when),
                 "resource": json.loads(v.text) if v.resource is not None else None}
                for v in log]

    def state(self):
        with self.store.lock:
            requests = dict(sorted(self.requests.items()))
            subscriptions = {head.id: head.resource["status"]
                             for head in self.store.current("Subscription")}
        return {"requests": requests, "deliveries": self.notifier.state(),
                "subscriptions": subscriptions}

    # misbehaviour

    def fail(self, method="", path="", **fault):
        """Adds a request fault; see RequestFault and the head of this file."""
        fault = RequestFault(method=method, path=path, **fault)
        with self.faults.lock:
            self.faults.requests.append(fault)

    def deliveries(self, **kinds):
        """deliveries(drop={"times": 2}, delay=None): switches each kind on or off."""
        unknown = set(kinds) - set(DeliveryFault.KINDS)
        if unknown:
            raise ValueError(f"no such delivery fault: {', '.join(sorted(unknown))}")
        made = {kind: spec if spec is None else DeliveryFault(**spec)
                for kind, spec in kinds.items()}
        with self.faults.lock:
            self.faults.deliveries.update(made)

    def change_subscription(self, sid, delete=False, **elements):
        """What an administrator does by hand: another status, other criteria, or deleted."""
        if delete:
            return self.delete("Subscription", sid)
        with self.store.lock:
            head = self.store.latest("Subscription", sid)
            if head is None or head.resource is None:
                raise ValueError(f"no Subscription/{sid}")
            return self.put({**json.loads(head.text), **elements})

    def stuck_requested(self, on=True):
        """New subscriptions stay `requested`; those that are stuck stay so when it ends."""
        self.faults.stuck_requested = bool(on)

    def clock(self, date_skew=None, stamp_skew=None):
        """Seconds by which the Date header, and the server's stamps, are off."""
        if date_skew is not None:
            self.faults.date_skew = date_skew
        if stamp_skew is not None:
            self.store.skew = stamp_skew

    def paging(self, mode, **spec):
        fault = PagingFault(mode=mode, **spec)
        with self.faults.lock:
            self.faults.paging = fault

    def set_options(self, **options):
        known = {field.name for field in dataclasses.fields(Options)}
        if set(options) - known:
            raise ValueError(f"no such option: {', '.join(sorted(set(options) - known))}")
        for name, value in options.items():
            setattr(self.options, name, value)

    def release(self, _on=True):
        self.notifier.release()

    def restart(self, _on=True):
        """Forgets what was queued for delivery; the data stay."""
        self.notifier.restart()

    def reset(self, _on=True):
        """Ends all misbehaviour. Data, options and counters stay."""
        self.faults.reset()
        self.store.skew = 0
        self.notifier.release()

    def _control(self, request):
        path, query = request.path, dict(query_pairs(request.query))
        if request.method == "GET" and path == "/_control/state":
            return _plain(self.state())
        if request.method == "GET" and path == "/_control/resources":
            return _plain(self.resources(query.get("type")))
        if request.method == "GET" and path == "/_control/history":
            return _plain(self.history(query.get("type")))
        if request.method == "POST" and path == "/_control":
            return self._command(request)
        return _plain({"error": f"no such control: {request.method} {path}"}, 404)

    def _command(self, request):
        words = {"fail": self._control_fail, "deliveries": lambda v: self.deliveries(**v),
                 "subscription": self._control_subscription,
                 "stuck_requested": self.stuck_requested, "clock": lambda v: self.clock(**v),
                 "paging": lambda v: self.paging(**v), "release": self.release,
                 "options": lambda v: self.set_options(**v), "restart": self.restart,
                 "reset": self.reset}
        try:
            command = json.loads(request.body)
            if set(command) - set(words):
                raise ValueError(f"unknown: {', '.join(sorted(set(command) - set(words)))}")
            for word, value in command.items():
                words[word](value)
        except (AttributeError, FhirError, KeyError, TypeError, ValueError, re.error) as problem:
            return _plain({"error": str(problem)}, 400)
        return _plain({"ok": True})

    def _control_fail(self, faults):
        for fault in faults if isinstance(faults, list) else [faults]:
            self.fail(**fault)

    def _control_subscription(self, change):
        self.change_subscription(change["id"], **{k: v for k, v in change.items() if k != "id"})

    # answering

    def answer(self, request):
        """The answer to one HTTP request, with whatever fault is due."""
        if request.path.startswith("/_control"):
            return self._control(request)
        fault = self.faults.request(request)
        response = self._faulty(request, fault) if fault else self._fhir(request)
        with self.store.lock:
            status = "reset" if response.wire == "reset" else response.status
            self.requests[f"{request.method} {_template(request)} {status}"] += 1
        return response

    def _faulty(self, request, fault):
        response = self._fhir(request) if fault.does_the_work() else Response(200)
        self.notifier.stopping.wait(fault.delay)
        if isinstance(fault.answer, int):
            return self._given(fault)
        if fault.answer in ("reset", "reset-after"):
            response.wire = "reset"
        elif fault.answer in ("slow", "cut"):
            response.wire, response.pause = fault.answer, fault.pause
        elif fault.answer == "garbage":
            page = "<html><body><h1>Welcome to the proxy</h1></body></html>"
            response = Response(200, page, content_type="text/html")
        elif fault.answer == "truncated":
            response.body = response.body[:len(response.body) // 2]
        response.headers.update(fault.headers)
        return response

    @staticmethod
    def _given(fault):
        body = fault.body
        if body is None:
            body = outcome("error", "exception", f"told to answer {fault.answer}")
        text = body if isinstance(body, str) else dump(body)
        kind = fault.headers.get("Content-Type", FHIR_JSON)
        headers = {k: v for k, v in fault.headers.items() if k != "Content-Type"}
        return Response(fault.answer, text, headers, kind)

    def _fhir(self, request):
        try:
            self._authorise(request)
            return self._atomic(lambda: self._route(request))
        except FhirError as problem:
            return problem.response()

    def _authorise(self, request):
        if request.parts() == ["metadata"]:
            return
        given = request.headers.get("authorization", "")
        if self.options.token and given != "Bearer " + self.options.token:
            raise FhirError(401, "login", "a bearer token is needed",
                            {"WWW-Authenticate": "Bearer"})
        secret = base64.b64encode(self.options.basic.encode()).decode()
        if self.options.basic and given != "Basic " + secret:
            raise FhirError(401, "login", "a user and a password are needed",
                            {"WWW-Authenticate": 'Basic realm="hospital"'})

    def _atomic(self, work):
        """Does all of work or nothing, then tells the notifier what was written."""
        with self.store.lock:
            mark = len(self.store.log)
            try:
                result = work()
            except BaseException:
                # What the notifier has seen stays: an entry of a batch stands by itself.
                self.store.undo(max(mark, self.told))
                raise
            while self.told < len(self.store.log):
                self.told += 1
                self.notifier.changed(self.store.log[self.told - 1])
            return result

    def _route(self, request):
        if request.path.strip("/").split("/")[0] != "fhir":
            raise FhirError(404, "not-found", f"nothing at {request.path}")
        match (request.method, *request.parts()):
            case ("POST",):
                return self._bundle(request)
            case ("GET",):
                return self._next_page(request)
            case ("GET", "metadata"):
                return _json(self._capabilities())
            case ("GET", "_history"):
                return self._history(request, self.store.log)
            case (_, rtype, *_) if rtype not in TYPES or rtype in self.options.without:
                raise FhirError(404, "not-supported", f"unknown resource type {rtype}")
            case (_, rtype, *rest):
                return self._route_type(request, rtype, rest)
        raise FhirError(405, "not-supported", f"{request.method} {request.path}")

    def _route_type(self, request, rtype, rest):
        match (request.method, *rest):
            case ("GET",):
                return self._search(request, rtype, request.query)
            case ("POST", "_search"):
                form = request.body.decode()
                return self._search(request, rtype, "&".join(filter(None, (request.query, form))))
            case ("POST",):
                return self._create(request, rtype)
            case ("PUT",):
                return self._conditional_update(request, rtype)
            case ("GET", "_history") if self.options.type_history:
                return self._history(request, [v for v in self.store.log if v.type == rtype])
            case ("GET", rid):
                return self._read(request, self._living(rtype, rid))
            case ("PUT", rid):
                return self._update(request, rtype, rid)
            case ("DELETE", rid):
                self._remove(rtype, rid)
                return _json(outcome("information", "informational", "deleted"))
            case ("GET", rid, "_history"):
                return self._instance_history(request, rtype, rid)
            case ("GET", rid, "_history", vid):
                return self._vread(request, rtype, rid, vid)
            case ("GET", rid, "$get-ws-binding-token") if rtype == "Subscription":
                return self._binding_token(self._living(rtype, rid))
            case ("GET" | "POST", rid, "$status" | "$events" as operation) \
                    if rtype == "Subscription":
                return self._topic_operation(request, rid, operation)
        raise FhirError(405, "not-supported", f"{request.method} {request.path}")

    # read

    def _living(self, rtype, rid):
        head = self.store.latest(rtype, rid)
        if head is None:
            raise FhirError(404, "not-found", f"{rtype}/{rid} is not known")
        if head.resource is None:
            raise FhirError(410, "deleted", f"{rtype}/{rid} was deleted")
        return head

    def _read(self, request, version):
        if self._versioned() and request.headers.get("if-none-match") == f'W/"{version.vid}"':
            return Response(304, "", self._validators(version))
        return Response(200, version.text, self._validators(version))

    def _vread(self, request, rtype, rid, vid):
        found = [v for v in self.store.versions(rtype, rid) if v.vid == vid]
        if not found or not self._versioned():
            raise FhirError(404, "not-found", f"{rtype}/{rid} has no version {vid}")
        if found[0].resource is None:
            raise FhirError(410, "deleted", f"{rtype}/{rid} was deleted in version {vid}")
        return self._read(request, found[0])

    def _validators(self, version):
        headers = {"Last-Modified": http_date(version.when // 1000)}
        if self._versioned():
            headers["ETag"] = f'W/"{version.vid}"'
        return headers

    def _versioned(self):
        return self.options.versioning != "no-version"

    def _medplum(self):
        return self.options.style == "medplum"

    # write

    def _write(self, rtype, rid, resource, method):
        if rtype == "Subscription":
            check_subscription(resource)
        stamp = "none" if not self._versioned() else "uuid" if self._medplum() else "number"
        return self.store.write(rtype, rid, resource, method, stamp)

    def _remove(self, rtype, rid):
        head = self.store.latest(rtype, rid)
        if head and head.resource is not None:
            self.store.write(rtype, rid, None, "DELETE")

    def _create(self, request, rtype):
        resource = _of_type(request.resource(), rtype)
        condition = request.headers.get("if-none-exist")
        if (condition and self.options.conditional_create
                and not self.options.false_conditional_create):
            matches = self._matching(rtype, condition)
            if matches:
                return self._written(request, matches[0], 200)
        rid = request.assigned_id or self.store.new_id(rtype, self._medplum())
        return self._written(request, self._write(rtype, rid, resource, "POST"), 201)

    def _matching(self, rtype, condition):
        query = condition.partition("?")[2] if "?" in condition else condition
        search = Search(rtype, query_pairs(query), strict=True)
        if not search.tests:
            raise FhirError(412, "invalid", "the condition has no search parameter")
        found = [v for v in self.store.current(rtype) if search.matches(v)]
        if len(found) > 1:
            raise FhirError(412, "multiple-matches", f"{len(found)} resources match {query}")
        return found

    def _update(self, request, rtype, rid):
        resource = _of_type(request.resource(), rtype)
        if not ID.match(rid):
            raise FhirError(400, "value", f"not an id: {rid!r}")
        if resource.get("id") != rid:
            raise FhirError(400, "value", f"the body's id is {resource.get('id')!r}, not {rid!r}")
        head = self.store.latest(rtype, rid)
        self._check_if_match(request, head)
        if head is None and not self.options.update_create:
            raise FhirError(405, "not-supported", "clients may not choose ids here")
        if head is None or head.resource is None:
            return self._written(request, self._write(rtype, rid, resource, "PUT"), 201)
        if not same_content(head.resource, resource):
            head = self._write(rtype, rid, resource, "PUT")
        return self._written(request, head, 200)

    def _check_if_match(self, request, head):
        given = request.headers.get("if-match")
        if not self._versioned():
            return
        if given is None:
            if head is not None and self.options.require_if_match:
                raise FhirError(412, "required", "an update needs If-Match")
            return
        wanted = given.strip().removeprefix("W/").strip('"')
        if head is None or head.vid != wanted:
            have = head.vid if head else "none"
            raise FhirError(412, "conflict", f"If-Match says {wanted}, the version is {have}")

    def _conditional_update(self, request, rtype):
        resource = _of_type(request.resource(), rtype)
        matches = self._matching(rtype, request.query)
        if not matches:
            rid = self.store.new_id(rtype, self._medplum())
            return self._written(request, self._write(rtype, rid, resource, "POST"), 201)
        head = matches[0]
        if not same_content(head.resource, resource):
            head = self._write(rtype, head.id, resource, "PUT")
        return self._written(request, head, 200)

    def _written(self, request, version, status):
        headers = self._validators(version)
        headers["Location"] = f"{request.base}/{version.reference}"
        if self._versioned():
            headers["Location"] += f"/_history/{version.vid}"
        body = "" if request.prefers("return=minimal") else version.text
        return Response(status, body, headers)

    # search and history

    def _search(self, request, rtype, query):
        search = Search(rtype, query_pairs(query), request.prefers("handling=strict"))
        found = self._cached(request, rtype, search)
        url = f"{request.base}/{rtype}"
        if search.honoured:
            url += "?" + urllib.parse.urlencode(search.honoured)
        size = self._page_size(search.control)
        if search.control.get("_summary") == "count" or size == 0:
            return _json(self._empty_bundle("searchset", len(found), url))
        return self._page(request, Page("searchset", found, size, url), 0)

    def _cached(self, request, rtype, search):
        """HAPI hands out an earlier result of the same search unless it is told not to."""
        key, lifetime = (rtype, tuple(search.honoured)), self.options.search_cache_seconds
        old = self.cache.get(key)
        fresh = "no-cache" in request.headers.get("cache-control", "")
        if old and not fresh and time.monotonic() - old[0] < lifetime:
            return old[1]
        found = self._find(rtype, search)
        if lifetime:
            self.cache[key] = (time.monotonic(), found)
        return found

    def _find(self, rtype, search):
        found = [v for v in self.store.current(rtype) if search.matches(v)]
        order = search.control.get("_sort")
        if order in ("_lastUpdated", "-_lastUpdated"):
            found.sort(key=lambda v: v.when, reverse=order.startswith("-"))
        elif order:
            raise FhirError(400, "not-supported", f"cannot sort by {order}")
        return found

    def _page_size(self, control):
        try:
            size = int(control.get("_count", self.options.page_size))
        except ValueError as problem:
            raise FhirError(400, "invalid", f"_count: {problem}") from problem
        return max(0, min(size, self.options.max_page_size))

    def _instance_history(self, request, rtype, rid):
        versions = self.store.versions(rtype, rid)
        if not versions or not self._versioned():
            raise FhirError(404, "not-found", f"{rtype}/{rid} has no history")
        return self._history(request, versions)

    def _history(self, request, versions):
        query = dict(query_pairs(request.query))
        since = interval(query["_since"])[0] if query.get("_since") else 0
        found = [v for v in reversed(versions) if v.when * 1000 >= since]
        url = request.base + request.path.removeprefix("/fhir")
        if request.query:
            url += "?" + request.query
        return self._page(request, Page("history", found, self._page_size(query) or 1, url), 0)

    def _next_page(self, request):
        query = dict(query_pairs(request.query))
        if "_getpages" not in query:
            raise FhirError(404, "not-supported", "search of all types is not offered")
        page = self.pages.get(query["_getpages"])
        if page is None or self.faults.page("expired"):
            raise FhirError(410, "not-found", "this page has expired")
        return self._page(request, page, int(query.get("_getpagesoffset", 0)), query["_getpages"])

    def _page(self, request, page, offset, token=None):
        rows = page.versions[offset:offset + page.size]
        url = page.self_link if token is None else f"{request.base}?{request.query}"
        bundle = self._empty_bundle(page.kind, len(page.versions), url)
        following = self._following(request, page, offset, token, url)
        if following:
            bundle["link"].append({"relation": "next", "url": following})
        make = self._match_entry if page.kind == "searchset" else self._history_entry
        if rows:
            bundle["entry"] = [make(request, version) for version in rows]
        return _json(bundle)

    def _following(self, request, page, offset, token, url):
        """The next link, or None on the last page; here the paging faults strike."""
        last = offset + page.size >= len(page.versions)
        if last and not self.faults.page("bogus"):
            return None
        token = token or self._keep(page)
        query = f"?_getpages={token}&_getpagesoffset={offset + page.size}"
        if self.faults.page("loop"):
            return url
        fault = self.faults.page("elsewhere")
        if fault:
            return f"{fault.origin}/fhir{query}"
        return ("/fhir" if self.faults.page("relative") else request.base) + query

    def _keep(self, page):
        token = str(uuid.uuid4())
        self.pages[token] = page
        while len(self.pages) > 200:
            self.pages.popitem(last=False)
        return token

    def _empty_bundle(self, kind, total, url):
        return {"resourceType": "Bundle", "id": str(uuid.uuid4()),
                "meta": {"lastUpdated": instant(self.store.now())}, "type": kind, "total": total,
                "link": [{"relation": "self", "url": url}]}

    @staticmethod
    def _match_entry(request, version):
        return {"fullUrl": f"{request.base}/{version.reference}", "resource": version.text,
                "search": {"mode": "match"}}

    @staticmethod
    def _history_entry(request, version):
        status = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}
        url = version.type if version.method == "POST" else version.reference
        entry = {"fullUrl": f"{request.base}/{version.reference}",
                 "request": {"method": version.method, "url": url},
                 "response": {"status": status[version.method], "etag": f'W/"{version.vid}"',
                              "lastModified": instant(version.when)}}
        if version.resource is not None:
            entry["resource"] = version.text
        return entry

    # transaction and batch

    def _bundle(self, request):
        bundle = _of_type(request.resource(), "Bundle")
        kind, entries = bundle.get("type"), bundle.get("entry", [])
        if kind not in ("transaction", "batch"):
            raise FhirError(400, "value", f"cannot process a Bundle of type {kind!r}")
        if not all(e.get("request", {}).get("url") and e["request"].get("method")
                   for e in entries):
            raise FhirError(400, "required", "every entry needs request.method and request.url")
        requests = [self._entry_request(request, entry) for entry in entries]
        if kind == "transaction":
            results = self._transaction(entries, requests)
        else:
            results = [self._fhir_entry(r) for r in requests]
        return _json({"resourceType": "Bundle", "id": str(uuid.uuid4()),
                      "type": kind + "-response", "entry": results})

    @staticmethod
    def _entry_request(outer, entry):
        asked = entry["request"]
        headers = {"Content-Type": FHIR_JSON}
        for name, header in (("ifNoneExist", "If-None-Exist"), ("ifMatch", "If-Match"),
                             ("ifNoneMatch", "If-None-Match")):
            if name in asked:
                headers[header] = asked[name]
        body = dump(entry["resource"]).encode() if "resource" in entry else b""
        return Request(asked["method"], "/fhir/" + asked["url"], headers, body, outer.base)

    def _fhir_entry(self, request):
        try:
            return self._entry_response(request, self._atomic(lambda: self._route(request)))
        except FhirError as problem:
            return self._entry_response(request, problem.response())

    def _transaction(self, entries, requests):
        """In the order DELETE, POST, PUT, GET; the caller undoes all when one fails."""
        known = self._resolve(entries, requests)
        for request in requests:
            if known and request.body:
                request.body = dump(_replaced(load(request.body), known)).encode()
        order = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3}
        results = [None] * len(requests)
        for index in sorted(range(len(requests)), key=lambda i: order.get(requests[i].method, 2)):
            request = requests[index]
            try:
                results[index] = self._entry_response(request, self._route(request))
            except FhirError as problem:
                raise FhirError(problem.status, problem.code,
                                f"entry[{index}]: {problem.text}") from problem
        return results

    def _resolve(self, entries, requests):
        """urn:uuid of each new resource -> the reference it will have."""
        known = {}
        for entry, request in zip(entries, requests):
            parts = request.parts()
            if request.method == "POST" and len(parts) == 1:
                known[entry.get("fullUrl")] = f"{parts[0]}/{self._future_id(request, parts[0])}"
            elif request.method == "PUT" and len(parts) == 2:
                known[entry.get("fullUrl")] = "/".join(parts)
        return {urn: ref for urn, ref in known.items() if urn and urn.startswith("urn:")}

    def _future_id(self, request, rtype):
        condition = request.headers.get("if-none-exist")
        if condition and self.options.conditional_create:
            matches = self._matching(rtype, condition)
            if matches:
                return matches[0].id
        request.assigned_id = self.store.new_id(rtype, self._medplum())
        return request.assigned_id

    @staticmethod
    def _entry_response(request, response):
        result = {"status": f"{response.status} {http.HTTPStatus(response.status).phrase}"}
        if "Location" in response.headers:
            result["location"] = response.headers["Location"].removeprefix(request.base + "/")
        if "ETag" in response.headers:
            result["etag"] = response.headers["ETag"]
        if response.status >= 400:
            result["outcome"] = Raw(response.body)
        entry = {"response": result}
        if request.method == "GET" and response.status == 200:
            entry["resource"] = Raw(response.body)
        return entry

    # capabilities and topic operations

    def _capabilities(self):
        rest = {"mode": "server", "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "resource": [self._capability(t) for t in TYPES if t not in self.options.without]}
        return {"resourceType": "CapabilityStatement", "status": "active",
                "date": instant(now_ms()), "kind": "instance", "fhirVersion": "4.0.1",
                "software": {"name": self.options.software, "version": "1"},
                "implementation": {"description": "FHIR R4 in memory", "url": self.base},
                "format": ["application/fhir+json", "json"], "rest": [rest]}

    def _capability(self, rtype):
        codes = ["read", "create", "update", "delete", "search-type"]
        if self._versioned():
            codes += ["vread", "history-instance"]
        if self.options.type_history:
            codes.append("history-type")
        kinds = {"patient": "reference", "date": "date"}
        known = {**PARAMETERS.get(rtype, GENERIC), **EVERYWHERE}
        parameters = [{"name": name, "type": kinds.get(spec.split()[0], spec.split()[0])}
                      for name, spec in known.items()]
        topics = self.options.topics if self.options.style == "backport" else ()
        listed = [{"url": EXT + "capabilitystatement-subscriptiontopic-canonical",
                   "valueCanonical": topic} for topic in topics if rtype == "Subscription"]
        return {**({"extension": listed} if listed else {}),
                "type": rtype, "interaction": [{"code": code} for code in codes],
                "versioning": self.options.versioning, "readHistory": self._versioned(),
                "updateCreate": self.options.update_create,
                "conditionalCreate": self.options.conditional_create,
                "conditionalUpdate": True, "searchParam": parameters}

    def _binding_token(self, head):
        token = self.sockets.token(head)
        if token is None:
            raise FhirError(400, "not-supported", "Unknown operation: $get-ws-binding-token")
        return _json(token)

    def _topic_operation(self, request, sid, operation):
        head = self._living("Subscription", sid)
        if self.options.style != "backport" or not is_topic(head.resource):
            raise FhirError(404, "not-supported", f"{operation} is for topic subscriptions")
        ways = {"$events": self.options.events_operation,
                "$status": "GET" if self.options.status_operation else ""}
        if ways[operation] not in (request.method, "GET") or not ways[operation]:
            raise FhirError(400, "not-supported", f"no {operation} by {request.method}")
        if operation == "$events":
            return _json(self.notifier.bundle(head, "query-event", self._events(request, sid)))
        status = self.notifier.bundle(head, "query-status", [])["entry"][0]["resource"]
        bundle = self._empty_bundle("searchset", 1, request.base + request.path[5:])
        return _json({**bundle, "entry": [{"resource": status, "search": {"mode": "match"}}]})

    def _events(self, request, sid):
        query = dict(query_pairs(request.query))
        if request.method == "POST":
            query = {p["name"]: p.get("valueString", p.get("valueCode"))
                     for p in json.loads(request.body)["parameter"]}
        events = list(enumerate(self.notifier.events.get(sid, ()), 1))
        first = int(query.get("eventsSinceNumber", 1))
        last = int(query.get("eventsUntilNumber", len(events)))
        return [(number, version) for number, version in events
                if first <= number <= last][:self.options.events_most]


def _json(value, status=200):
    return Response(status, dump(value))


def _plain(value, status=200):
    return Response(status, json.dumps(value), content_type="application/json")


def _of_type(resource, rtype):
    if resource["resourceType"] != rtype:
        raise FhirError(400, "invalid", f"a {resource['resourceType']} where {rtype} is expected")
    return resource


def _replaced(value, known):
    if isinstance(value, dict):
        return {k: _replaced(v, known) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, known) for v in value]
    return known.get(value, value) if isinstance(value, str) else value


def _template(request):
    """The path with ids taken out, so that counters stay few."""
    parts = request.path.strip("/").split("/")
    if len(parts) > 2 and parts[2][:1] not in ("_", "$"):
        parts[2] = "{id}"
    if len(parts) > 4:
        parts[4] = "{version}"
    return "/" + "/".join(parts)


# HTTP

class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, hospital):
        self.hospital, self.open = hospital, set()
        super().__init__(address, _Handler)
        if hospital.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*hospital.tls)
            # The handshake is left to the connection's own thread: a silent peer must not
            # keep others from being accepted.
            self.socket = context.wrap_socket(self.socket, server_side=True,
                                              do_handshake_on_connect=False)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def cut_all(self):
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        # A peer that goes away is everyday business here; anything else is a fault of ours.
        if not isinstance(sys.exc_info()[1], OSError) or self.hospital.verbose:
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300

    def _serve(self):
        hospital = self.server.hospital
        if hospital.sockets.wants(self):
            hospital.sockets.serve(self)
            return
        host = self.headers.get("Host") or f"127.0.0.1:{hospital.port}"
        base = f"{'https' if hospital.tls else 'http'}://{host}/fhir"
        request = Request(self.command, self.path, dict(self.headers), self._body(), base)
        try:
            response = hospital.answer(request)
        except Exception as problem:
            response = FhirError(500, "exception", repr(problem)).response()
            self._emit(response)
            raise
        self._emit(response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass   # trailers
        return body

    def _emit(self, response):
        self.log_message("%s %s -> %s %s", self.command, self.path, response.status,
                         response.wire)
        if response.wire == "reset":
            return self._reset()
        body = _bytes(response.body)
        head = self._head(response, len(body))
        if response.wire == "slow":
            for byte in head + body:
                self.wfile.write(bytes((byte,)))
                self.server.hospital.notifier.stopping.wait(response.pause)
        elif response.wire == "cut":
            self.wfile.write(head + body[:len(body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(head + body)   # in one piece: one packet, no waiting
        return None

    def _head(self, response, size):
        phrase = http.client.responses.get(response.status, "")
        skew = self.server.hospital.faults.date_skew
        lines = [f"HTTP/1.1 {response.status} {phrase}", f"Date: {http_date(time.time() + skew)}"]
        if size:
            lines.append(f"Content-Type: {response.content_type}")
        if response.status not in (204, 304):
            lines.append(f"Content-Length: {size}")
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format, *args):
        if self.server.hospital.verbose:
            print(format % args, file=sys.stderr, flush=True)


def _arguments():
    parser = argparse.ArgumentParser(description="A stand-in hospital: FHIR R4 in memory.")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--print-port", action="store_true", help="print only the port")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--token", default="", help="ask for this bearer token")
    secret.add_argument("--basic", default="", metavar="USER:PASSWORD")
    parser.add_argument("--style", choices=("hapi", "medplum", "backport"), default="hapi")
    parser.add_argument("--no-update-create", dest="update_create", action="store_false")
    parser.add_argument("--no-conditional-create", dest="conditional_create",
                        action="store_false")
    parser.add_argument("--versioning", default="versioned-update",
                        choices=("versioned-update", "versioned", "no-version"))
    parser.add_argument("--without", action="append", default=[], metavar="TYPE",
                        help="do not offer this resource type")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser.parse_args()


def main():
    arguments = vars(_arguments())
    only_port = arguments.pop("print_port")
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    with Hospital(**arguments) as hospital:
        print(hospital.port if only_port else f"FHIR R4 at {hospital.base}", flush=True)
        done.wait()


if __name__ == "__main__":
    main()
