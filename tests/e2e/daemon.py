"""The daemon under test: a configuration, a process, its log, its end."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

from waiting import DEADLINE, free_port, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
from few_rules import few_rules  # noqa: E402

BINARY = os.path.abspath(os.environ.get("MYELOMA_ADAPTER",
                                        os.path.join(ROOT, "build/release/myeloma-adapter")))


class Daemon:
    """One life of `myeloma-adapter run`, or several on the same store: start(), stop(), kill()."""

    def __init__(self, base, folder, on_log=None, settings=None, mappings=None, hook=True,
                 environment=None, binary=BINARY, user=None):
        self.binary, self.user = binary, user
        self.base, self.folder, self.on_log = base, str(folder), on_log
        self.mappings = mappings or str(few_rules())
        self.environment = environment or {}
        self.port = free_port()
        self.lines, self.process, self.reader = [], None, None
        self.config_path = os.path.join(self.folder, "adapter.json")
        self.config = {"name": "test", "store": os.path.join(self.folder, "adapter.db"),
                       "mappings": self.mappings, "logLevel": "debug", "server": {"base": base},
                       "poll": {"every": "2 s", "subscriptions": "2 s", "overlap": "30 s"}}
        if hook:
            self.config["hook"] = {"listen": f"127.0.0.1:{self.port}",
                                   "url": f"http://127.0.0.1:{self.port}/hook"}
        self.tls = None   # what trusts the certificate of a listener with TLS
        for section, values in (settings or {}).items():
            if isinstance(values, dict):
                self.config.setdefault(section, {}).update(values)
            else:
                self.config[section] = values

    def write_config(self):
        with open(self.config_path, "w", encoding="utf-8") as file:
            json.dump(self.config, file, indent=2)

    def start(self):
        self.write_config()
        self.process = subprocess.Popen(
            [self.binary, "run", "--config", self.config_path], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, user=self.user,
            env={**os.environ, **self.environment})
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        return self

    def _read(self, process):
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self.lines.append(line)
            if self.on_log:
                self.on_log(line)

    def log(self):
        return "\n".join(self.lines)

    def wait_log(self, pattern, deadline=DEADLINE, since=0):
        """The first log line (behind `since` lines) that matches."""
        def found():
            ended = self.process.poll() is not None and not self.reader.is_alive()
            line = next((line for line in self.lines[since:] if re.search(pattern, line)), None)
            if ended and line is None:
                raise AssertionError(f"the daemon ended with {self.process.returncode} before "
                                     f"{pattern!r}:\n{self.log()}")
            return line
        return wait_until(found, deadline, repr(pattern), lambda: self.log()[-6000:])

    def wait_ready(self, deadline=DEADLINE, since=0):
        return self.wait_log(r"event=ready\b", deadline, since)

    def restart(self):
        """A clean stop, and a new life on the same store; the log goes on."""
        assert self.stop() == 0, self.log()[-3000:]
        since = len(self.lines)
        self.start()
        self.wait_ready(since=since)
        return since

    def stop(self, deadline=DEADLINE):
        """SIGTERM, and a clean end."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait_end(deadline) if self.process else None

    def wait_end(self, deadline=DEADLINE):
        """Its exit code, when it has ended and the whole log is read."""
        code = self.process.wait(deadline)
        self.reader.join(deadline)
        return code

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.wait_end()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.kill()

    # ---- the listener

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body) of a request to the listener."""
        scheme = "https" if self.tls else "http"
        request = urllib.request.Request(f"{scheme}://127.0.0.1:{self.port}{path}", data=body,
                                         method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE, context=self.tls) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def metrics(self):
        """The counters and gauges, without the prefix of their names."""
        status, _, body = self.request("GET", "/metrics")
        assert status == 200, body
        rows = (line.split() for line in body.decode().splitlines() if not line.startswith("#"))
        return {name.removeprefix("myeloma_adapter_"): int(value) for name, value in rows}

    # ---- the store, as an operator's sqlite3 sees it

    def query(self, sql):
        path = urllib.parse.quote(self.config["store"])
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True,
                                                timeout=DEADLINE)) as store:
            return store.execute(sql).fetchall()

    def owed(self):
        """Events that wait, deliveries that wait."""
        return self.query("SELECT (SELECT count(*) FROM event WHERE state = 0),"
                          " (SELECT count(*) FROM outbox WHERE state = 0)")[0]

    def journal(self):
        """The number of events that were ever accepted."""
        return self.query("SELECT count(*) FROM event")[0][0]
