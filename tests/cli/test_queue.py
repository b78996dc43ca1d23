"""`myeloma-adapter queue` on a store that no process has open: what is listed and shown, what retry
and drop do, and what is refused. Beside a daemon it is tested in tests/e2e/test_ledger.py."""
import json
import os
import pathlib
import sqlite3

import pytest

from charts import program

OLD = pathlib.Path(__file__).parent.parent / "golden/store/version-1.sql"

# What stands in that file, as it is listed: set aside, parked, owed, waiting.
ASIDE, PARKED, OWED, WAITING, HINT = "event/4", "alert/k2", "alert/k1", "event/2", "event/5"


@pytest.fixture
def store(tmp_path):
    """A store as a daemon that was stopped has left it, with one item of every state."""
    path = tmp_path / "adapter.db"
    with sqlite3.connect(path) as db:
        db.executescript(OLD.read_text())
    db.close()
    path.chmod(0o600)
    assert queue(path, "retry", "--reason", "of.none").code == 1    # brings the schema up to date
    return path


def queue(store, word, *arguments):
    return program("queue", word, "--store", store, *arguments)


def listed(store, *arguments):
    said = queue(store, "list", "--format", "json", *arguments)
    assert said.code == 0, said.err
    return {item["item"]: item for item in map(json.loads, said.out.splitlines())}


def query(store, sql):
    with sqlite3.connect(store) as db:
        rows = db.execute(sql).fetchall()
    db.close()
    return rows


def test_everything_that_has_not_come_to_its_end_is_listed_what_needs_somebody_first(store):
    assert list(listed(store)) == [ASIDE, PARKED, OWED, WAITING, HINT]
    lines = queue(store, "list").out.splitlines()
    assert len(lines) == 6 and lines[0].split() == ["state", "since", "reason", "item", "what"]
    assert "aside" in lines[1] and "resource.shape" in lines[1] and ASIDE in lines[1]
    assert "server.refused: invalid" in lines[2] and "rule r2 for Patient/p1" in lines[2]
    assert "Observation/o2 of Patient/p1" in lines[4]


@pytest.mark.parametrize("arguments, want", [
    (["--state", "aside"], [ASIDE]), (["--state", "owed", "--state", "parked"], [PARKED, OWED]),
    (["--state", "waiting"], [WAITING, HINT]), (["--state", "dropped"], []),
    (["--reason", "server.refused"], [PARKED]), (["--reason", "server.refused: invalid"], [PARKED]),
    (["--reason", "server"], []), (["--reason", "resource.shape", "--state", "parked"], []),
    (["--state", "waiting", "--limit", "1"], [WAITING]),
], ids=lambda value: " ".join(value) or "nothing")
def test_a_list_can_be_narrowed(store, arguments, want):
    assert list(listed(store, *arguments)) == want


def test_a_list_that_is_cut_says_so(store):
    assert "--limit 0 shows all" in queue(store, "list", "--limit", "1").out
    assert "--limit" not in queue(store, "list", "--limit", "2").out
    assert queue(store, "list", "--state", "dropped").out == "nothing\n"


def test_an_event_and_an_alert_each_say_whether_they_are_evaluated_and_told(store):
    said = {}
    for item in (WAITING, PARKED, OWED):
        result = queue(store, "show", item, "--format", "json")
        said[item] = json.loads(result.out)
    assert said[WAITING]["evaluated"] == "no: it waits"
    assert said[WAITING]["told"] == "of its patient's alerts 1 are owed, 1 are parked"
    assert said[PARKED]["evaluated"] == "not with everything: of its patient's events 1 wait"
    assert said[PARKED]["told"] == "no: the server refused it"
    assert said[OWED]["told"] == "no: it is owed" and said[OWED]["alert"] == "open"
    queue(store, "drop", WAITING, "--because", "test")
    text = queue(store, "show", OWED, "event/1", "alert/k3").out
    assert "evaluated  yes: no event of its patient waits" in text
    assert "evaluated  yes: what it changed is known" in text
    assert "told       yes: it is on the server" in text and "DetectedIssue/mm-k3" in text


def test_what_is_not_there_cannot_be_shown(store):
    said = queue(store, "show", "event/99", ASIDE)
    assert said.code == 1 and "there is no event/99" in said.err and ASIDE in said.out


def test_what_is_set_aside_waits_again_with_its_payload(store):
    assert queue(store, "retry", ASIDE).out == "1 to be tried again\n"
    assert list(listed(store)) == [PARKED, OWED, WAITING, ASIDE, HINT]
    assert "reason" not in listed(store)[ASIDE]
    assert query(store, "SELECT body FROM payload WHERE seq = 4") == [("broken",)]


def test_what_is_parked_is_owed_again(store):
    query(store, "UPDATE outbox SET attempts = 7 WHERE key = 'k2'")
    assert queue(store, "retry", "--state", "parked").code == 0
    item = listed(store)[PARKED]
    assert (item["state"], item["tries"]) == ("owed", 0)


