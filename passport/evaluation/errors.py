"""What can go wrong while a world is tried."""


class EvaluationError(Exception):
    """A world that cannot be tried; the others go on."""


class UnreadableWorld(EvaluationError):
    """A line is not JSON, or not a world."""
