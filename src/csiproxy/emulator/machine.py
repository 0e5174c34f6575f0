"""One emulated node: its directory, its state, its disks and its namespace.

The directory holds ``state.db``, ``system.img``, ``c/`` (the files of drive C:), ``locks/``, ``node.lock``
and ``node.sock``.  One process at a time has it; the kernel frees it when that process dies.
"""

import os
import shutil
import sys
import time
from dataclasses import replace
from typing import Self

from csiproxy.emulator import (
    disk,
    drive_letters,
    image,
    iscsi_records,
    links,
    marks,
    memory_files,
    smb,
    smb_servers,
    smb_shares,
    system,
)
from csiproxy.emulator.attachment import OfflineReason
from csiproxy.emulator.cim_iscsi import Iscsi
from csiproxy.emulator.cim_provider import ObjectIds
from csiproxy.emulator.control import LOCK_NAME, AttachOptions
from csiproxy.emulator.disk import Disks
from csiproxy.emulator.drive_letters import DriveLetters
from csiproxy.emulator.faults import Action, Faults
from csiproxy.emulator.faulty import NAMESPACE_STEPS, FaultyNamespace, FaultySession
from csiproxy.emulator.initiator import Initiator
from csiproxy.emulator.inventory import DiskReport, VolumeReport
from csiproxy.emulator.iscsi_keeper import Keeper
from csiproxy.emulator.links import LinkTable
from csiproxy.emulator.locks import try_lock
from csiproxy.emulator.memory_files import MemoryFiles, PageFileUsageClass, RecoveryConfigurationClass
from csiproxy.emulator.namespace import NodeNamespace
from csiproxy.emulator.places import Places
from csiproxy.emulator.reparse import Namespace
from csiproxy.emulator.session import EmulatedSession
from csiproxy.emulator.smb import SmbGlobalMappingClass, SmbGlobalMappings
from csiproxy.emulator.smb_servers import SmbServers
from csiproxy.emulator.smb_shares import Shares, Show
from csiproxy.emulator.state import State
from csiproxy.emulator.system import BiosClass, BiosElementClass, ServiceClass, Services, service_association
from csiproxy.emulator.volume import StoreKind, VolumeStore
from csiproxy.emulator.win32 import EmulatedWin32
from csiproxy.errors import HostError, Win32Error
from csiproxy.host.cim import Session
from csiproxy.host.win32 import Win32

SCHEMA = (
    *links.SCHEMA,
    """CREATE TABLE IF NOT EXISTS drives (
         letter    TEXT PRIMARY KEY,
         directory TEXT NOT NULL      -- of the host; drives in the node's own directory are not listed
       )""",
    """CREATE TABLE IF NOT EXISTS volume_store (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         kind     TEXT NOT NULL       -- of volume.StoreKind
       )""",
    *disk.SCHEMA,
    *drive_letters.SCHEMA,
    *memory_files.SCHEMA,
    *iscsi_records.SCHEMA,
    *system.SCHEMA,
    *smb.SCHEMA,
    *smb_servers.SCHEMA,
    *smb_shares.SCHEMA,
)

# What a node's kubelet has made by the time that it starts the first pod.
KUBELET_DIRECTORIES = (
    "var/lib/kubelet/pods",
    "var/lib/kubelet/plugins/kubernetes.io/csi",
    "var/lib/kubelet/plugins_registry",
)

LOCK_ATTEMPTS, LOCK_PAUSE = 4, 0.01  # seconds


class NodeInUse(HostError):
    """Another process runs a node on this directory."""


