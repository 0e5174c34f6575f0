"""What the kernel asks for, in terms of the tree.  Structures are those of ``linux/fuse.h``."""

import errno
import os
import stat
import struct
from collections.abc import Mapping

from csiproxy.emulator.fat_driver import fuse
from csiproxy.emulator.fat_driver.fuse import Call, Opcode
from csiproxy.emulator.fat_driver.tree import READ_ONLY, Directory, Node, Tree
from csiproxy.emulator.fat_driver.volume import failed

# Nobody but the kernel changes files, so it may remember what they are; names it must ask for each time,
# since other spellings of a name are the same file (seconds).
_ATTRIBUTES_HOLD, _NAMES_HOLD = 3600, 0
_ATTRIBUTES = struct.Struct("<QQQQQQIIIIIIIIII")
_ENTRY_HEAD = struct.Struct("<QQQQII")
_STATFS = struct.Struct("<QQQQQIIII24x")
_DIRECTORY_ENTRY = struct.Struct("<QQII")
_SETATTR = struct.Struct("<IIQQQQQQIIIIIIII")
_IO = struct.Struct("<QQIIQII")  # what READ, WRITE and READDIR begin with
_MODE, _SIZE, _ATIME, _MTIME = 1 << 0, 1 << 3, 1 << 4, 1 << 5
_NO_REPLACE = 1
_LONGEST_NAME = 255
_DOTS = 2  # a directory's first two entries


