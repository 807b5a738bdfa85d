"""The head of a request within its limit, and a refusal that says why where HTTP itself is broken.

https://www.rfc-editor.org/rfc/rfc9110#section-15.5
https://www.rfc-editor.org/rfc/rfc6585#section-5
https://www.rfc-editor.org/rfc/rfc9110#section-5.3

The server reads a head of any length into memory and answers broken ones in plain text; here a head that grows too
long is refused while it is read, and every refusal is an OperationOutcome.
"""

import re
from http import HTTPStatus
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from passport.outcomes import FHIR_JSON, PassportError, operation_outcome

PEER: Final = "passport.peer"
"""Under which name a request's scope says who is at the other end of its connection, whatever headers say."""

HEAD_MAX_BYTES: Final = 65_536
ADDRESS_MAX_BYTES: Final = 32_768
"""Longer searches go into the body of a POST."""

ONCE: Final = (b"authorization", b"content-type", b"host", b"if-modified-since", b"if-none-exist")
"""Headers that a request has once: of two, one would be passed over, and a proxy may have gone by the other."""

_NOT_ENCODED: Final = re.compile(rb"[A-Z]+ [^ \r\n]*[\x80-\xff]")
"""The line of a request whose address is as a person types it, and no program sends it."""

LINGER_SECONDS: Final = 2
"""How long a refused connection is read on, so that its sender gets to hear the answer."""


class BrokenRequest(PassportError):
    """Bytes that are no HTTP."""

    outcome = "invalid"

    def __init__(self) -> None:
        super().__init__(400, "structure", "got bytes that are no HTTP request, expected one")


class AddressNotEncoded(PassportError):
    """The address holds characters that an address has only in another form."""

    outcome = "invalid"

    def __init__(self) -> None:
        text = "got an address with characters beyond ASCII, expected them percent-encoded in UTF-8, as %E8%8A%B1"
        super().__init__(400, "structure", text)


class AddressWithFragment(PassportError):
    """The address has a `#`: whatever stands behind it would be left out of what is asked."""

    outcome = "invalid"

    def __init__(self) -> None:
        text = "got an address with `#`, expected none: in a value it is written %23"
        super().__init__(400, "structure", text)


class AddressTooLong(PassportError):
    """The address is longer than the service reads."""

    outcome = "invalid"

    def __init__(self) -> None:
        super().__init__(414, "too-long", f"got a longer address, expected at most {ADDRESS_MAX_BYTES} bytes")


class HeadTooLong(PassportError):
    """The headers are longer than the service reads."""

    outcome = "invalid"

    def __init__(self) -> None:
        super().__init__(431, "too-long", f"got longer headers, expected at most {HEAD_MAX_BYTES} bytes")


class RepeatedHeader(PassportError):
    """A header that stands once stands there again."""

    outcome = "invalid"

    def __init__(self, name: bytes) -> None:
        super().__init__(400, "structure", f"got `{name.decode()}` more than once, expected it once")


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._refusal: PassportError = BrokenRequest()
        self._refused = False
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request was refused or its head has no end."""
        if self._refused:
            return
        self._head_bytes += len(data)
        self._received = data
        super().data_received(data)
        self._received = b""
        if self._in_head and self._head_bytes > HEAD_MAX_BYTES and not self._refused:
            self._refusal = AddressTooLong() if len(self.url) > ADDRESS_MAX_BYTES else HeadTooLong()
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A head begins; the bytes that it came with count as its own."""
        self._in_head = True
        super().on_message_begin()
        # What a proxy says of the caller's address replaces `client`, and not this.
        cast(dict[str, object], self.scope)[PEER] = self.client[0] if self.client else ""

    def on_headers_complete(self) -> None:
        """The head is there: within its limits, or refused."""
        if len(self.url) > ADDRESS_MAX_BYTES:
            self._refusal = AddressTooLong()
            raise self._refusal
        if b"#" in self.url:
            self._refusal = AddressWithFragment()
            raise self._refusal
        if sum(len(name) + len(value) for name, value in self.headers) > HEAD_MAX_BYTES:
            self._refusal = HeadTooLong()
            raise self._refusal
        names = [name for name, _ in self.headers]
        for name in ONCE:
            if names.count(name) > 1:
                self._refusal = RepeatedHeader(name)
                raise self._refusal
        super().on_headers_complete()
        self._in_head, self._head_bytes = False, 0

    def send_400_response(self, msg: str) -> None:
        """Answer with what is wrong, and close when the sender had time to read it."""
        self._refused = True
        if not self._in_head and self.cycle.response_started:
            # A request has one answer: a body that turns out broken after it gets no other.
            self.transport.close()
            return
        if self._in_head and _NOT_ENCODED.match(self._received):
            self._refusal = AddressNotEncoded()
        status, body = HTTPStatus(self._refusal.status), operation_outcome(self._refusal)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {FHIR_JSON}\r\n"
            f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
