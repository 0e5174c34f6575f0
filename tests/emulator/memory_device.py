"""A device in memory that remembers every write, so that a kill can be tried between any two."""

from csiproxy.emulator.image import Sectors


class MemoryDevice(Sectors):
    """Sparse enough for tests: 4 KiB pages that were written, zero everywhere else."""

    PAGE = 4096

    def __init__(self, size: int) -> None:
        self._size = size
        self.pages: dict[int, bytes] = {}
        self.writes: list[tuple[int, bytes]] = []

    @property
    def size(self) -> int:
        return self._size

    def copy(self, size: int | None = None) -> "MemoryDevice":
        other = MemoryDevice(self._size if size is None else size)
        other.pages = dict(self.pages)
        return other

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self._size)
        out = bytearray()
        while offset < end:
            page, within = divmod(offset, self.PAGE)
            part = self.pages.get(page, bytes(self.PAGE))[within : within + end - offset]
            out += part
            offset += len(part)
        return bytes(out)

    def write(self, offset: int, data: bytes) -> None:
        assert offset >= 0
        assert offset + len(data) <= self._size
        self.writes.append((offset, bytes(data)))
        while data:
            page, within = divmod(offset, self.PAGE)
            old = self.pages.get(page, bytes(self.PAGE))
            part = data[: self.PAGE - within]
            self.pages[page] = old[:within] + part + old[within + len(part) :]
            data, offset = data[len(part) :], offset + len(part)

    def sync(self) -> None:
        pass


def states_after_a_kill(before: MemoryDevice, writes: list[tuple[int, bytes]]) -> list[MemoryDevice]:
    """What a kill can leave: the first n writes, and half the sectors of the one after them."""
    states = []
    device = before.copy()
    for offset, data in writes:
        states.append(device.copy())
        torn = device.copy()
        torn.write(offset, data[: len(data) // 1024 * 512])
        states.append(torn)
        device.write(offset, data)
    states.append(device.copy())
    return states
