"""Files and directories of a FAT32 volume, and everything that can be done to them.

Each method leaves the volume sound: what it changed is on the device when it returns, in an order in which a
loss of power costs clusters at most.  Failures are OSError with the number that Linux gives.
"""

import errno
import struct
import time
from collections.abc import Iterator

from csiproxy.emulator.fat_driver import moments, names
from csiproxy.emulator.fat_driver.names import ENTRY, LongName
from csiproxy.emulator.fat_driver.volume import Volume, failed

READ_ONLY, VOLUME_ID, DIRECTORY, ARCHIVE = 0x01, 0x08, 0x10, 0x20
_FREE, _NO_MORE = 0xE5, 0x00
LARGEST_FILE = 0xFFFFFFFF
# A directory has at most 65536 entries.
_LARGEST_DIRECTORY = 65536 * ENTRY
_ZEROS = bytes(1 << 16)


class Node:
    """One file or directory.  ``slot`` and ``slots`` are its entries in its parent; the root has none."""

    def __init__(self, parent: "Directory | None", name: str, short: bytes, attributes: int) -> None:
        self.parent = parent
        self.name = name
        self.short = short
        self.attributes = attributes
        self.slot = self.slots = 0
        self.first = self.size = 0
        self.created = self.modified = self.accessed = 0
        self.removed = False
        self.users = 0  # how often the kernel knows it
        self._chain: list[int] | None = None

    def chain(self, volume: Volume) -> list[int]:
        """Its clusters."""
        if self._chain is None:
            self._chain = volume.chain(self.first)
        return self._chain


class Directory(Node):
    """A directory; what is in it is read when it is first needed."""

    def __init__(self, parent: "Directory | None", name: str, short: bytes, attributes: int) -> None:
        super().__init__(parent, name, short, attributes)
        self.raw: bytearray | None = None
        self.children: dict[str, Node] = {}  # by folded name
        self.shorts: dict[bytes, Node] = {}
        self.end = 0  # the first slot that was never used
        self.holes = 0  # how many before it are free

    def in_order(self) -> list[Node]:
        """What is in it, as it stands there."""
        return sorted(self.children.values(), key=lambda node: node.slot)


