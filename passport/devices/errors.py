"""Why a device is not believed, and why none can be certified.

https://www.rfc-editor.org/rfc/rfc7515
"""

from passport.outcomes import PassportError


class Unverified(PassportError):
    """No such device, another key, or a signature that does not hold: one identical answer."""

    outcome = "refused"
    unproven = True

    def __init__(self, text: str = "got a message that no enrolled device signed") -> None:
        super().__init__(401, "security", text)

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 9110, section 11.6.1: a message has to bear its device's signature."""
        return {"WWW-Authenticate": "JWS"}


class UnprovenClaim(Unverified):
    """A claim that another key signed than the one that it brings: of no device that is known, so its form is told."""

    def __init__(self) -> None:
        super().__init__(
            "got no claim that the key in it signed, expected a JWS by the `jwk` in its payload, "
            "with that key's thumbprint (RFC 7638) as its `kid`"
        )


class BadCode(PassportError):
    """No device shows this code, its minutes are over, or somebody entered it: one identical answer."""

    outcome = "refused"

    def __init__(self) -> None:
        text = "got a code that no device shows, expected one that a device shows now"
        super().__init__(404, "not-found", text, ("code",))


class NoAuthority(PassportError):
    """Nothing can be certified, since there is no key to certify by."""

    def __init__(self) -> None:
        text = "got no key of the device CA, expected one in the key file, where `passport init` or `serve` puts it"
        super().__init__(500, "exception", text)
