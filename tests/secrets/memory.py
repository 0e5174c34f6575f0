"""Everything that a process has in its memory, looked through for a text."""

from collections.abc import Iterator


def regions(pid: int) -> Iterator[bytes]:
    """What a process has in memory, region by region; those that cannot be read are left out."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            extent, rights, *_ = line.split()
            if rights[0] != "r" or "[v" in line:  # the kernel's own, like [vvar]
                continue
            begin, end = (int(part, 16) for part in extent.split("-"))
            try:
                memory.seek(begin)
                yield memory.read(end - begin)
            except (OSError, ValueError):
                continue


def found(pid: int, text: str) -> list[bytes]:
    """What surrounds a text in a process's memory, in three encodings: once for each copy."""
    copies = []
    needles = [text.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
    for region in regions(pid):
        for needle in needles:
            at = region.find(needle)
            while at >= 0:
                copies.append(region[max(0, at - 40) : at + len(needle) + 20])
                at = region.find(needle, at + 1)
    return copies