class Calls:
    """The kernel's view of a tree: its nodes have numbers, the root's is 1."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._nodes: dict[int, Node] = {fuse.ROOT: tree.root}
        self._numbers: dict[Node, int] = {tree.root: fuse.ROOT}
        self._last = fuse.ROOT

    def table(self) -> Mapping[Opcode, Call]:
        """Every call that is answered."""
        return {
            Opcode.LOOKUP: self._lookup,
            Opcode.FORGET: self._forget,
            Opcode.BATCH_FORGET: self._batch_forget,
            Opcode.GETATTR: lambda number, _: self._attr(self._node(number)),
            Opcode.SETATTR: self._setattr,
            Opcode.MKNOD: self._mknod,
            Opcode.MKDIR: lambda number, body: self._create(number, bytes(body[8:-1]), is_directory=True),
            Opcode.CREATE: self._create_and_open,
            Opcode.UNLINK: lambda number, body: self._remove(number, body, is_directory=False),
            Opcode.RMDIR: lambda number, body: self._remove(number, body, is_directory=True),
            Opcode.RENAME: lambda number, body: self._rename(number, body, 8, 0),
            Opcode.RENAME2: self._rename2,
            Opcode.READ: self._read,
            Opcode.WRITE: self._write,
            Opcode.READDIR: self._readdir,
            Opcode.STATFS: self._statfs,
            Opcode.FSYNC: self._sync,
            Opcode.FSYNCDIR: self._sync,
            Opcode.INTERRUPT: lambda *_: b"",
            Opcode.DESTROY: self._destroy,
        }

    def close(self) -> None:
        """Nobody asks any more: what was removed while it was in use goes, and the volume is closed well."""
        for node in self._nodes.values():
            self._tree.forget(node)
        self._tree.volume.close()

    # --- nodes

    def _node(self, number: int) -> Node:
        found = self._nodes.get(number)
        if found is None:
            raise failed(errno.ESTALE)
        return found

    def _number(self, node: Node) -> int:
        number = self._numbers.get(node)
        if number is None:
            self._last = number = self._last + 1
            self._numbers[node], self._nodes[number] = number, node
        return number

    def _entry(self, node: Node) -> bytes:
        """The kernel is told of a node, and knows it until it forgets it."""
        node.users += 1
        number = self._number(node)
        return _ENTRY_HEAD.pack(number, 0, _NAMES_HOLD, _ATTRIBUTES_HOLD, 0, 0) + self._attributes(node)

    def _forget(self, number: int, body: memoryview) -> bytes:
        self._drop(number, struct.unpack_from("<Q", body)[0])
        return b""

    def _batch_forget(self, number: int, body: memoryview) -> bytes:  # noqa: ARG002
        (count,) = struct.unpack_from("<I", body)
        for index in range(count):
            self._drop(*struct.unpack_from("<QQ", body, 8 + 16 * index))
        return b""

    def _drop(self, number: int, times: int) -> None:
        node = self._nodes.get(number)
        if node is None or number == fuse.ROOT:
            return
        node.users -= times
        if node.users <= 0 and node.removed:
            del self._nodes[number], self._numbers[node]
            self._tree.forget(node)

    # --- questions

    def _lookup(self, number: int, body: memoryview) -> bytes:
        node = self._tree.find(self._node(number), _name(bytes(body[:-1])))
        if node is None:
            raise failed(errno.ENOENT)
        return self._entry(node)

    def _attr(self, node: Node) -> bytes:
        return struct.pack("<QII", _ATTRIBUTES_HOLD, 0, 0) + self._attributes(node)

    def _attributes(self, node: Node) -> bytes:
        is_directory = isinstance(node, Directory)
        cluster = self._tree.volume.geometry.cluster
        mode = (stat.S_IFDIR if is_directory else stat.S_IFREG) | (
            0o555 if node.attributes & READ_ONLY and not is_directory else 0o777
        )
        size = len(node.chain(self._tree.volume)) * cluster if is_directory else node.size
        blocks = -(-size // cluster) * cluster // 512
        links = 0 if node.removed else 1
        return _ATTRIBUTES.pack(
            self._number(node), size, blocks,
            node.accessed, node.modified, node.created, 0, 0, 0,
            mode, links, 0, 0, 0, cluster, 0,
        )  # fmt: skip

    def _read(self, number: int, body: memoryview) -> bytes:
        _, offset, size, *_ = _IO.unpack_from(body)
        return self._tree.read(self._node(number), offset, size)

    def _readdir(self, number: int, body: memoryview) -> bytes:
        """Entries from an offset on; the offset of one is its slot, so that they stay when others go."""
        _, offset, room, *_ = _IO.unpack_from(body)
        directory = self._tree.children(self._node(number))
        found: list[tuple[int, str, Node]] = [(0, ".", directory), (1, "..", directory.parent or directory)]
        found += [(node.slot + node.slots + _DOTS, node.name, node) for node in directory.in_order()]
        answer = b""
        for place, name, node in found:
            if place < offset:
                continue
            text = os.fsencode(name)
            kind = stat.S_IFDIR if isinstance(node, Directory) else stat.S_IFREG
            head = _DIRECTORY_ENTRY.pack(self._number(node), place + 1, len(text), kind >> 12)
            entry = head + text + bytes(-len(text) % 8)
            if len(answer) + len(entry) > room:
                break
            answer += entry
        return answer

    def _statfs(self, number: int, body: memoryview) -> bytes:  # noqa: ARG002
        volume = self._tree.volume
        at, free = volume.geometry, volume.free
        return _STATFS.pack(at.clusters, free, free, 0, 0, at.cluster, _LONGEST_NAME, at.cluster, 0)

    # --- changes

    def _mknod(self, number: int, body: memoryview) -> bytes:
        (mode,) = struct.unpack_from("<I", body)
        if not stat.S_ISREG(mode):
            raise failed(errno.EPERM)
        return self._create(number, bytes(body[16:-1]), is_directory=False)

    def _create(self, number: int, name: bytes, *, is_directory: bool) -> bytes:
        return self._entry(self._tree.create(self._node(number), _name(name), is_directory=is_directory))

    def _create_and_open(self, number: int, body: memoryview) -> bytes:
        return self._create(number, bytes(body[16:-1]), is_directory=False) + bytes(16)

    def _remove(self, number: int, body: memoryview, *, is_directory: bool) -> bytes:
        self._tree.remove(self._node(number), _name(bytes(body[:-1])), is_directory=is_directory)
        return b""

    def _rename2(self, number: int, body: memoryview) -> bytes:
        (flags,) = struct.unpack_from("<I", body, 8)
        if flags & ~_NO_REPLACE:
            raise failed(errno.EINVAL)
        return self._rename(number, body, 16, flags)

    def _rename(self, number: int, body: memoryview, at: int, flags: int) -> bytes:
        (target,) = struct.unpack_from("<Q", body)
        old, new, _ = bytes(body[at:]).split(b"\0")
        self._tree.rename(
            self._node(number), _name(old), self._node(target), _name(new), replace=not flags & _NO_REPLACE
        )
        return b""

    def _write(self, number: int, body: memoryview) -> bytes:
        _, offset, size, *_ = _IO.unpack_from(body)
        self._tree.write(self._node(number), offset, body[_IO.size : _IO.size + size])
        return struct.pack("<II", size, 0)

    def _setattr(self, number: int, body: memoryview) -> bytes:
        what, _, _, size, _, accessed, modified, _, _, _, _, mode, *_ = _SETATTR.unpack_from(body)
        node = self._node(number)
        if what & _SIZE:
            self._tree.truncate(node, size)
        if what & _MODE and not isinstance(node, Directory):
            self._tree.set_read_only(node, not mode & 0o222)
        if what & (_ATIME | _MTIME):
            self._tree.set_times(
                node, accessed if what & _ATIME else None, modified if what & _MTIME else None
            )
        return self._attr(node)

    def _destroy(self, number: int, body: memoryview) -> bytes:  # noqa: ARG002
        self.close()  # before the answer: the device is somebody else's then
        return b""

    def _sync(self, number: int, body: memoryview) -> bytes:  # noqa: ARG002
        self._tree.volume.sync()
        return b""


def _name(text: bytes) -> str:
    return os.fsdecode(text)
