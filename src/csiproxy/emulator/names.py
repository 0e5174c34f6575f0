"""Names that the host gives."""


def is_text(name: str) -> bool:
    """Whether a name is Unicode text; the host gives bytes that are not UTF-8 as lone surrogates."""
    return name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name)