class Tree:
    """The files of one volume, for one thread."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.root = Directory(None, "", b"", DIRECTORY)
        self.root.first = volume.geometry.root

    # --- questions

    def children(self, directory: Node) -> Directory:
        """A directory with its children read; a file is ENOTDIR."""
        if not isinstance(directory, Directory):
            raise failed(errno.ENOTDIR)
        if directory.raw is None:
            self._load(directory)
        return directory

    def find(self, directory: Node, name: str) -> Node | None:
        """What has that name, long or short, in whatever case."""
        inside = self.children(directory)
        found = inside.children.get(names.folded(name))
        if found is None and len(name) <= 12 and name.isascii():
            base, _, extension = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
            found = inside.shorts.get((base.ljust(8) + extension.ljust(3)).encode("ascii"))
        return found

    def read(self, node: Node, offset: int, length: int) -> bytes:
        """Bytes of a file."""
        length = max(0, min(length, node.size - offset))
        data = self.volume.read(node.chain(self.volume), offset, length)
        if len(data) != length:
            raise failed(errno.EIO)
        return data

    # --- changes

    def create(self, directory: Node, name: str, *, is_directory: bool) -> Node:
        """Make an empty file or directory; a name that is there is EEXIST."""
        inside = self._writable(directory)
        if self.find(inside, names.check(name)) is not None:
            raise failed(errno.EEXIST)
        node = Directory(inside, name, b"", DIRECTORY) if is_directory else Node(inside, name, b"", ARCHIVE)
        node.created = node.modified = node.accessed = int(time.time())
        chain = node.chain(self.volume)
        if isinstance(node, Directory):
            self.volume.extend(chain, 1)
            self.volume.write_table()
            node.first = chain[0]
            self._fill_new(node, inside)
        try:
            self._enter(inside, node)
        except OSError:
            self.volume.cut(chain, 0)
            self.volume.write_table()
            raise
        return node

    def write(self, node: Node, offset: int, data: bytes | memoryview) -> None:
        """Write to a file; a gap before it becomes zeros."""
        self._require_writable()
        end = offset + len(data)
        if end > node.size:
            self._reserve(node, end)
            if offset > node.size:
                self._zero(node, node.size, offset)
        self.volume.write(node.chain(self.volume), offset, data)
        node.size = max(node.size, end)
        self._modified(node)

    def truncate(self, node: Node, size: int) -> None:
        """Give a file another size; what is new in it is zero."""
        self._require_writable()
        if isinstance(node, Directory):
            raise failed(errno.EISDIR)
        chain = node.chain(self.volume)
        if size > node.size:
            self._reserve(node, size)
            self._zero(node, node.size, size)
            node.size = size
            self._modified(node)
            return
        # The entry comes first: a file must never claim clusters that are free.
        kept = -(-size // self.volume.geometry.cluster)
        node.size = size
        node.first = chain[0] if kept else 0
        self._modified(node)
        self.volume.cut(chain, kept)
        self.volume.write_table()

    def remove(self, directory: Node, name: str, *, is_directory: bool) -> None:
        """Remove a file, or an empty directory, by name.  Its bytes stay until the kernel forgets it."""
        inside = self._writable(directory)
        node = self._there(inside, name)
        if isinstance(node, Directory) is not is_directory:
            raise failed(errno.ENOTDIR if is_directory else errno.EISDIR)
        self._require_empty(node)
        self._take_out(inside, node)
        self._removed(node)

    def rename(self, source: Node, name: str, target: Node, new_name: str, *, replace: bool) -> None:
        """Give something another name or place; what is there already is replaced as Linux does it."""
        old, new = self._writable(source), self._writable(target)
        node, there = self._there(old, name), self.find(new, names.check(new_name))
        if there is node:
            if old is new and node.name == new_name:
                return
            there = None
        if there is not None:
            if not replace:
                raise failed(errno.EEXIST)
            if isinstance(there, Directory) is not isinstance(node, Directory):
                raise failed(errno.EISDIR if isinstance(there, Directory) else errno.ENOTDIR)
            self._require_empty(there)
        if isinstance(node, Directory) and any(above is node for above in _upwards(new)):
            raise failed(errno.EINVAL)
        if there is not None:
            self._take_out(new, there)
        self._move(node, old, new, new_name)
        if there is not None:
            self._removed(there)

    def _move(self, node: Node, old: Directory, new: Directory, name: str) -> None:
        """Give a node its new entries, and only then free the old ones."""
        was = node.name, node.short, node.slot, node.slots
        self._unknow(old, node)
        node.name = name
        try:
            self._enter(new, node)
        except OSError:  # no room for it
            node.name, node.short = was[:2]
            self._know(old, node, *was[2:])
            raise
        self._free(old, *was[2:])
        node.parent = new
        if isinstance(node, Directory) and old is not new:
            self._point_upwards(node, new)

    def set_times(self, node: Node, accessed: int | None, modified: int | None) -> None:
        """Change when it was read and written last."""
        self._require_writable()
        node.accessed = node.accessed if accessed is None else accessed
        node.modified = node.modified if modified is None else modified
        self._write_entry(node)

    def set_read_only(self, node: Node, read_only: bool) -> None:
        """Change the one attribute that is a permission."""
        self._require_writable()
        node.attributes = node.attributes & ~READ_ONLY | (READ_ONLY if read_only else 0)
        self._write_entry(node)

    def forget(self, node: Node) -> None:
        """Nobody uses a node any more: what was removed goes."""
        if node.removed and not self.volume.read_only:
            self.volume.cut(node.chain(self.volume), 0)
            self.volume.write_table()

    # --- entries

    def _load(self, directory: Directory) -> None:
        chain = directory.chain(self.volume)
        if not chain:
            raise failed(errno.EIO)
        size = min(len(chain) * self.volume.geometry.cluster, _LARGEST_DIRECTORY)
        raw = bytearray(self.volume.read(chain, 0, size))
        directory.raw = raw
        long = LongName()
        count = len(raw) // ENTRY
        directory.end = count
        for slot in range(count):
            entry = bytes(raw[slot * ENTRY : (slot + 1) * ENTRY])
            if entry[0] == _NO_MORE:
                directory.end = slot
                break
            if entry[0] == _FREE:
                directory.holes += 1
            elif entry[11] & 0x3F == names.LONG_NAME:
                long.take(entry, slot)
            elif not entry[11] & VOLUME_ID and entry[:1] != b".":
                name = long.name(entry[:11])
                begin = slot if name is None else long.begin
                self._know(directory, _decoded(directory, entry, name), begin, slot + 1 - begin)

    @staticmethod
    def _know(directory: Directory, node: Node, slot: int, slots: int) -> None:
        node.slot, node.slots = slot, slots
        directory.children[names.folded(node.name)] = node
        directory.shorts[node.short] = node

    @staticmethod
    def _unknow(directory: Directory, node: Node) -> None:
        del directory.children[names.folded(node.name)]
        del directory.shorts[node.short]

    def _enter(self, directory: Directory, node: Node) -> None:
        """Give a node its entries in a directory."""
        node.short, is_all = names.short_for(node.name, directory.shorts.__contains__)
        entries = (b"" if is_all else names.long_entries(node.name, node.short)) + _encoded(node)
        slot = self._room(directory, len(entries) // ENTRY)
        self._know(directory, node, slot, len(entries) // ENTRY)
        self._put(directory, slot, entries)
        directory.modified = int(time.time())

    def _room(self, directory: Directory, count: int) -> int:
        """The first of so many free slots in a row."""
        raw = self._raw(directory)
        if directory.holes >= count:
            free = 0
            for slot in range(directory.end):
                free = free + 1 if raw[slot * ENTRY] == _FREE else 0
                if free == count:
                    directory.holes -= count
                    return slot + 1 - count
        slot = directory.end
        missing = (slot + count) * ENTRY - len(raw)
        if missing > 0:
            if (slot + count) * ENTRY > _LARGEST_DIRECTORY:
                raise failed(errno.ENOSPC)
            cluster = self.volume.geometry.cluster
            chain = directory.chain(self.volume)
            begin = len(chain)
            self.volume.extend(chain, -(-missing // cluster))
            self.volume.write(chain, begin * cluster, bytes((len(chain) - begin) * cluster))
            self.volume.write_table()
            raw += bytes((len(chain) - begin) * cluster)
        directory.end = slot + count
        return slot

    def _put(self, directory: Directory, slot: int, entries: bytes) -> None:
        raw = self._raw(directory)
        raw[slot * ENTRY : slot * ENTRY + len(entries)] = entries
        self.volume.write(directory.chain(self.volume), slot * ENTRY, entries)

    def _take_out(self, directory: Directory, node: Node) -> None:
        self._unknow(directory, node)
        self._free(directory, node.slot, node.slots)

    def _free(self, directory: Directory, slot: int, slots: int) -> None:
        """Free entries, the one that is the file first: what is left of a long name is nobody's."""
        for at in range(slot + slots - 1, slot - 1, -1):
            self._put(directory, at, bytes([_FREE]) + self._raw(directory)[at * ENTRY + 1 : (at + 1) * ENTRY])
        directory.holes += slots
        directory.modified = int(time.time())

    @staticmethod
    def _raw(directory: Directory) -> bytearray:
        """The entries of a directory that was read."""
        if directory.raw is None:
            raise failed(errno.EIO)
        return directory.raw

    def _write_entry(self, node: Node) -> None:
        """Write the entry of a node again where it is."""
        if node.parent is not None and not node.removed:
            self._put(node.parent, node.slot + node.slots - 1, _encoded(node))

    def _fill_new(self, directory: Directory, parent: Directory) -> None:
        """The first two entries of every directory but the root."""
        itself, above = Node(None, "", b".".ljust(11), DIRECTORY), Node(None, "", b"..".ljust(11), DIRECTORY)
        itself.first = directory.first
        above.first = 0 if parent is self.root else parent.first
        for node in (itself, above):
            node.created = node.modified = node.accessed = directory.created
        directory.raw = bytearray(self.volume.geometry.cluster)
        directory.end = 2
        self.volume.write(directory.chain(self.volume), 0, directory.raw)
        self._put(directory, 0, _encoded(itself) + _encoded(above))

    def _point_upwards(self, directory: Directory, parent: Directory) -> None:
        self.children(directory)
        above = Node(None, "", b"..".ljust(11), DIRECTORY)
        above.first = 0 if parent is self.root else parent.first
        above.created = above.modified = above.accessed = directory.created
        self._put(directory, 1, _encoded(above))

    # --- steps

    def _require_writable(self) -> None:
        if self.volume.read_only:
            raise failed(errno.EROFS)

    def _writable(self, directory: Node) -> Directory:
        self._require_writable()
        if directory.removed:
            raise failed(errno.ENOENT)
        return self.children(directory)

    def _there(self, directory: Directory, name: str) -> Node:
        node = self.find(directory, name)
        if node is None:
            raise failed(errno.ENOENT)
        return node

    def _require_empty(self, node: Node) -> None:
        if isinstance(node, Directory) and self.children(node).children:
            raise failed(errno.ENOTEMPTY)

    def _removed(self, node: Node) -> None:
        node.removed = True
        if not node.users:
            self.forget(node)

    def _reserve(self, node: Node, size: int) -> None:
        """Give a file clusters for so many bytes."""
        if size > LARGEST_FILE:
            raise failed(errno.EFBIG)
        chain = node.chain(self.volume)
        missing = -(-size // self.volume.geometry.cluster) - len(chain)
        if missing > 0:
            self.volume.extend(chain, missing)
            node.first = chain[0]
            self.volume.write_table()

    def _zero(self, node: Node, begin: int, end: int) -> None:
        chain = node.chain(self.volume)
        for offset in range(begin, end, len(_ZEROS)):
            self.volume.write(chain, offset, memoryview(_ZEROS)[: min(len(_ZEROS), end - offset)])

    def _modified(self, node: Node) -> None:
        node.modified = node.accessed = int(time.time())
        node.attributes |= ARCHIVE
        self._write_entry(node)


def _upwards(directory: Directory) -> Iterator[Directory]:
    above: Directory | None = directory
    while above is not None:
        yield above
        above = above.parent


def _decoded(parent: Directory, entry: bytes, name: str | None) -> Node:
    short, attributes, case = entry[:11], entry[11], entry[12]
    made_clock, made_date, seen, high, clock, date, low, size = struct.unpack_from("<HHHHHHHI", entry, 14)
    text = names.short_text(short, case) if name is None else name
    kind = Directory if attributes & DIRECTORY else Node
    node = kind(parent, text, short, attributes)
    node.first = high << 16 | low
    node.size = 0 if attributes & DIRECTORY else size
    node.created, node.modified = moments.unpacked(made_clock, made_date), moments.unpacked(clock, date)
    node.accessed = moments.unpacked(0, seen)
    return node


def _encoded(node: Node) -> bytes:
    made_clock, made_date = moments.packed(node.created)
    clock, date = moments.packed(node.modified)
    _, seen = moments.packed(node.accessed)
    return struct.pack(
        "<11sBBBHHHHHHHI",
        node.short, node.attributes, 0, 0, made_clock, made_date, seen,
        node.first >> 16, clock, date, node.first & 0xFFFF, node.size,
    )  # fmt: skip
