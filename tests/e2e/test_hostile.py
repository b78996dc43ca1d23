"""Hostile peers at the listener: floods, tricks with framing, requests to be smuggled, dripping bytes,
garbage, thousands of connections. Through all of it an honest peer's notifications are taken with 200,
and the memory of the daemon stays below MEMORY_MB.

Peers come from addresses of their own (127.66.x.y), the honest one from 127.0.0.1. There are 10,000
connections, or as many as the descriptors of this process allow (the test prints how many).
MM_TORTURE=1 does everything oftener."""
import contextlib
import http.client
import json
import os
import re
import resource
import socket
import ssl
import threading

import pytest

from test_security import Authority
from waiting import DEADLINE, wait_until
from ward import SLOW, Ward, result, treated

TORTURE = bool(os.environ.get("MM_TORTURE"))
CONNECTIONS = 10_000
ROUNDS = 20 if TORTURE else 2
BODY_MAX = 262_144
# With the few rules it takes 19 MB; 256 heads of 32 KiB and 16 bodies of BODY_MAX, twice as long while
# they grow, make 16 MB more; the same again for the trees of JSON, the store and what is not given back.
MEMORY_MB = 64
HOOK = {"request": "1 s", "idle": "1 s", "bodyMax": BODY_MAX, "connections": 256,
        "connectionsPerPeer": 64}


# The daemon and its honest peer

def memory_mb(pid, field="VmHWM"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(field + ":"))


class Honest(threading.Thread):
    """Sends notifications one after the other, each by a connection of its own, as servers do; one
    that is cut off before its answer is sent again, as servers do too."""

    TRIES = 20

    def __init__(self, ward, context=None):
        super().__init__(daemon=True)
        self.ward, self.key, self.context = ward, ward.secret(), context
        self.statuses, self.cut, self.stopping = [], 0, threading.Event()

    def connection(self):
        where = ("127.0.0.1", self.ward.daemon.port)
        if self.context:
            return http.client.HTTPSConnection(*where, timeout=DEADLINE, context=self.context)
        return http.client.HTTPConnection(*where, timeout=DEADLINE)

    def send(self, number):
        with contextlib.closing(self.connection()) as peer:
            return self.send_by(peer, number)

    def send_by(self, peer, number):
        resource = {**result("honest", 2.5, name=f"honest-{number}"),
                    "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"}}
        headers = {"X-Myeloma-Adapter-Key": self.key, "Content-Type": "application/fhir+json"}
        peer.request("PUT", f"/hook/Observation/Observation/honest-{number}",
                     json.dumps(resource), headers)
        answer = peer.getresponse()
        answer.read()
        return answer.status

    def take(self, number):
        for _ in range(self.TRIES):
            try:
                return self.send(number)
            except (OSError, http.client.HTTPException):
                self.cut += 1
        return "never"

    def run(self):
        while not self.stopping.is_set():
            self.statuses.append(self.take(len(self.statuses)))
            self.stopping.wait(0.01)

    def served(self, more=5):
        """Until it was served some times more: whatever is under way, it is let in."""
        until = len(self.statuses) + more
        wait_until(lambda: len(self.statuses) >= until, what="the honest peer is served",
                   explain=lambda: f"{self.statuses[-5:]}, cut off {self.cut} times")

    def end(self):
        self.stopping.set()
        self.join(DEADLINE)
        assert set(self.statuses) == {200}, self.statuses


@pytest.fixture(scope="module")
def ward(shared_house):
    ward = shared_house.ward(settings={**SLOW, "hook": HOOK, "logLevel": "info"})
    ward.write(*treated("honest"))
    ward.settle()
    return ward


@pytest.fixture
def honest(ward):
    """Before and after: it is served. And the memory is bounded."""
    peer = Honest(ward)
    peer.start()
    peer.served(2)
    yield peer
    peer.served()
    peer.end()
    check_memory(ward)


def check_memory(ward):
    assert ward.daemon.process.poll() is None, ward.daemon.log()[-3000:]
    assert memory_mb(ward.daemon.process.pid) < MEMORY_MB


# Raw peers

def peer_of(ward, number=0):
    """A connection from the address of that number."""
    peer = socket.socket()
    peer.settimeout(DEADLINE)
    peer.bind((f"127.66.{number // 250}.{number % 250 + 1}", 0))
    peer.connect(("127.0.0.1", ward.daemon.port))
    return peer


def send(peer, data):
    """False when the other side has hung up."""
    try:
        peer.sendall(data)
        return True
    except OSError:
        return False


