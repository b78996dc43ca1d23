"""How the tests wait: for a condition, never for a time."""
import os
import random
import socket
import time

# For a machine that is busy with other things: whoever waits goes on as soon as it is there.
DEADLINE = 60


class TooLate(AssertionError):
    """What was waited for did not come before the deadline."""


def wait_until(condition, deadline=DEADLINE, what="the condition", explain=None, every=0.02):
    """The first true value of condition(). explain() gives more for the reader of a failure."""
    end = time.monotonic() + deadline
    while True:
        late = time.monotonic() > end      # before the look: there is one behind the deadline
        value = condition()
        if value:
            return value
        if late:
            more = explain() if explain else ""
            raise TooLate(f"not within {deadline:g} s: {what}\n{more}".rstrip())
        time.sleep(every)


_FIRST, _LAST, _ENOUGH, _GIVEN = 20000, 65535, 2000, set()
# Of runs side by side (tests/jobs.py) each takes ports of its own, so that none is given twice.
_LANE, _LANES = map(int, os.environ.get("MM_LANE", "0/1").split("/"))


def ports_for_servers(low, high):
    """Outside of the ports low to high, which the kernel gives to outgoing connections; where it
    takes nearly all, any."""
    every = range(_FIRST, _LAST + 1)
    calm = [port for port in every if not low <= port <= high]
    return calm if len(calm) >= _ENOUGH else every


def free_port():
    """A port of this machine that nobody has. It lies outside those that the kernel gives to
    outgoing connections, so that it stays free until it is used, and while its owner is away."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        ports = ports_for_servers(*map(int, file.read().split()))[_LANE::_LANES]
    for port in random.SystemRandom().sample(ports, len(ports)):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port
    raise OSError("no port is free")
