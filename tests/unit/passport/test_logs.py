"""What an unforeseen error leaves in the server's log."""

import logging

import pytest

from passport.logs import SERVER, keep_values_out


def test_an_exceptions_message_never_reaches_the_servers_log(caplog: pytest.LogCaptureFixture) -> None:
    keep_values_out()
    try:
        raise ValueError("systolic 128")
    except ValueError:
        logging.getLogger(SERVER).exception("Exception in ASGI application")
    assert "128" not in caplog.text
    assert "failed: ValueError" in caplog.text


def test_other_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    keep_values_out()
    logging.getLogger(SERVER).warning("started %s", "well")
    assert "started well" in caplog.text