def test_a_drop_is_kept_with_what_was_said_and_counted(store):
    said = queue(store, "drop", ASIDE, PARKED, "--because", "of no use any more")
    assert (said.code, said.out) == (0, "2 dropped\n")
    dropped = listed(store, "--state", "dropped")
    assert {i: d["reason"] for i, d in dropped.items()} == dict.fromkeys(
        [ASIDE, PARKED], "of no use any more")
    assert list(listed(store)) == [OWED, WAITING, HINT]
    assert query(store, "SELECT count(*) FROM payload WHERE seq = 4") == [(0,)]
    assert query(store, "SELECT n FROM ledger WHERE via = 1 AND fate = 4") == [(1,)]
    assert query(store, "SELECT n FROM stock WHERE state = 3") == [(1,)]


def test_a_drop_by_reason_leaves_the_others(store):
    assert queue(store, "drop", "--reason", "server.refused", "--because", "x").out == "1 dropped\n"
    assert list(listed(store)) == [ASIDE, OWED, WAITING, HINT]


def test_what_was_dropped_can_be_taken_up_again_where_it_can_be_read_again(store):
    queue(store, "drop", ASIDE, WAITING, PARKED, "--because", "x")
    assert queue(store, "retry", "--state", "dropped").out == "2 to be tried again\n"
    assert set(listed(store)) == {PARKED, OWED, WAITING, HINT}
    assert set(listed(store, "--state", "dropped")) == {ASIDE}      # has neither id nor payload


def test_what_has_come_to_its_end_is_neither_tried_nor_dropped(store):
    for word, more in (("retry", []), ("drop", ["--because", "x"])):
        said = queue(store, word, "event/1", "alert/k3", "event/99", *more)
        assert said.code == 1 and said.out.startswith("0 ")
        assert said.err.count("nothing to " + word) == 3


@pytest.mark.parametrize("arguments, words", [
    (["list", "event/1"], "list takes no items"), (["show"], "show which item?"),
    (["show", "17"], '"17" is no item'), (["show", "event/0"], "is no item"),
    (["show", "event/1x"], "is no item"), (["show", "event/99999999999999999999"], "is no item"),
    (["show", "alert/"], "is no item"), (["retry"], "retry what?"), (["drop"], "drop what?"),
    (["drop", "event/1"], "drop wants --because"), (["retry", "event/1", "--because", "x"], "belongs to drop"),
    (["drop", "event/1", "--because", " "], "one line"),
    (["drop", "event/1", "--because", "a\nb"], "one line"),
    (["drop", "event/1", "--because", "x" * 201], "up to 200 bytes"),
    (["retry", "event/1", "--state", "aside"], "either items, or"),
    (["list", "--state", "done"], 'no state "done"'), (["list", "--limit", "-1"], "wants a number"),
    (["list", "--format", "xml"], 'no format "xml"'), (["sweep"], "none of list, show, retry, drop"),
    ([], "list, show, retry or drop?"), (["list", "--so"], "an option was not understood"),
])
def test_wrong_usage_changes_nothing(store, arguments, words):
    before = listed(store)
    said = program("queue", *arguments, "--store", store)
    assert said.code == 2 and words in said.err and "queue --help" in said.err
    assert listed(store) == before


def test_a_reason_of_200_bytes_is_kept_whole(store):
    assert queue(store, "drop", ASIDE, "--because", "x" * 200).code == 0
    assert listed(store, "--state", "dropped")[ASIDE]["reason"] == "x" * 200


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    for arguments in (["list"], ["retry", "event/1"], ["drop", "event/1", "--because", "x"]):
        said = program("queue", *arguments, "--store", tmp_path / "no.db")
        assert said.code == 1 and "no.db" in said.err
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "other.db"
    path.write_text("no database " * 1000)
    assert program("queue", "list", "--store", path).code == 1


def test_a_look_does_not_change_an_older_file(tmp_path):
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as db:
        db.executescript(OLD.read_text())
    db.close()
    said = program("queue", "list", "--store", path)
    assert said.code == 1 and "restart the service" in said.err
    assert query(path, "PRAGMA user_version") == [(1,)]


def test_the_store_is_the_one_of_the_configuration(store, tmp_path):
    config = tmp_path / "adapter.json"
    config.write_text(json.dumps({"store": str(store), "server": {"base": "http://ehr.example"}}))
    said = program("queue", "list", "--config", config, "--format", "json")
    assert said.code == 0 and len(said.out.splitlines()) == 5
    config.write_text("{}")
    assert program("queue", "list", "--config", config).code == 1


def test_nothing_of_a_resource_is_shown_but_its_type_and_ids(store):
    query(store, "UPDATE payload SET body = 'Doe, Jane'")
    query(store, "UPDATE resource SET json = 'Doe, Jane'")
    query(store, "UPDATE outbox SET body = 'Doe, Jane' WHERE body IS NOT NULL")
    query(store, "UPDATE alert SET content = 'Doe, Jane'")
    for arguments in (["list"], ["list", "--format", "json"],
                      ["show", ASIDE, PARKED, OWED, WAITING, "event/1", "alert/k3"]):
        assert "Doe" not in queue(store, *arguments).out
    mode = os.stat(store).st_mode & 0o777
    assert mode == 0o600


def test_help_fits_a_screen():
    lines = program("queue", "--help").out.splitlines()
    assert len(lines) <= 30 and max(map(len, lines)) <= 80
