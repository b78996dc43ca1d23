"""The WebSocket of the stand-in hospital, in the manner of its style:

  hapi      "bind ID" -> "bound ID", then "ping ID" for each match; an id that it does not know is
            answered by closing (1002)
  backport  $get-ws-binding-token, "bind-with-token TOKEN" (with a colon if `colon` is set), then
            the handshake and event notifications
  medplum   the same in JSON frames, for Subscriptions by criteria

misbehave() makes the next connections go wrong; a token that runs out ends its connection.
"""
import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
import uuid

SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
NORMAL, AWAY, PROTOCOL, POLICY = 1000, 1001, 1002, 1008


class Gone(Exception):
    """The connection has ended."""


class Session:
    """One connection; bound to Subscriptions by id."""

    def __init__(self, connection, reader):
        self.connection, self.reader = connection, reader
        self.lock = threading.Lock()
        self.bound = {}          # Subscription id -> when the token ends, or None
        self.pongs = 0

    def send(self, opcode, data=b""):
        data = data.encode() if isinstance(data, str) else data
        size = len(data)
        head = bytes((0x80 | opcode, size)) if size < 126 else \
            bytes((0x80 | opcode, 126)) + struct.pack(">H", size) if size < 65536 else \
            bytes((0x80 | opcode, 127)) + struct.pack(">Q", size)
        self.send_raw(head + data)

    def send_raw(self, data):
        with self.lock, contextlib.suppress(OSError):
            self.connection.sendall(data)

    def close(self, code, reason=""):
        self.send(CLOSE, struct.pack(">H", code) + reason.encode())
        self.cut()

    def cut(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _read(self, size):
        data = self.reader.read(size)
        if data is None or len(data) < size:
            raise Gone
        return data

    def receive(self):
        """Opcode and payload of one frame; a client's is masked (RFC 6455, 5.3)."""
        first, second = self._read(2)
        assert first & 0x80 and second & 0x80, "our client sends whole, masked frames"
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack(">H", self._read(2))
        mask = self._read(4)
        data = self._read(size)
        return first & 0x0f, bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))