def rest(peer):
    """Everything until the other side hangs up."""
    got = b""
    with contextlib.suppress(OSError):
        while piece := peer.recv(65536):
            got += piece
    return got


def exchange(ward, data, then=b""):
    """What comes back for these bytes until the connection ends; the limit of time ends it."""
    with contextlib.closing(peer_of(ward)) as peer:
        if send(peer, data) and then:
            send(peer, then)
        return rest(peer)


def statuses(reply):
    """Of the answers one behind the other; what follows one that closes is nobody's answer."""
    found = []
    while head := re.match(rb"HTTP/1\.[01] (\d{3}) .*?\r\n\r\n", reply, re.S):
        found.append(int(head[1]))
        length = re.search(rb"(?i)\r\nContent-Length: (\d+)\r\n", head[0])
        reply = reply[head.end() + int(length[1] if length else 0):]
        if re.search(rb"(?i)\r\nConnection: close\r\n", head[0]):
            break
    return found


# Heads

def key_line(ward):
    return b"X-Myeloma-Adapter-Key: " + ward.secret().encode() + b"\r\n"


FLOODS = {
    "a request line without end": lambda n: b"GET /" + b"a" * n,
    "a header without end": lambda n: b"GET /health HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * n,
    "a header name without end": lambda n: b"GET /health HTTP/1.1\r\nHost: a\r\n" + b"a" * n,
    "headers without end": lambda n: (b"GET /health HTTP/1.1\r\nHost: a\r\n"
                                      + b"X-Many: 1\r\n" * (n // 11)),
    "empty headers without end": lambda n: b"GET / HTTP/1.1\r\n" + b"a:\r\n" * (n // 4),
    "empty lines without end": lambda n: b"\r\n" * (n // 2),
    "cookies without end": lambda n: (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: "
                                      + b"a=b; " * (n // 5)),
    "parameters without end": lambda n: b"GET /health?" + b"a=b&" * (n // 4) + b" HTTP/1.1\r\n",
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_head_that_does_not_end_costs_nothing(ward, honest, name):
    for _ in range(ROUNDS):
        reply = exchange(ward, FLOODS[name](2_000_000))
        assert all(400 <= status < 500 for status in statuses(reply)), reply[:200]


# Bodies

def hook(ward, headers, method=b"PUT"):
    return (method + b" /hook/Observation/Observation/x HTTP/1.1\r\nHost: a\r\n" + key_line(ward)
            + headers + b"\r\n")


def test_what_comes_behind_the_stated_length_is_no_body(ward, honest):
    """A flood behind the body is the next request, which is none."""
    reply = exchange(ward, hook(ward, b"Content-Length: 2\r\n"), b"{}" + b"x" * 3_000_000)
    assert statuses(reply)[0] == 200 and all(400 <= s < 500 for s in statuses(reply)[1:])


@pytest.mark.parametrize("path", [b"/health", b"/ready", b"/metrics"])
@pytest.mark.parametrize("framing", [b"Content-Length: 262144\r\n\r\n",
                                     b"Transfer-Encoding: chunked\r\n\r\n40000\r\n"],
                         ids=["stated", "chunked"])
def test_strangers_may_send_no_body(ward, honest, path, framing):
    """Nothing that needs no key needs a body: it is refused before a byte of it is kept."""
    reply = exchange(ward, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + framing,
                     b" " * (BODY_MAX - 1))
    assert statuses(reply) == [413]


def test_bodies_of_many_at_once_are_bounded_together(ward, honest):
    """Two hundred bodies of the greatest length, all but their last byte: what is past the bound
    gets 503 and comes again. What is small is let in all the same."""
    peers = [peer_of(ward, n % 10) for n in range(200)]
    for peer in peers:
        send(peer, hook(ward, b"Content-Length: %d\r\n" % BODY_MAX) + b" " * (BODY_MAX - 1))
    honest.served()
    for peer in peers:
        send(peer, b" ")
    found = [statuses(rest(peer)) for peer in peers]
    for peer in peers:
        peer.close()
    assert [503] in found
    assert all(status in ([200], [503]) for status in found), found
    check_memory(ward)


# Chunks. An ending with "never" is cut by the limit of time.

CHUNKED = b"Transfer-Encoding: chunked\r\n"
BAD_CHUNKS = {
    "a size that is no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with a sign": b"+2\r\n{}\r\n0\r\n\r\n",
    "a size as C writes it": b"0x2\r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "a size beyond all numbers": b"f" * 40 + b"\r\n{}",
    "a size of 64 bits": b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a size of 64 bits and a bit": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than its size": b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk that is shorter than its size": b"4\r\n{}\r\n0\r\n\r\n",
    "an extension without end": b"2;" + b"a" * 100_000,
    "zeros without end": b"0" * 100_000,
    "a body that never ends": b"2\r\n{}\r\n",
    "trailers without end": b"2\r\n{}\r\n0\r\n" + b"X-Many: 1\r\n" * 10_000,
}


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_chunks_that_are_none_are_not_taken(ward, honest, name):
    reply = exchange(ward, hook(ward, CHUNKED) + BAD_CHUNKS[name])
    assert 200 not in statuses(reply) and len(statuses(reply)) <= 1, reply[:300]


def test_a_chunk_may_have_an_extension_and_the_body_trailers(ward, honest):
    """So that the ones above do not fail for another reason."""
    body = json.dumps(result("honest", 2.5, name="x")).encode()
    chunks = b"%x;a=b\r\n" % len(body) + body + b"\r\n0\r\nX-Trailer: 1\r\n\r\n"
    reply = exchange(ward, hook(ward, CHUNKED + b"Content-Type: application/fhir+json\r\n") + chunks)
    assert statuses(reply) == [200]


# Requests to be smuggled: if the daemon understood the framing otherwise than a proxy in front of it,
# the hidden request would get an answer of its own.

HIDDEN = b"GET /metrics HTTP/1.1\r\nHost: hidden\r\n\r\n"
CHUNKED_HIDDEN = b"0\r\n\r\n" + HIDDEN
SMUGGLED = {
    "a length and chunks": (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n"
                            % len(CHUNKED_HIDDEN), CHUNKED_HIDDEN),
    "chunks and a length": (b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n"
                            % len(CHUNKED_HIDDEN), CHUNKED_HIDDEN),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(HIDDEN), HIDDEN),
    "two lengths in one": (b"Content-Length: 0, %d\r\n" % len(HIDDEN), HIDDEN),
    "the same length twice": (b"Content-Length: 0\r\nContent-Length: 0\r\n", HIDDEN),
    "a length with a plus": (b"Content-Length: +%d\r\n" % len(HIDDEN), HIDDEN),
    "a length with a minus": (b"Content-Length: -0\r\n", HIDDEN),
    "a length in hex": (b"Content-Length: 0x%x\r\n" % len(HIDDEN), HIDDEN),
    "a length with a blank in it": (b"Content-Length: 0 %d\r\n" % len(HIDDEN), HIDDEN),
    "no length": (b"Content-Length:\r\n", HIDDEN),
    "a length beyond all numbers": (b"Content-Length: 18446744073709551616\r\n", HIDDEN),
    "a length behind an underline": (b"Content_Length: 3\r\nContent-Length: 0\r\n"
                                     b"Content-Length: 3\r\n", HIDDEN),
    "two encodings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                      CHUNKED_HIDDEN),
    "an encoding and another": (b"Transfer-Encoding: chunked, identity\r\n", CHUNKED_HIDDEN),
    "an encoding twice": (b"Transfer-Encoding: chunked, chunked\r\n", CHUNKED_HIDDEN),
    "an encoding that almost is": (b"Transfer-Encoding: xchunked\r\n", CHUNKED_HIDDEN),
    "an encoding with a parameter": (b"Transfer-Encoding: chunked;q=1\r\n", CHUNKED_HIDDEN),
    "an encoding in quotes": (b'Transfer-Encoding: "chunked"\r\n', CHUNKED_HIDDEN),
    "an encoding with a tab": (b"Transfer-Encoding: \x0bchunked\r\n", CHUNKED_HIDDEN),
    "a name with a blank behind": (b"Content-Length: 2\r\nTransfer-Encoding : chunked\r\n",
                                   CHUNKED_HIDDEN),
    "an encoding on a line of its own": (b"Content-Length: 2\r\nTransfer-Encoding:\r\n chunked\r\n",
                                         CHUNKED_HIDDEN),
    "an encoding behind a bare CR": (b"Content-Length: 2\r\nX: a\rTransfer-Encoding: chunked\r\n",
                                     CHUNKED_HIDDEN),
    "an encoding behind a bare LF": (b"Content-Length: 2\r\nX: a\nTransfer-Encoding: chunked\r\n",
                                     CHUNKED_HIDDEN),
    "an encoding behind NUL": (b"Content-Length: 2\r\nX: a\0\r\nTransfer-Encoding: chunked\r\n",
                               CHUNKED_HIDDEN),
    "a length on a line of its own": (b"Content-Length:\r\n %d\r\n" % len(HIDDEN), HIDDEN),
    "an encoding that a line before swallows": (b"Content-Length: 2\r\nX: a\r\n"
                                                b"\tTransfer-Encoding: chunked\r\n",
                                                CHUNKED_HIDDEN),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_request_is_smuggled_in_a_body(ward, honest, name):
    headers, body = SMUGGLED[name]
    reply = exchange(ward, hook(ward, headers) + body)
    assert len(statuses(reply)) == 1, reply[:400]
    assert statuses(reply)[0] in (400, 413, 501), reply[:400]
    assert b"myeloma_adapter_" not in reply


def test_refusals_do_not_fill_the_log(ward, honest):
    lines = len(ward.daemon.lines)
    for _ in range(30):
        exchange(ward, b"GET /health HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n")
    assert len(ward.daemon.lines) <= lines + 1, "one line a minute"


def test_what_a_nul_hides_has_no_key(ward, honest):
    """libmicrohttpd 0.9.75 ends a value at NUL, which no proxy may hand on (RFC 9110, 5.5). Were there
    one that does, the hidden request would be a stranger's."""
    hidden = b"PUT /hook/Observation/Observation/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
    reply = exchange(ward, hook(ward, b"Content-Length: 0\0%d\r\n" % len(hidden)) + hidden)
    assert statuses(reply) == [200, 401]


ODD = {"another protocol": b"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
       "HTTP/0.9": b"GET /health\r\n", "HTTP/3.7": b"GET /health HTTP/3.7\r\nHost: a\r\n\r\n",
       "no path": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", "no method": b" /health HTTP/1.1\r\n\r\n",
       "NUL everywhere": b"\0" * 10_000, "every byte": bytes(range(256)) * 40,
       "a tunnel": b"CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n",
       "a proxy": b"GET http://10.0.0.1/ HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n",
       "an upgrade": (b"GET /health HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\n"
                      b"Upgrade: websocket\r\n\r\n"),
       "a name with NUL": b"GET /hea\0lth HTTP/1.0\r\nHost: a\r\n\r\n",
       "dots": b"GET /../../etc/passwd HTTP/1.0\r\nHost: a\r\n\r\n"}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_request_gets_no_more_than_a_refusal(ward, honest, name):
    reply = exchange(ward, ODD[name])
    assert b"root:" not in reply
    assert len(statuses(reply)) <= 1
    assert name == "an upgrade" or 200 not in statuses(reply), reply[:300]


# JSON

JSON = {
    "arrays in arrays": lambda n: b"[" * n,
    "objects in objects": lambda n: b'{"a":' * (n // 5),
    "arrays in a resource": lambda n: (b'{"resourceType":"Observation","id":"x","a":'
                                       + b"[" * (n - 50)),
    "a million of empty arrays": lambda n: (b'{"resourceType":"Observation","id":"x","a":['
                                            + b",".join([b"[]"] * ((n - 50) // 3)) + b"]}"),
    "numbers, one beside another": lambda n: (b'{"resourceType":"Observation","id":"x","a":['
                                              + b",".join([b"0"] * ((n - 50) // 2)) + b"]}"),
    "names, one beside another": lambda n: (
        b'{"resourceType":"Observation","id":"x",'
        + b",".join(b'"%d":0' % i for i in range((n - 50) // 11)) + b"}"),
    "a name again and again": lambda n: (b'{"resourceType":"Observation","id":"x",'
                                         + b",".join([b'"a":0'] * ((n - 50) // 6)) + b"}"),
    "a number without end": lambda n: (b'{"resourceType":"Observation","id":"x","valueQuantity":'
                                       b'{"value":' + b"9" * (n - 80) + b"}}"),
    "an exponent without end": lambda n: (b'{"resourceType":"Observation","id":"x",'
                                          b'"valueQuantity":{"value":1e999999999}}'),
    "a string without end": lambda n: (b'{"resourceType":"Observation","id":"x","status":"'
                                       + b"a" * (n - 80) + b'"}'),
    "backslashes": lambda n: (b'{"resourceType":"Observation","id":"x","status":"'
                              + b"\\\\" * ((n - 80) // 2) + b'"}'),
    "half characters": lambda n: (b'{"resourceType":"Observation","id":"x","status":"'
                                  + b"\\ud800" * ((n - 80) // 6) + b'"}'),
    "entries of a Bundle": lambda n: (b'{"resourceType":"Bundle","type":"history","entry":['
                                      + b",".join([b"{}"] * ((n - 60) // 3)) + b"]}"),
    "resources within resources": lambda n: b'{"resourceType":"Bundle","entry":[{"resource":' * (
        n // 47),
}


@pytest.mark.parametrize("name", JSON)
def test_deep_and_huge_json_is_bounded(ward, honest, name):
    """Ten at once, each as long as a body may be."""
    body = JSON[name](BODY_MAX)
    assert len(body) <= BODY_MAX
    head = hook(ward, b"Content-Length: %d\r\nContent-Type: application/fhir+json\r\n" % len(body))
    for _ in range(ROUNDS):
        peers = [peer_of(ward, n) for n in range(10)]
        for peer in peers:
            send(peer, head + body)
        for peer in peers:
            assert statuses(peer.recv(65536))[0] in (200, 400)
            peer.close()
    check_memory(ward)


# Bytes that drip

TLS_HELLO = bytes.fromhex("1603010200010001fc0303")
DRIPPING = {
    "nothing": lambda ward: (b"", b""),
    "empty lines": lambda ward: (b"", b"\r\n"),
    "in the request line": lambda ward: (b"GET /", b"a"),
    "in a header's name": lambda ward: (b"GET /health HTTP/1.1\r\n", b"a"),
    "in a header": lambda ward: (b"GET /health HTTP/1.1\r\nHost: ", b"a"),
    "headers": lambda ward: (b"GET /health HTTP/1.1\r\n", b"a: b\r\n"),
    "in the body": lambda ward: (hook(ward, b"Content-Length: 90000\r\n"), b" "),
    "in a chunk's size": lambda ward: (hook(ward, CHUNKED), b"0"),
    "in a chunk's extension": lambda ward: (hook(ward, CHUNKED) + b"2;", b"a"),
    "in a chunk": lambda ward: (hook(ward, CHUNKED) + b"9000\r\n", b" "),
    "chunks": lambda ward: (hook(ward, CHUNKED), b"1\r\n \r\n"),
    "trailers": lambda ward: (hook(ward, CHUNKED) + b"2\r\n{}\r\n0\r\n", b"a: b\r\n"),
    "in the second request": lambda ward: (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /", b"a"),
    "as if it were TLS": lambda ward: (TLS_HELLO, b"\x00"),
}


def drip(ward, peers):
    """Until every peer was hung up upon, a byte now and then to each. What keeps a byte coming would
    live for ever, were there no absolute limit."""
    waiting = dict(peers)

    def all_cut():
        for name, (peer, more) in list(waiting.items()):
            peer.settimeout(0)
            gone = bool(more) and not send(peer, more)
            try:
                gone = gone or peer.recv(65536) == b""
            except BlockingIOError:
                pass
            except OSError:
                gone = True
            if gone:
                del waiting[name]
        return not waiting
    wait_until(all_cut, what="all are cut off", explain=lambda: f"left: {list(waiting)}",
               every=0.05)


def test_bytes_that_drip_keep_no_connection(ward, honest):
    peers = {}
    for number, (name, make) in enumerate(DRIPPING.items()):
        first, more = make(ward)
        peer = peer_of(ward, number)
        send(peer, first)
        peers[name] = peer, more
    drip(ward, peers)
    for peer, _ in peers.values():
        peer.close()


def test_an_answer_that_nobody_takes_keeps_no_connection(ward, honest):
    """Hundreds of requests in one piece, and not a byte of the answers is read."""
    peers = []
    for number in range(20):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.bind((f"127.66.0.{number + 1}", 0))
        peer.connect(("127.0.0.1", ward.daemon.port))
        peer.settimeout(0.2)
        send(peer, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 400)
        peers.append(peer)
    honest.served()

    def all_cut():
        return not any(established(ward.daemon.port, peer.getsockname()) for peer in peers)
    wait_until(all_cut, what="all are cut off", every=0.1)
    for peer in peers:
        peer.close()


def established(port, name):
    """Does the daemon still have this connection open?"""
    ours = f"0100007F:{port:04X}"
    theirs = "".join(f"{int(part):02X}" for part in reversed(name[0].split("."))) + f":{name[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(line.split()[1:4] == [ours, theirs, "01"] for line in file)


# Thousands of connections

class Crowd:
    """Connections that say nothing, or the half of something, for as long as they are let."""

    def __init__(self, ward, addresses):
        self.ward, self.addresses, self.peers, self.opened = ward, addresses, [], 0

    def grow(self, count, say=b""):
        for _ in range(count):
            peer = socket.socket()
            peer.setblocking(False)
            number = self.opened % self.addresses
            peer.bind((f"127.66.{number // 250}.{number % 250 + 1}", 0))
            with contextlib.suppress(BlockingIOError):
                peer.connect(("127.0.0.1", self.ward.daemon.port))
            self.peers.append(peer)
            self.opened += 1
            if say:
                with contextlib.suppress(OSError):
                    peer.send(say)

    def end(self):
        for peer in self.peers:
            peer.close()


def room():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(CONNECTIONS, hard - 300)


@pytest.fixture(scope="module")
def patient_ward(shared_house):
    """With the limits of time as they are by default: only its place in the row ends a connection."""
    sizes = {name: HOOK[name] for name in ("connections", "connectionsPerPeer", "bodyMax")}
    ward = shared_house.ward(settings={**SLOW, "hook": sizes, "logLevel": "info"})
    ward.write(*treated("honest"))
    return ward


@pytest.mark.parametrize("say", [b"", b"GET /health HTTP/1.1\r\nHost: a\r\nX: "],
                         ids=["silent", "half a head"])
@pytest.mark.parametrize("addresses", [1, 1000], ids=["one address", "1000 addresses"])
def test_thousands_of_connections_keep_nobody_out(patient_ward, addresses, say):
    """Neither one who comes new nor one who was there before."""
    ward, wanted = patient_ward, room()
    honest, crowd = Honest(ward), Crowd(ward, addresses)
    print(f"{wanted} connections")
    honest.start()
    with contextlib.closing(honest.connection()) as steady:
        assert honest.send_by(steady, 1_000_000) == 200
        try:
            while crowd.opened < wanted:
                crowd.grow(min(250, wanted - crowd.opened), say)
                honest.served(1)
            honest.served(10)
            assert honest.send_by(steady, 1_000_001) == 200
            descriptors = len(os.listdir(f"/proc/{ward.daemon.process.pid}/fd"))
            assert descriptors < HOOK["connections"] + 100, descriptors
        finally:
            crowd.end()
    honest.end()
    check_memory(ward)


def test_connections_that_come_and_go_leave_nothing(ward, honest):
    """Opened and reset at once, again and again: descriptors do not grow."""
    pid = ward.daemon.process.pid
    for _ in range(room() // 100):
        peers = [peer_of(ward, n) for n in range(100)]
        for peer in peers:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()
    honest.served()
    wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 60, what="few descriptors",
               explain=lambda: str(len(os.listdir(f"/proc/{pid}/fd"))))


# TLS

@pytest.fixture(scope="module")
def guarded(shared_house, tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("ca"), "hostile-ca")
    certificate, key = authority.sign("hook")
    hospital = shared_house.hospital()
    daemon = shared_house.daemon(hospital.base, start=False, settings={
        **SLOW, "hook": {**HOOK, "certificateFile": certificate, "keyFile": key}})
    daemon.config["hook"]["url"] = f"https://127.0.0.1:{daemon.port}/hook"
    daemon.tls = ssl.create_default_context(cafile=str(authority.certificate))
    daemon.start().wait_ready()
    ward = Ward(hospital, daemon)
    ward.subscribed()
    ward.write(*treated("honest"))
    return ward


GARBAGE = {"plain HTTP": b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "zeros": b"\0" * 70_000,
           "half a hello": TLS_HELLO, "a hello of lies": TLS_HELLO + b"\xff" * 600,
           "records without end": b"\x16\x03\x01\x40\x00" + b"\x01" * 70_000,
           "alerts": b"\x15\x03\x01\x00\x02\x02\x28" * 5_000, "old SSL": b"\x80\x2e\x01\x00\x02" * 9,
           "every byte": bytes(range(256)) * 300}


def test_garbage_instead_of_tls_keeps_nobody_out(guarded):
    honest = Honest(guarded, guarded.daemon.tls)
    honest.start()
    for _ in range(ROUNDS):
        peers = [(peer_of(guarded, n), data) for n, data in enumerate(GARBAGE.values())]
        for peer, data in peers:
            send(peer, data)
        for peer, _ in peers:
            assert statuses(rest(peer)) == []
            peer.close()
        honest.served(2)
    drip(guarded, {name: (peer_of(guarded, n), b"\1")
                   for n, name in enumerate(("one", "two", "three"))})
    honest.served()
    honest.end()
    check_memory(guarded)