class Machine:
    """The node in its own process.

    ``drive_c`` names a directory of the host that holds drive C: from now on, also for later starts without
    it; by default it is ``c`` in the node's directory.  In the same way ``smb_files`` says whether the files
    of mapped shares are shown on this host, and ``volumes`` where the files of data disks are, by default
    beside the images.  :class:`NodeInUse` when another process runs this node,
    :class:`~csiproxy.emulator.state.StateError` or another HostError when its directory cannot be used.
    """

    def __init__(
        self,
        directory: str,
        *,
        drive_c: str | None = None,
        smb_files: Show | None = None,
        volumes: StoreKind | None = None,
    ) -> None:
        try:
            os.makedirs(directory, exist_ok=True)
            self.directory = os.path.realpath(directory)
            self._lock = _take(self.directory)
        except OSError as error:
            raise HostError(f"the node's directory {directory} cannot be used: {error.strerror}") from error
        try:
            self.state = State(os.path.join(self.directory, "state.db"), SCHEMA)
            try:
                self._start(drive_c, smb_files, volumes)
            except BaseException:
                self.state.close()
                raise
        except BaseException:
            os.close(self._lock)
            raise

    def _start(self, drive_c: str | None, smb_files: Show | None, volumes: StoreKind | None) -> None:
        self._own_drive = os.path.join(self.directory, "c")
        root = self._drive_root(drive_c)
        lock_files = os.path.join(self.directory, "locks")
        os.makedirs(lock_files, mode=0o700, exist_ok=True)
        store = self._volume_store(volumes)
        self.disks = Disks(self.state, self.directory, drive_c=root, store=store)
        shares = Shares(self.directory, smb_shares.chosen(self.state, smb_files))
        self.smb_servers = SmbServers(self.state)
        self.smb_mappings = SmbGlobalMappings(self.state, self.smb_servers, shares)
        try:
            self.namespace = Namespace(
                LinkTable(self.state), self.disks, Places({"C": root}, lock_files), shares=shares
            )
            self.namespace.recover()
            self.disks.follow(lambda volume: bool(self.namespace.mount_points(volume)))
        except BaseException:
            self.disks.close()
            raise
        self.services = services = Services(self.state)
        self.letters = DriveLetters(self.state, self._volume_name)
        self.memory_files = MemoryFiles(self.state)
        self.initiator = Initiator(
            self.state, self.disks, self.namespace.mount_points, self.directory if store else None
        )
        self._keeper = Keeper(self.initiator)
        if self.initiator.sessions():
            self._keeper.start()
        iscsi = Iscsi(
            self.initiator,
            ObjectIds(self.disks.provider),
            running=lambda: services.is_running("MSiSCSI"),
            on_session=self._keeper.start,
        )
        session = EmulatedSession(
            self.disks,
            self.namespace.mount_points,
            providers=(
                ServiceClass(services),
                BiosClass(self.state),
                BiosElementClass(self.state),
                PageFileUsageClass(self.memory_files),
                RecoveryConfigurationClass(self.memory_files),
                SmbGlobalMappingClass(self.smb_mappings),
                *iscsi.providers(),
            ),
            associations=(service_association(services), *iscsi.associations()),
            look_for_disks=self.initiator.rescan,
            letters=self.letters.of,
        )
        # What the world sees of the node goes through the faults that the operator orders.
        self.faults = Faults(self._disturb, (*session.steps(), *NAMESPACE_STEPS))
        self.session: Session = FaultySession(session, self.faults)
        self.links: NodeNamespace = FaultyNamespace(self.namespace, self.faults)
        self.win32: Win32 = EmulatedWin32(self.links)

    def _drive_root(self, given: str | None) -> str:
        """The real path of drive C:'s directory; the node's own is made, another must exist."""
        with self.state.transaction() as db:
            if given is not None:
                db.execute("INSERT OR REPLACE INTO drives VALUES ('C', ?)", (os.path.realpath(given),))
            row = db.execute("SELECT directory FROM drives WHERE letter = 'C'").fetchone()
            root = str(row[0]) if row else self._own_drive
            if row and not os.path.isdir(root):
                raise HostError(
                    f"drive C: of the node is {root}, which is no directory: make it or name another"
                )
        if root == self._own_drive and not os.path.isdir(root):
            self._furnish()
        return root

    def _volume_store(self, given: StoreKind | None) -> VolumeStore | None:
        """The store of the kind that is given, or was before; None is the one beside the images."""
        with self.state.transaction() as db:
            row = db.execute("SELECT kind FROM volume_store").fetchone()
            kind = given or (StoreKind(row[0]) if row else StoreKind.DIRECTORY)
            store = _image_store(self.state, self.directory) if kind is StoreKind.IMAGE else None
            db.execute("INSERT OR REPLACE INTO volume_store VALUES (1, ?)", (kind.value,))
        return store

    def _furnish(self) -> None:
        for name in KUBELET_DIRECTORIES:
            os.makedirs(os.path.join(self._own_drive, name), exist_ok=True)

    def close(self) -> None:
        """Stop: end the sessions, unlock the images and give up the directory.  Nothing on it changes."""
        self._keeper.stop()
        self.initiator.close()
        self.smb_mappings.close()
        self.disks.close()
        self.state.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- for the operator

    def attach(self, path: str, size: int | None, options: AttachOptions) -> int:
        """Attach an image and return its number; with a ``size`` make it first, and not for nothing."""
        if size is not None:
            image.create(path, size)
        try:
            return self.disks.attach(path, **options)
        except BaseException:
            if size is not None:
                os.unlink(path)
            raise

    def inventory(self) -> tuple[DiskReport, ...]:
        """All disks with their volumes and where those are mounted."""
        return tuple(
            replace(report, volumes=tuple(self._volume_report(volume.name) for volume in report.volumes))
            for report in self.disks.inventory()
        )

    def reset(self) -> None:
        """Make it a fresh node: no links, no mount points, no disks but the system's, no faults, a fresh C:.

        Its services are as installed, no share is mapped.  Images, the volumes' files beside them and the
        places of servers stay.  A C: that is a directory of somebody else's keeps its files; only links and
        mount points go from it.
        """
        self.faults.clear()
        self.services.reset()
        self.letters.reset()
        self.memory_files.reset()
        self.smb_mappings.reset()
        self.namespace.forget_links()
        self.initiator.reset()
        marks.clear(self.namespace.places().locks)
        for report in self.disks.inventory():
            if report.number != disk.SYSTEM_DISK:
                self.disks.detach(report.number)
        if self.namespace.places().drives["C"] != self._own_drive:
            return
        try:
            for entry in os.scandir(self._own_drive):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    os.unlink(entry.path)
            self._furnish()
        except OSError as error:
            raise HostError(f"drive C: cannot be emptied: {error}") from error

    def seed(self, seed: str) -> None:
        """Let ``seed`` alone decide all identifiers from here on."""
        self.state.seed(seed)

    def _volume_name(self, name: str) -> str:
        """The name of a volume that is there, offline or not; 1168 for another."""
        with self.disks.lock:
            return self.disks.find_volume(name, offline=True)[1].name

    def _disturb(self, action: Action, number: int) -> None:
        """Do to a disk what a fault orders."""
        if action is Action.VANISH:
            self.disks.detach(number)
            return
        with self.disks.lock:
            found = next((one for one in self.disks.present() if one.number == number), None)
            if found is None:
                raise HostError(f"a fault was ordered for disk {number}, which is not there")
            changed = (
                found.record.taken_offline(OfflineReason.CRITICAL_WRITE_FAILURES)
                if action is Action.OFFLINE
                else replace(found.record, medium_read_only=True)
            )
            self.disks.update(found, changed)

    def _volume_report(self, volume: str) -> VolumeReport:
        mount_points = tuple(self.namespace.mount_points(volume))
        try:
            return VolumeReport(volume, mount_points, self.disks.volume_directory(volume), "")
        except Win32Error as error:
            return VolumeReport(volume, mount_points, "", error.detail)


def _image_store(state: State, directory: str) -> VolumeStore:
    """The store with file systems in the images; HostError when the host lacks what it needs."""
    if sys.platform != "linux":
        raise HostError("--volumes image needs Linux; --volumes directory works everywhere")
    else:  # noqa: RET506 - mypy for other systems must not read on
        from csiproxy.emulator.image_store import requirements
        from csiproxy.emulator.image_store.store import ImageStore

        requirements.demand()
        return ImageStore(state, directory)


def _take(directory: str) -> int:
    """Lock the directory for this process; the lock file says which it is."""
    path = os.path.join(directory, LOCK_NAME)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Whoever waits for the end of an earlier node looks at the lock by taking it for an instant.
        for attempt in range(LOCK_ATTEMPTS):
            if try_lock(descriptor):
                break
            time.sleep(attempt * LOCK_PAUSE)
        else:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            raise NodeInUse(
                f"a node runs on {directory} already (process {holder}): stop it or choose another directory"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
