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


def test_the_grants_library_writes_no_token_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    keep_values_out()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("authlib.oauth2.rfc6749.grants.refresh_token").debug("Issue token %r", "secret")
    assert "secret" not in caplog.text


def test_what_a_provider_is_asked_is_not_written() -> None:
    keep_values_out()
    for name in ("httpx", "httpcore", "httpcore.connection"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
