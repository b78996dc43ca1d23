"""Runs last (see conftest.py): every version of every DetectedIssue that the daemon wrote in this
session is valid."""
import os

import pytest

import validators

READY, REASON = validators.available()


@pytest.mark.skipif(not READY, reason=REASON)
def test_every_alert_of_this_session_is_valid_fhir(collection):
    found = list(collection.issues.values())
    if not found and "MM_ALERTS" not in os.environ:
        pytest.skip("no test of this session wrote an alert")
    assert found, "the runs beside this one have left nothing"
    problems = validators.validate([issue for issue, _ in found])
    assert not problems, "\n".join(problems[:50])
