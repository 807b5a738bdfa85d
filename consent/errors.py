"""What can go wrong while consents are evaluated; each of these is a deny to whoever asked."""


class ConsentError(Exception):
    """A rule could not be evaluated."""


class UnknownRule(ConsentError):
    """A provision holds something that the evaluation has no meaning for."""


class UnknownShape(ConsentError):
    """The content of a stored shape is not one that this version can enforce."""


class ShapeCollision(ConsentError):
    """Two different shapes have one key; neither may stand for the other."""
