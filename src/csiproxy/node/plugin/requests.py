"""The fields that requests have in common, checked once."""

from collections.abc import Mapping

from csiproxy.errors import InvalidArgument
from csiproxy.node.plugin.capability import Kind

LONGEST_ID = 128
"""Bytes of a volume's id, which are CSI's limit for such a text."""

READ_ONLY_KEY = "readOnly"
"""In a publish context: ``true`` when the storage system has attached the volume so that nobody can write."""
TYPE_KEY = "type"


def volume_id(text: str) -> str:
    """Demand a volume's id."""
    if not text:
        raise InvalidArgument("the volume id is missing")
    if len(text.encode("utf-8", "replace")) > LONGEST_ID:
        raise InvalidArgument(f"the volume id has more than {LONGEST_ID} bytes")
    return text


def path(text: str, name: str) -> str:
    r"""Demand a path, and spell it as Windows does: ``/`` is ``\``, and ``\var`` is on drive ``c:``."""
    if not text:
        raise InvalidArgument(f"the {name} is missing")
    spelt = text.replace("/", "\\")
    return f"c:{spelt}" if spelt.startswith("\\") and not spelt.startswith("\\\\") else spelt


def same_path(one: str, other: str) -> bool:
    """Whether two paths are spellings of the same one."""
    return one.removesuffix("\\").casefold() == other.removesuffix("\\").casefold()


def kind(context: Mapping[str, str]) -> Kind:
    """What a volume is; a context that does not say is a disk's."""
    text = context.get(TYPE_KEY, Kind.DISK)
    try:
        return Kind(text)
    except ValueError:
        raise InvalidArgument(
            f"the volume context says type '{text[:32]}': this plugin knows {', '.join(Kind)}"
        ) from None


def attached_read_only(publish_context: Mapping[str, str]) -> bool:
    """Whether the storage system has attached the volume so that nobody can write."""
    return publish_context.get(READ_ONLY_KEY, "") == "true"


def demand(context: Mapping[str, str], name: str, kind: Kind) -> str:
    """A value of a context that a kind of volume needs."""
    value = context.get(name, "")
    if not value:
        raise InvalidArgument(f"the context of a volume of type {kind} needs '{name}'")
    return value