class Sockets:
    def __init__(self, hospital):
        self.hospital = hospital
        self.lock = threading.Lock()
        self.sessions, self.tokens = set(), {}
        self.plans = []            # how the next connections go wrong
        self.heads, self.heard = [], []
        self.told = 0              # notifications that were sent
        self.colon = False
        self.token_seconds = 3600
        self.url = None            # websocket-url, if not the default one

    # ---- for tests

    def misbehave(self, how, times=1):
        """refuse, busy: no upgrade. deaf: no answer to the binding. close: the answer is an end.
        garbage, huge, strange: that, right after the binding."""
        self.plans += [how] * times

    def bound(self, rtype=None):
        """Ids of the Subscriptions (for a type) that somebody is bound to."""
        ids = {sid for session in list(self.sessions) for sid in session.bound}
        return {sid for sid in ids if rtype is None or self._is_for(sid, rtype)}

    def _is_for(self, sid, rtype):
        head = self.hospital.store.latest("Subscription", sid)
        return head.resource["channel"]["endpoint"].endswith("/" + rtype)

    def cut(self):
        """Every connection ends without a word."""
        for session in list(self.sessions):
            session.cut()

    # ---- the connection

    def wants(self, handler):
        return self.hospital.options.websocket and \
            handler.headers.get("Upgrade", "").lower() == "websocket"

    def serve(self, handler):
        handler.close_connection = True
        self.heads.append((handler.path, dict(handler.headers)))
        with self.lock:
            plan = self.plans.pop(0) if self.plans else None
        if plan in ("refuse", "busy"):
            status = "403 Forbidden" if plan == "refuse" else "503 Busy\r\nRetry-After: 1"
            handler.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        key = handler.headers["Sec-WebSocket-Key"] + SUFFIX
        proof = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        handler.wfile.write(("HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                             f"Sec-WebSocket-Accept: {proof}\r\n\r\n").encode())
        session = Session(handler.connection, handler.rfile)
        self.sessions.add(session)
        try:
            while True:
                self._frame(session, plan, *session.receive())
        except (Gone, OSError):
            pass
        finally:
            self.sessions.discard(session)
            session.cut()

    def _frame(self, session, plan, opcode, data):
        if opcode == PING:
            session.send(PONG, data)
        elif opcode == PONG:
            session.pongs += 1
        elif opcode == CLOSE:
            session.send(CLOSE, data[:2])
            raise Gone
        else:
            self.heard.append(data.decode())
            if plan == "close":
                session.close(PROTOCOL, "Invalid bind request")
            elif plan != "deaf":
                self._text(session, data.decode())
                self._upset(session, plan)

    def _upset(self, session, plan):
        if plan == "garbage":
            session.send_raw(b"\xff\xff\xffgarbage")
        elif plan == "huge":
            session.send_raw(b"\x81\x7f" + struct.pack(">Q", 1 << 40) + b"x" * 1024)
        elif plan == "strange":
            session.send(TEXT, "ping someone-elses")
            session.send(TEXT, "{\"resourceType\":\"Bundle\"")
            session.send(TEXT, "what is this?")
            session.send(TEXT, "")

    # ---- binding

    def _text(self, session, text):
        style = self.hospital.options.style
        if style == "hapi":
            self._bind_id(session, text)
        elif style == "backport":
            word = "bind-with-token: " if self.colon else "bind-with-token "
            if text.startswith(word) and " " not in text[len(word):]:
                self._bind_token(session, text[len(word):])
        else:
            self._json(session, text)

    def _bind_id(self, session, text):
        if session.bound or not text.startswith("bind "):
            session.send(TEXT, "Unexpected client message: " + text)
            return
        sid = text[5:]
        head = self.hospital.store.latest("Subscription", sid)
        if not head or not head.resource or head.resource["status"] != "active" or \
                head.resource["channel"]["type"] != "websocket":
            session.close(PROTOCOL, "Invalid bind request - Unknown subscription: " + sid)
            return
        session.bound[sid] = None
        session.send(TEXT, "bound " + sid)

    def _bind_token(self, session, token):
        sid, ends = self.tokens.get(token, (None, 0))
        if sid is None or ends < time.monotonic():
            session.close(POLICY, "token")
            return
        session.bound[sid] = ends
        self.hospital.notifier.later(ends - time.monotonic() + 0.01,
                                     lambda: self._expire(session, sid))
        head = self.hospital.store.latest("Subscription", sid)
        session.send(TEXT, self._message(head, "handshake", []))

    def _expire(self, session, sid):
        if session.bound.get(sid, 0) < time.monotonic():
            session.close(POLICY, "the token has ended")

    def _json(self, session, text):
        frame = json.loads(text) if text.startswith("{") else {}
        if frame.get("type") == "ping":
            session.send(TEXT, '{"type":"pong"}')
        elif frame.get("type") == "bind-with-token":
            self._bind_token(session, frame["payload"]["token"])

    # ---- the operation

    def token(self, head):
        """$get-ws-binding-token; None: this server has none."""
        options = self.hospital.options
        if options.style == "hapi" or not options.websocket:
            return None
        token = uuid.uuid4().hex
        self.tokens[token] = (head.id, time.monotonic() + self.token_seconds)
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.token_seconds))
        url = self.url or f"ws{self.hospital.origin[4:]}/socket"
        return {"resourceType": "Parameters", "parameter": [
            {"name": "token", "valueString": token},
            {"name": "expiration", "valueDateTime": end},
            {"name": "subscription", "valueString": head.id},
            {"name": "websocket-url", "valueUrl": url}]}

    # ---- telling

    def tell(self, head, job):
        """Whoever is bound hears of it; what nobody hears is lost, as HAPI has it."""
        events = [(job.number, job.version)]
        text = f"ping {head.id}" if self.hospital.options.style == "hapi" else \
            self._message(head, "event-notification", events)
        for session in list(self.sessions):
            if head.id in session.bound:
                session.send(TEXT, text)
                self.told += 1
        return True

    def _message(self, head, kind, events):
        from hospital import dump   # it imports us
        if self.hospital.options.style == "medplum":
            return dump(self._medplum(head, kind, events))
        return dump(self.hospital.notifier.bundle(head, kind, events))

    @staticmethod
    def _medplum(head, kind, events):
        """Its event number is always 0: nothing can be seen to be missing."""
        from hospital import instant, load, now_ms
        status = {"resourceType": "SubscriptionStatus", "type": kind, "status": "active",
                  "subscription": {"reference": head.reference}}
        entries = [{"resource": status}]
        if events:
            status["notificationEvent"] = [{"eventNumber": "0", "focus": {
                "reference": version.reference}} for _number, version in events]
            entries += [{"fullUrl": version.reference, "resource": load(version.text)}
                        for _number, version in events if version.resource is not None]
        return {"resourceType": "Bundle", "type": "history", "timestamp": instant(now_ms()),
                "entry": entries}
