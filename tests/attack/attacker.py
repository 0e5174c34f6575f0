"""One attacker, a process of its own: ``python -m tests.attack.attacker DIRECTORY SEED VOLUME…``.

It swaps directories below the prefix for links to outside, for mount points and for files, moves them out and
back, and repairs them, until its standard input ends.  Then it tells what it did, as one line of JSON.  It
walks by handle itself, or it would be led outside by what another attacker has planted.
"""

import json
import os
import random
import select
import shutil
import stat
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.attack.ground import DROP, KNOWN, LEVELS, MADE, OUTSIDE, TOPS, Ground

from csiproxy.emulator import connect
from csiproxy.emulator.exchange import EXCHANGE, rename_with_flags
from csiproxy.errors import HostError
from csiproxy.host import Host

HOLD_SECONDS = 2.0
"""How long a directory stays outside before it must be free of what was made in it there."""
_FLICKERS = 12
_MOST_HELD = 40
_SPARED = 0.8
_LONGEST_DWELL = 0.004
_PASSING = ("link flickered", "link passing")
_NO_FOLLOW = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Attacker:
    """Acts by chance.  ``done`` counts what succeeded; ``left`` names what was made outside and left."""

    def __init__(self, ground: Ground, host: Host, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.left: list[str] = []
        self._ground = ground
        self._win32 = host.win32
        self._chance = random.Random(seed)
        self._number = 0
        self._tag = f"{os.getpid():x}"
        self._drop = os.path.join(ground.on_host(DROP), self._tag)
        os.makedirs(self._drop)
        self._held: deque[tuple[float, int, str]] = deque()
        volume_files = [os.path.join(ground.directory, name) for name in sorted(os.listdir(ground.directory))]
        self._likenesses = [
            ground.on_host(OUTSIDE), ground.beyond, ground.beyond, ground.beyond,
            *(os.path.join(path, inner) for path in volume_files if path.endswith(".img.d")
              for inner in os.listdir(path)),
        ]  # fmt: skip
        self._acts: dict[str, tuple[int, Callable[[str, tuple[str, ...]], None]]] = {
            "link planted": (4, self._plant),
            "link passing": (6, self._pass),
            "link flickered": (5, self._flicker),
            "known link": (2, self._known_link),
            "volume mounted": (2, self._mount),
            "file put": (2, self._put_file),
            "moved out": (4, self._move_out),
            "moved back": (3, self._move_back),
            "filled": (3, self._fill),
            "repaired": (16, self._repair),
        }

    def act(self) -> None:
        """Do one thing somewhere, if what is there lets it."""
        name = self._chance.choices(list(self._acts), [weight for weight, _ in self._acts.values()])[0]
        # What lasts happens mostly to leaves, or there would be nothing left to walk through.
        depth = self._chance.choices(
            range(1, len(LEVELS) + 1), (1, 1, 1, 1) if name in _PASSING else (1, 3, 6, 12)
        )[0]
        names = tuple(
            self._chance.choice(level) for level in LEVELS[: len(LEVELS) if name == "repaired" else depth]
        )
        try:
            self._acts[name][1](self._chance.choice(TOPS), names)
        except (OSError, HostError):
            self.done["in vain"] += 1
        else:
            self.done[name] += 1
        self._look_at_held(HOLD_SECONDS)

    def end(self) -> None:
        """Look at what is still held."""
        time.sleep(HOLD_SECONDS if self._held else 0)  # the proxy still takes back what it made there
        self._look_at_held(0)

    @contextmanager
    def _parent(self, top: str, names: tuple[str, ...]) -> Iterator[int]:
        descriptor = os.open(self._ground.on_host(top), _NO_FOLLOW)
        try:
            for name in names[:-1]:
                below = os.open(name, _NO_FOLLOW, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def _fresh(self, word: str) -> str:
        self._number += 1
        return f"{word}-{self._tag}-{self._number}"

    def _put_aside(self, parent: int, name: str) -> None:
        """Take what is there away, and delete it."""
        junk = os.path.join(self._drop, self._fresh("junk"))
        with suppress(FileNotFoundError):
            os.rename(name, junk, src_dir_fd=parent)
        self._delete(junk)

    def _delete(self, path: str) -> None:
        with suppress(OSError):
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)

    def _likeness(self, names: tuple[str, ...]) -> str:
        return os.path.join(self._chance.choice(self._likenesses), *names)

    def _plant(self, top: str, names: tuple[str, ...]) -> None:
        with self._parent(top, names) as parent:
            link = self._fresh(".link")
            os.symlink(self._likeness(names), link, dir_fd=parent)
            try:
                rename_with_flags(parent, link, names[-1], EXCHANGE)
            finally:
                self._put_aside(parent, link)

    def _flicker(self, top: str, names: tuple[str, ...]) -> None:
        """There is a directory, a link, a directory … and the name is never missing."""
        with self._parent(top, names) as parent:
            link = self._fresh(".link")
            os.symlink(self._likeness(names), link, dir_fd=parent)
            try:
                for _ in range(2 * self._chance.randint(1, _FLICKERS)):
                    rename_with_flags(parent, link, names[-1], EXCHANGE)
            finally:
                self._put_aside(parent, link)

    def _pass(self, top: str, names: tuple[str, ...]) -> None:
        """There is a link for a moment, as long as a call may take, and then what was there again."""
        with self._parent(top, names) as parent:
            link = self._fresh(".link")
            os.symlink(self._likeness(names), link, dir_fd=parent)
            try:
                rename_with_flags(parent, link, names[-1], EXCHANGE)
                time.sleep(self._chance.random() * _LONGEST_DWELL)
                rename_with_flags(parent, link, names[-1], EXCHANGE)
            finally:
                self._put_aside(parent, link)

    def _known_link(self, top: str, names: tuple[str, ...]) -> None:
        with self._parent(top, names) as parent:
            self._put_aside(parent, names[-1])
        with self._win32_parent(top, names) as directory:
            self._win32.set_link(directory, names[-1], "\\".join((KNOWN, *names)), replace=False)

    def _mount(self, top: str, names: tuple[str, ...]) -> None:
        with self._parent(top, names) as parent:
            self._put_aside(parent, names[-1])
        with self._win32_parent(top, names) as directory:
            self._win32.create_directory(directory, names[-1])
            self._win32.set_mount_point(directory, names[-1], self._chance.choice(self._ground.volumes))

    @contextmanager
    def _win32_parent(self, top: str, names: tuple[str, ...]):
        directory = self._win32.open_root(top)
        try:
            for name in names[:-1]:
                below = self._win32.open_child(directory, name)
                directory.close()
                directory = below
            yield directory
        finally:
            directory.close()

    def _put_file(self, top: str, names: tuple[str, ...]) -> None:
        with self._parent(top, names) as parent:
            self._put_aside(parent, names[-1])
            os.close(os.open(names[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=parent))

    def _move_out(self, top: str, names: tuple[str, ...]) -> None:
        if len(self._held) >= _MOST_HELD:
            return
        with self._parent(top, names) as parent:
            path = os.path.join(self._drop, self._fresh("held"))
            os.rename(names[-1], path, src_dir_fd=parent)
        if self._chance.random() < 0.5:
            self._held.append((time.monotonic(), time.time_ns(), path))
        else:
            os.rename(path, os.path.join(self._drop, self._fresh("back")))

    def _move_back(self, top: str, names: tuple[str, ...]) -> None:
        waiting = [name for name in os.listdir(self._drop) if name.startswith("back")]
        if not waiting:
            raise FileNotFoundError
        with self._parent(top, names) as parent:
            self._put_aside(parent, names[-1])
            os.rename(os.path.join(self._drop, waiting[0]), names[-1], dst_dir_fd=parent)

    def _fill(self, top: str, names: tuple[str, ...]) -> None:
        """Files, a deep tree, and links to outside: work for whoever removes it."""
        with self._parent(top, (*names, "")) as inside:
            for number in range(self._chance.randint(1, 4)):
                with suppress(FileExistsError):
                    os.close(os.open(f"file{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=inside))
                with suppress(FileExistsError):
                    os.symlink(self._likeness(names), f"leads-out{number}", dir_fd=inside)
            for level in LEVELS:
                with suppress(FileExistsError):
                    os.mkdir(self._chance.choice(level), dir_fd=inside)

    def _repair(self, top: str, names: tuple[str, ...]) -> None:
        """Make everything on the way a real directory again; a leaf that is a link may stay for a while."""
        for depth in range(1, len(names) + 1):
            with self._parent(top, names[:depth]) as parent:
                name = names[depth - 1]
                found = _status(parent, name)
                spared = depth == len(names) and self._chance.random() < _SPARED
                if found is not None and not stat.S_ISDIR(found.st_mode) and not spared:
                    self._put_aside(parent, name)
                    found = None
                if found is None:
                    with suppress(FileExistsError):
                        os.mkdir(name, dir_fd=parent)

    def _look_at_held(self, seconds: float) -> None:
        """What clients made in a directory after it was outside must have been taken back."""
        while self._held and time.monotonic() - self._held[0][0] >= seconds:
            _, since, path = self._held.popleft()
            self.left += [f"{name} was made outside and left" for name in _made_in(path, since)]
            self.done["held and looked at"] += 1
            self._delete(path)


def _made_in(path: str, since: int) -> Iterator[str]:
    """What clients made in a directory and in those below it, after a time in nanoseconds."""
    try:
        directory = os.open(path, _NO_FOLLOW)
    except OSError:
        return
    try:
        yield from _made_below(directory, path, since)
    finally:
        os.close(directory)


def _made_below(directory: int, path: str, since: int) -> Iterator[str]:
    """By handle, as other attackers may still be at work in there."""
    for name in os.listdir(directory):
        with suppress(OSError):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if name.startswith(MADE) and found.st_ctime_ns > since:
                yield os.path.join(path, name)
            if stat.S_ISDIR(found.st_mode):
                below = os.open(name, _NO_FOLLOW, dir_fd=directory)
                try:
                    yield from _made_below(below, os.path.join(path, name), since)
                finally:
                    os.close(below)


def _status(parent: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


def main(directory: str, seed: int, volumes: tuple[str, ...]) -> None:
    """Attack until the standard input ends."""
    ground = Ground(directory, volumes, "")
    attacker = Attacker(ground, connect.connect(ground.node, start=False), seed)
    while not select.select([sys.stdin], [], [], 0)[0]:
        attacker.act()
    attacker.end()
    json.dump({"done": attacker.done, "left": attacker.left}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), tuple(sys.argv[3:]))
