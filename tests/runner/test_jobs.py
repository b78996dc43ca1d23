"""The runner of make test: what fails, dies or hangs is counted as failed and shown; nothing is lost."""
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]

import jobs  # noqa: E402
import run  # noqa: E402
import torture  # noqa: E402
from waiting import ports_for_servers, wait_until  # noqa: E402

PASSES = "def test_one():\n    pass\n\n\ndef test_two():\n    pass\n"
SHORT = 3      # seconds: the limit of a job that hangs


@pytest.fixture(autouse=True)
def folders_stay(monkeypatch):
    """What tests have left for the validators: make test may be under way."""
    monkeypatch.setattr(run, "empty", lambda folder: None)


@pytest.fixture
def played(tmp_path, capsys, monkeypatch):
    """Plays jobs; the tally, and what was said."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def play(*many):
        tally = jobs.Tally()
        jobs.Yard(many, tally).play()
        code = tally.tell(1)
        return tally, code, capsys.readouterr().out
    return play


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "test_it.py"
        path.write_text(text)
        return jobs.Job("it", jobs.pytest_command(str(path)), jobs.pytest, limit=SHORT * 20, lane="wait")
    return write


def counts(tally):
    return tally.passed, tally.failed, tally.skipped


def python(code, name="it", judge=jobs.one_test, **more):
    return jobs.Job(name, [jobs.PYTHON, "-c", code], judge, **more)


def test_a_file_that_passes_is_one_line(played, file):
    tally, code, said = played(file(PASSES))
    assert (counts(tally), code) == ((2, 0, 0), 0)
    assert re.fullmatch(r"ok   it 2 passed in \S+ \(\d+ s\)\n"
                        r"all steps took 1 s\n2 passed, 0 failed, 0 skipped\n", said)


def test_a_test_that_is_skipped_is_counted_and_says_why(played, file):
    tally, code, said = played(file(
        "import pytest\n\n\n@pytest.mark.skip(reason='no moon')\ndef test_three():\n    pass\n" + PASSES))
    assert (counts(tally), code) == ((2, 0, 1), 0)
    assert "no moon" in said


def test_a_test_that_fails_is_counted_and_shown_in_full(played, file):
    long = "print('x' * 100000)"
    bad = f"def test_bad():\n    {long}\n    assert 'the reason' == 7\n"
    tally, code, said = played(file(bad + PASSES))
    assert (counts(tally), code, tally.broken) == ((2, 1, 0), 1, ["it"])
    assert said.startswith("FAIL it ") and "assert 'the reason' == 7" in said and "x" * 100000 in said
    assert said.endswith("failed: it\nall steps took 1 s\n2 passed, 1 failed, 0 skipped\n")


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(5)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_file_that_dies_has_failed_whatever_its_exit_code(played, file, end):
    tally, code, said = played(file(f"import os\n{PASSES}\n\ndef test_three():\n    {end}\n"))
    assert (tally.failed, code) == (1, 1) and said.startswith("FAIL it died")


@pytest.mark.parametrize("text", ["def test_one(:\n", "import nothing_like_this\n"])
def test_a_file_that_cannot_be_read_has_failed(played, file, text):
    tally, code, said = played(file(text))
    assert (counts(tally), code) == ((0, 1, 0), 1) and "test_it.py" in said


def test_a_file_that_hangs_has_failed_and_says_where(played, file):
    job = file(PASSES + "\n\ndef test_of_hanging():\n    import time\n    time.sleep(1000)\n")
    job.limit = SHORT
    tally, code, said = played(job)
    assert (tally.failed, code) == (1, 1)
    assert said.startswith(f"FAIL it did not end in {SHORT} s") and "in test_of_hanging" in said


def test_a_program_that_was_not_built_has_failed(played):
    tally, code, said = played(jobs.Job("it", ["/nowhere/it_test"], jobs.cmocka), python(""))
    assert (counts(tally), code) == ((1, 1, 0), 1)
    assert "No such file or directory: '/nowhere/it_test'" in said


def test_what_a_job_leaves_behind_ends_with_it(played, tmp_path):
    child = tmp_path / "pid"
    code = ("import subprocess as s; "
            f"open({str(child)!r}, 'w').write(str(s.Popen(['sleep', '1000']).pid))")
    played(python(code))
    wait_until(lambda: has_ended(child.read_text()), what="the end of the child")


def has_ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_a_job_writes_is_kept_when_it_fails(played, tmp_path):
    code = "import os, sys, tempfile; f = tempfile.mkstemp(); print('at ' + f[1]); sys.exit(%d)"
    for end in (0, 1):
        _, _, said = played(python(code % end, judge=lambda code, text: jobs.Count(
            failed=code, note=text.strip())))
        path = Path(re.search(r"at (\S+)", said)[1])
        assert path.exists() == bool(end)
        assert (f"what it left is in {path.parent}" in said) == bool(end)


def group(count):
    return (f"[==========] Running {count} test(s).\n[==========] {count} test(s) run.\n"
            f"[  PASSED  ] {count} test(s).\n")


@pytest.mark.parametrize("output, code, expected", [
    ("[  PASSED  ] 12 test(s).\n", 0, (12, 0)),
    ("[  PASSED  ] 3 test(s).\n[  PASSED  ] 4 test(s).\n", 0, (7, 0)),
    ("[  PASSED  ] 11 test(s).\n[  FAILED  ] tests: 1 test(s), listed below:\n", 1, (11, 1)),
    ("[  PASSED  ] 12 test(s).\n==1== definitely lost\n", 99, (12, 1)),      # valgrind
    ("[ RUN      ] a_test\n", -11, (0, 1)),
    (group(2) + group(3), 0, (5, 0)),
    (group(2) + "[==========] Running 3 test(s).\n[ RUN      ] a_test\n", 0, (2, 1)),   # exit(0)
    ("", 0, (0, 1))])
def test_a_program_of_unit_tests_is_judged_by_what_it_says_and_its_end(output, code, expected):
    count = jobs.cmocka(code, output)
    assert (count.passed, count.failed) == expected


@pytest.mark.parametrize("output, code, failed", [
    ("", 0, 0), ("a.c:1: warning: unused\n", 0, 1), ("", 2, 1)])
def test_a_build_with_a_warning_has_failed(output, code, failed):
    assert jobs.no_warning(code, output).failed == failed


def test_a_job_begins_when_those_before_it_have_ended_well_or_not(played, tmp_path):
    log = tmp_path / "log"
    note = f"open({str(log)!r}, 'a').write(%r); raise SystemExit(%d)"
    tally, _, _ = played(python(note % ("c", 0), "c", lane="alone"),
                         python(note % ("b", 0), "b", after=("a", "not played")),
                         python(note % ("a", 1), "a", lane="wait"))
    assert (log.read_text(), counts(tally)) == ("abc", (2, 1, 0))


def test_one_that_is_alone_has_nobody_beside_it(played, tmp_path):
    log = tmp_path / "log"
    note = f"import time; f = open({str(log)!r}, 'a', 1); f.write('(%s'); time.sleep(0.3); f.write('%s)')"
    played(*(python(note % (n, n), n, lane="alone") for n in "xy"), python(note % ("a", "a"), "a"))
    assert log.read_text() == "(aa)(xx)(yy)"


def test_jobs_that_wait_for_each_other_are_an_error(played):
    with pytest.raises(RuntimeError, match="a, b"):
        played(python("", "a", after=("b",)), python("", "b", after=("a",)))


def test_each_lane_has_a_number_of_its_own(played, tmp_path):
    code = ("import os; name = os.environ['MM_LANE'].replace('/', ' of '); "
            f"open({str(tmp_path)!r} + '/' + name, 'w')")
    played(*(python(code, str(n), lane=lane)
             for lane, many in jobs.LANES.items() if lane != "alone" for n in range(many)))
    assert len(list(tmp_path.iterdir())) == sum(jobs.LANES.values()) - 1


def test_every_file_and_program_is_played_once():
    words = [word for _, step in run.STEPS for job in step() for word in job.command]
    for path in [*TESTS.glob("*/test_*.py")]:
        folder = f"tests/{path.parent.name}"
        assert len([w for w in words if w in (folder, f"{folder}/{path.name}")]) == 1, path
    for name in run.sources("tests/unit/*_test", ".c"):
        for mode in ("asan", "release"):
            assert words.count(os.path.join(run.ROOT, "build", mode, "tests", name)) == 1


def test_whoever_starts_a_real_hapi_is_in_the_one_job_that_may():
    users = [path.stem for path in TESTS.glob("e2e/test_*.py")
             if re.search("hapi_of_release|HapiServer", path.read_text(encoding="utf-8"))]
    job = next(job for job in run.step_e2e() if job.name == "e2e real HAPI")
    assert len(users) > 3
    assert [name for name in users if f"tests/e2e/{name}.py" not in job.command] == []


def test_a_run_in_which_nothing_passed_has_failed(played, file):
    _, code, _ = played(file("import pytest\n\npytest.skip('no moon', allow_module_level=True)\n"))
    assert code == 1


@pytest.mark.parametrize("proxies, left_out", [
    ({}, "127.0.0.1,localhost"), ({"no_proxy": "a.example"}, "a.example,127.0.0.1,localhost")])
def test_nobody_is_asked_for_a_proxy_on_this_machine(monkeypatch, proxies, left_out):
    monkeypatch.delenv("no_proxy", raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)
    assert jobs.environment({"a": "1"}, {"a": "2"})["no_proxy"] == left_out
    assert jobs.environment({"a": "1"}, {"a": "2"})["a"] == "2"


@pytest.mark.parametrize("low, high, count, most", [
    (32768, 60999, 17304, 0), (49152, 65535, 29152, 0), (20000, 40000, 25535, 0), (1024, 63535, 2000, 0),
    (1024, 63536, 45536, 43537), (1024, 65535, 45536, 45536)])
def test_servers_get_ports_that_the_kernel_gives_to_nobody_where_there_are_enough(low, high, count, most):
    found = ports_for_servers(low, high)
    assert (min(found) >= 20000, max(found) <= 65535, len(set(found))) == (True, True, count)
    assert len([port for port in found if low <= port <= high]) == most


@pytest.mark.parametrize("text, expected", [
    (PASSES, (2, 0, 0)), (PASSES + "\n\ndef test_three():\n    import os\n    os._exit(0)\n", (0, 1, 0)),
    ("", (0, 1, 0)), (None, (0, 1, 0))], ids=["passes", "dies", "has no test", "is not there"])
def test_a_step_of_torture_is_judged_in_the_same_way(tmp_path, monkeypatch, text, expected):
    monkeypatch.setattr(torture, "TALLY", jobs.Tally())
    path = tmp_path / "test_it.py"
    if text is not None:
        path.write_text(text)
    torture.attack("it", "what it proves", str(path))
    assert counts(torture.TALLY) == expected


def test_every_long_form_is_a_step_of_torture():
    long = {path.name for path in TESTS.glob("e2e/test_*.py") if "MM_TORTURE" in path.read_text("utf-8")}
    files = {file for _, _, file in torture.FILES}
    assert len(long) > 8 and long <= files
    assert [file for file in files if not (TESTS / "e2e" / file).exists()] == []


def test_the_names_of_jobs_are_told_apart():
    names = [job.name for _, step in run.STEPS if step is not run.step_unit for job in step()]
    assert len(set(names)) == len(names)
