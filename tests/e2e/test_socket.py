"""Subscriptions by WebSocket: bound in the manner of each server, bound again after every break, and
nothing lost in between. There is no hook: nobody calls the daemon."""
import os

import pytest

from real_ward import RealHospital, RealWard, make_topics
from waiting import wait_until
from ward import SLOW, low, result, treated

TYPES = ("MedicationRequest", "Observation", "Condition")


def by_socket(**more):
    return {**SLOW, "subscribe": {"channel": "websocket", **more}}


def long_form(*values):
    """Parameters of make torture alone."""
    short = os.environ.get("MM_TORTURE") != "1"
    return [pytest.param(v, marks=pytest.mark.skipif(short, reason="long form")) for v in values]


# style of the server -> settings that its Subscriptions need
STYLES = {"hapi": by_socket(), "backport": by_socket(by="topic"),
          "medplum": {**by_socket(), "server": {"startActive": True}}}


def bound_ward(house, style="hapi", settings=None, wait=True, prepare=None, **options):
    """A ward whose daemon is bound for every type, and has polled since."""
    names = {"software": "medplum"} if style == "medplum" else {}
    hospital = house.hospital(style=style, websocket=True, **{**names, **options})
    if prepare:
        prepare(hospital)
    ward = house.ward(hospital=hospital, hook=False, ready=False,
                      settings=settings or STYLES[style])
    return bound(ward) if wait else ward


def bound(ward, since=0):
    for rtype in TYPES:
        line = ward.daemon.wait_log(f"event=socket-bound type={rtype} ", since=since)
        ward.daemon.wait_log(f"event=polled type={rtype} ",
                             since=ward.daemon.lines.index(line, since))
    wait_until(lambda: len(ward.hospital.sockets.bound()) == 3, what="all are bound",
               explain=ward.explain)
    return ward


def polled(ward):
    """How often each type was searched by the poll."""
    return len(ward.hospital.requests_of("GET", "_lastUpdated"))


# ---- what is told

@pytest.mark.parametrize("style", STYLES)
def test_what_changes_is_told_on_the_socket(house, style):
    ward = bound_ward(house, style)
    low(ward, "told")
    assert ward.hospital.sockets.told >= 5
    ward.hospital.delete("MedicationRequest", "told-lenalidomide")
    if style != "hapi":     # HAPI's ping is found by a search, which shows no deletion
        ward.alert("told", status="retracted")


@pytest.mark.parametrize("style, texts", [
    ("hapi", "bind "), ("backport", "bind-with-token "),
    ("medplum", "{\"type\":\"bind-with-token\"")])
def test_each_server_is_bound_in_its_own_manner(house, style, texts):
    ward = bound_ward(house, style)
    heard = ward.hospital.sockets.heard
    assert len([text for text in heard if text.startswith(texts)]) == 3, heard
    assert all(path in ("/websocket", "/socket") for path, _ in ward.hospital.sockets.heads)


def test_a_guide_that_wants_a_colon_is_understood(house):
    def with_colon(hospital):
        hospital.sockets.colon = True
        # Nobody answers to what it does not know: an end of the connection makes it quick.
        hospital.sockets.misbehave("close", 3)
    ward = bound_ward(house, "backport", prepare=with_colon)
    assert any(text.startswith("bind-with-token: ") for text in ward.hospital.sockets.heard)
    low(ward, "colon")


def test_json_is_tried_where_the_guides_words_are_not_answered(house):
    settings = {**by_socket(), "server": {"startActive": True, "request": "1 s"}}
    ward = bound_ward(house, "medplum", settings=settings, software="a server of its own")
    heard = ward.hospital.sockets.heard
    firsts = [text.split()[0] for text in heard if text.startswith("bind")]
    assert firsts.count("bind-with-token") == firsts.count("bind-with-token:") == 3, heard


