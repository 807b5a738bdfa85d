"""Why the demo cannot go on; its own tree, since the demo shares nothing with the service but HTTP."""


class DemoError(Exception):
    """Anything that this package raises; the message is one line for the terminal."""


class NotLoaded(DemoError):
    """The town is not complete."""


class NotServing(DemoError):
    """A part of the demo does not come up, or does not stay up."""


class Refused(DemoError):
    """The service answered otherwise than the demo needs; `status` is the HTTP status of what it said."""

    def __init__(self, status: int, asked: str, said: str) -> None:
        super().__init__(f"{asked} was answered with {status}: {said}")
        self.status = status
