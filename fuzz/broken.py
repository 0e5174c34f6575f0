"""How a target says that a promise was broken."""


class Broken(Exception):
    """What was fuzzed did something that it promises not to do; the text says what."""


def demand(holds: bool, promise: str) -> None:
    """Raise :class:`Broken` with the promise unless it holds."""
    if not holds:
        raise Broken(promise)