def test_the_subscriptions_say_websocket_and_no_secret(house):
    ward = bound_ward(house)
    for rtype, subscription in ward.subscriptions().items():
        channel = subscription["channel"]
        assert channel["type"] == "websocket" and not channel.get("header")
        assert subscription["criteria"] == rtype + "?"


def test_many_pings_are_few_searches(house):
    ward = bound_ward(house)
    ward.write(*treated("many"))
    before = polled(ward)
    ward.write(*[result("many", 3.0, name=f"many-{i}") for i in range(300)])
    ward.write(result("many", 0.8, name="many-last", when="-1 min"))
    ward.alert("many")
    ward.settle()
    assert polled(ward) - before < 150      # 301 changes, 200 ms are one search


# ---- breaks

@pytest.mark.parametrize("style", ["hapi", *long_form("backport", "medplum")])
def test_what_is_told_in_a_gap_is_found_after_it(house, style):
    ward = bound_ward(house, style)
    ward.hospital.sockets.misbehave("busy", 3)
    since = len(ward.daemon.lines)
    ward.hospital.sockets.cut()
    wait_until(lambda: not ward.hospital.sockets.bound(), what="nobody is bound")
    ward.write(*treated("gap"), result("gap", 0.8))
    ward.alert("gap")
    bound(ward, since)
    low(ward, "after")


def test_a_server_that_restarts_is_bound_again(house):
    ward = bound_ward(house)
    since = len(ward.daemon.lines)
    ward.hospital.stop()
    ward.daemon.wait_log("event=socket-lost", since=since)
    ward.hospital.start()
    bound(ward, since)
    low(ward, "again")


@pytest.mark.parametrize("how", ["garbage", "strange", *long_form("refuse", "close", "huge")])
def test_a_socket_that_misbehaves_does_not_keep_us_from_binding(house, how):
    ward = bound_ward(house, prepare=lambda h: h.sockets.misbehave(how, 3), wait=False)
    low(bound(ward), "well")
    log = ward.daemon.log()
    codes = {"refuse": "socket.refused", "close": "socket.closed", "garbage": "socket.protocol",
             "huge": "socket.protocol", "strange": "socket.stranger"}
    assert codes[how] in log
    assert "garbage" not in log and "someone-elses" not in log and "what is this" not in log


def test_a_server_that_does_not_bind_is_asked_anew(house):
    ward = bound_ward(house, prepare=lambda h: h.sockets.misbehave("deaf", 3), wait=False,
                      settings={**by_socket(), "server": {"request": "1 s"}})
    ward.daemon.wait_log("event=socket-failed .*code=socket.unbound")
    low(bound(ward), "deaf")


def test_a_subscription_that_is_switched_off_is_asked_for_and_bound_again(house):
    ward = bound_ward(house)
    since = len(ward.daemon.lines)
    sid = ward.subscriptions()["Observation"]["id"]
    ward.hospital.change_subscription(sid, status="off")
    ward.hospital.sockets.cut()       # HAPI refuses to bind what is off: it is looked at, and mended
    ward.daemon.wait_log("event=subscription-repaired type=Observation", since=since)
    ward.daemon.wait_log("event=socket-bound type=Observation", since=since)
    low(ward, "mended")


# ---- tokens

@pytest.mark.parametrize("style", ["backport", *long_form("medplum")])
def test_a_token_is_renewed_on_the_same_connection(house, style):
    ward = bound_ward(house, style,
                      prepare=lambda h: setattr(h.sockets, "token_seconds", 3))
    heads = len(ward.hospital.sockets.heads)
    heard = len(ward.hospital.sockets.heard)
    wait_until(lambda: len(ward.hospital.sockets.heard) >= heard + 6, what="two renewals of each",
               explain=ward.explain)
    assert len(ward.hospital.sockets.heads) == heads == 3
    low(ward, "renewed")
    assert "socket-lost" not in ward.daemon.log()


def test_a_token_that_ends_early_is_a_break_like_any_other(house):
    ward = bound_ward(house, "backport")
    since = len(ward.daemon.lines)
    for session in list(ward.hospital.sockets.sessions):
        session.close(1008, "the token has ended")
    bound(ward, since)
    low(ward, "ended")


