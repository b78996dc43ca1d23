"""Runs last (see conftest.py): every version of every DetectedIssue that the daemon wrote in this
session is valid."""
import pytest

import validators

READY, REASON = validators.available()


@pytest.mark.skipif(not READY, reason=REASON)
def test_every_alert_of_this_session_is_valid_fhir(collection):
    found = list(collection.issues.values())
    if not found:
        pytest.skip("no test of this session wrote an alert")
    problems = validators.validate([issue for issue, _ in found])
    assert not problems, "\n".join(problems[:50])
