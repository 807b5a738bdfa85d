"""Why a row of the log cannot be decided again."""

from passport.outcomes import PassportError


class NoSuchRow(PassportError):
    """The log has no row of this id."""

    outcome = "not-found"

    def __init__(self) -> None:
        super().__init__(
            404, "not-found", "got an id that no row of the log has, expected that of an AuditEvent"
        )


class Forgotten(PassportError):
    """What it was decided on was erased, and the key to it destroyed."""

    outcome = "not-found"

    def __init__(self) -> None:
        super().__init__(410, "deleted", "it can no longer be told: what it was decided on was erased")