@pytest.mark.parametrize("colon, status", [(False, 404), (True, 403)], ids=str)
def test_a_token_that_was_refused_once_is_asked_for_again(house, colon, status):
    """A server that gives tokens is no other one because it refuses once: nobody would ever bind."""
    settings = {**by_socket(by="topic"), "server": {"request": "1 s"}}
    ward = bound_ward(house, "backport", settings=settings,
                      prepare=lambda h: setattr(h.sockets, "colon", colon))
    since = len(ward.daemon.lines)
    ward.hospital.fail(path="get-ws-binding-token", times=3, answer=status)
    ward.hospital.sockets.cut()
    bound(ward, since)
    low(ward, "token")


# ---- who is told what

def test_credentials_go_to_the_server_alone(house, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-t0ken\n")
    settings = {**by_socket(), "server": {"tokenFile": str(token)}}
    ward = bound_ward(house, settings=settings, token="s3cret-t0ken")
    assert all(head["Authorization"] == "Bearer s3cret-t0ken"
               for _, head in ward.hospital.sockets.heads)


def test_another_origin_gets_no_credentials(house, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-t0ken\n")
    settings = {**by_socket(by="topic"), "server": {"tokenFile": str(token)}}
    ward = bound_ward(house, "backport", settings=settings, token="s3cret-t0ken", prepare=lambda h:
                      setattr(h.sockets, "url", f"ws://localhost:{h.port}/elsewhere"))
    assert {path for path, _ in ward.hospital.sockets.heads} == {"/elsewhere"}
    assert not any("Authorization" in head for _, head in ward.hospital.sockets.heads)
    assert "s3cret" not in ward.daemon.log()


def test_the_setting_says_where(house):
    settings = by_socket()
    hospital = house.hospital(websocket=True)
    settings["subscribe"]["webSocket"] = f"ws://127.0.0.1:{hospital.port}/by/setting"
    ward = bound(house.ward(hospital=hospital, hook=False, ready=False, settings=settings))
    assert {path for path, _ in hospital.sockets.heads} == {"/by/setting"}
    low(ward, "setting")


def test_a_clean_end_says_good_bye(house):
    ward = bound_ward(house)
    assert ward.daemon.stop() == 0
    wait_until(lambda: not ward.hospital.sockets.sessions, what="no connection")
    assert "loop-not-empty" not in ward.daemon.log()


# ---- a real server

@pytest.fixture
def real(hapi_of_release, house):
    """A real HAPI, and a daemon that hears of it by WebSocket alone."""
    hospital = RealHospital(hapi_of_release.base, hapi_of_release.release)
    make_topics(hospital)
    daemon = house.daemon(hapi_of_release.base, hook=False,
                          settings={"name": "by-socket", "poll": {"every": "1 h",
                                                                  "subscriptions": "1 s"},
                                    "subscribe": {"channel": "websocket"}})
    daemon.wait_ready()
    yield RealWard(hospital, daemon)
    daemon.stop()


def bound_to_real(ward, since=0):
    for rtype in TYPES:
        ward.daemon.wait_log(f"event=socket-bound type={rtype} ", deadline=120, since=since)


@pytest.mark.parametrize("hapi_of_release", ["R4", *long_form("R4B", "R5")], indirect=True)
def test_hapi_tells_on_its_socket(real):
    bound_to_real(real)
    low(real, f"socket-{real.hospital.release}")


@pytest.mark.parametrize("hapi_of_release", long_form("R4"), indirect=True)
def test_hapi_tells_on_its_socket_again_after_a_crash(real, hapi_of_release):
    bound_to_real(real)
    since = len(real.daemon.lines)
    hapi_of_release.kill()
    real.daemon.wait_log("event=socket-lost", since=since)
    hapi_of_release.start()
    bound_to_real(real, since)
    low(real, "socket-crash")
