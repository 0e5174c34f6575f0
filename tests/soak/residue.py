"""What a node, a proxy and the host have left when no pod lives: nothing that was not there before."""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What is told apart in a descriptor's target; numbers in it are not.
_NUMBER = re.compile(r"\[?\d+\]?$")
# Idle connections to the node that a proxy may keep, as its pool has it.
IDLE_CONNECTIONS = 8


@dataclass(frozen=True)
class Footprint:
    """A process: its descriptors by what they lead to, its threads, its children, its memory in bytes."""

    descriptors: Counter[str]
    threads: int
    children: tuple[str, ...]
    memory: int

    @property
    def sockets(self) -> int:
        return self.descriptors["socket:"]

    @property
    def others(self) -> Counter[str]:
        """Descriptors that are no sockets."""
        return Counter({name: count for name, count in self.descriptors.items() if name != "socket:"})


def footprint(process: int) -> Footprint:
    """Look at a process that runs."""
    at = Path("/proc", str(process))
    descriptors: Counter[str] = Counter()
    for name in os.listdir(at / "fd"):
        try:
            descriptors[_NUMBER.sub("", os.readlink(at / "fd" / name))] += 1
        except FileNotFoundError:
            continue
    tasks = os.listdir(at / "task")
    return Footprint(descriptors, len(tasks), tuple(_children(process)), memory(process))


def memory(process: int) -> int:
    """What a process has of the host's memory that is no file's (Anonymous), in bytes.

    Pages of files and libraries, which the resident set has too, come and go as the host likes, and are a
    process's own only while no other one has mapped the same file.
    """
    with open(f"/proc/{process}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Anonymous:")) << 10


def resident(process: int) -> int:
    """The resident set of a process, in bytes."""
    with open(f"/proc/{process}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) << 10


def _children(process: int) -> Iterator[str]:
    for task in os.listdir(f"/proc/{process}/task"):
        try:
            with open(f"/proc/{process}/task/{task}/children") as file:
                found = file.read().split()
        except OSError:
            continue
        for child in found:
            try:
                with open(f"/proc/{child}/cmdline", "rb") as file:
                    command = file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
            except OSError:
                continue
            yield command or f"a zombie, {child}"


def mounts(directory: Path) -> list[str]:
    """Mounts of this host below a directory."""
    with open("/proc/self/mountinfo") as file:
        return [line.strip() for line in file if str(directory) in line]


def loop_devices(directory: Path) -> list[str]:
    """Loop devices of this host whose images are below a directory."""
    found = []
    for device in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            image = device.read_text().strip()
        except OSError:
            continue
        if image.startswith(str(directory)):
            found.append(f"{device.parts[3]}: {image}")
    return found


def strangers(directory: Path, known: set[int]) -> list[str]:
    """Processes whose command names a directory, but those that are known."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in known:
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(directory) in command:
            found.append(command.strip())
    return found


def connections(port: int) -> int:
    """Connections that this host's server at a TCP port has."""
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in file][1:]
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" for line in lines)


@dataclass(frozen=True)
class Rows:
    """What a node's state holds: links, changes of names that were begun, disks."""

    links: int
    changes: int
    disks: int
    offline: int


def rows(node: str) -> Rows:
    """Count in a node's state, which it may go on with meanwhile."""
    tables = ("links", "link_changes", "disks", "offline_partitions")
    database = sqlite3.connect(f"file:{node}/state.db?mode=ro", uri=True, timeout=30)
    try:
        return Rows(*(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables))
    finally:
        database.close()


def locks(node: str) -> list[str]:
    """Files of locks that somebody holds or has left, and of marks."""
    return sorted(os.listdir(Path(node, "locks")))


def tree(directory: Path) -> list[str]:
    """Everything below a directory, by its relative path; links are not followed."""
    return sorted(
        os.path.relpath(os.path.join(base, name), directory)
        for base, names, files in os.walk(directory)
        for name in (*names, *files)
    )
