"""What keeps a backup from being made or put back."""

from passport.outcomes import PassportError


class BackupUnusable(PassportError):
    """A backup cannot be made there, is not whole, or does not belong to these keys."""

    def __init__(self, text: str) -> None:
        super().__init__(500, "exception", text)
