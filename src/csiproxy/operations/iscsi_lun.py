"""One LUN in one call, as CSIProxyService mounts it: discover, log in, wait for the disk."""

import time
from collections.abc import Callable

from csiproxy.errors import InvalidArgument, NotFound, WindowsCode
from csiproxy.operations.context import Context
from csiproxy.operations.disk import DiskGroup
from csiproxy.operations.iscsi import (
    INITIATOR_SECRET,
    AuthenticationType,
    IscsiGroup,
    Login,
    TargetPortal,
    check_secret,
    target_lock,
)
from csiproxy.operations.locks import Locks
from csiproxy.operations.secret import Secret

# How long a disk may take to come after the login.
ARRIVAL_SECONDS = 15.0
# How long a target's only disk may be alone before it is taken for LUN 0, which the target does not have.
SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.2


class IscsiLuns:
    """Mounts and unmounts LUNs.  ``sleep`` passes the time (seconds) until a disk has come."""

    def __init__(
        self,
        iscsi: IscsiGroup,
        disks: DiskGroup,
        locks: Locks,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._iscsi = iscsi
        self._disks = disks
        self._locks = locks
        self._sleep = sleep

    def mount(
        self,
        context: Context,
        portal: TargetPortal,
        name: str,
        lun: int,
        *,
        discovery: Login,
        login: Login,
        initiator_secret: Secret,
        read_only: bool,
    ) -> int:
        """Log in where that is still to do, and return the number of the LUN's disk.

        LUN 0 of a target that has none is its only disk: the oldest version of the API cannot say a LUN.
        """
        if login.type is AuthenticationType.MUTUAL_CHAP:
            check_secret(initiator_secret, "initiator_chap_secret")
            if initiator_secret == login.secret:
                raise InvalidArgument("the two secrets of mutual CHAP must differ")
        elif initiator_secret:
            raise InvalidArgument("an initiator's CHAP secret is given, but the login is not to be mutual")
        with self._locks.hold(context, target_lock(name)):
            self._connected(context, portal, name, discovery, login, initiator_secret)
            number = self._arrived(context, name, lun)
        self._disks.keep_read_only(context, number, read_only)
        return number

    def unmount(self, context: Context, name: str) -> None:
        """Log out; a target that is not connected is success."""
        self._iscsi.log_out(context, name)

    def _connected(
        self,
        context: Context,
        portal: TargetPortal,
        name: str,
        discovery: Login,
        login: Login,
        initiator_secret: Secret,
    ) -> None:
        if self._iscsi.is_connected(name):
            return
        self._iscsi.make_known(context, portal, discovery)
        if login.type is not AuthenticationType.MUTUAL_CHAP:
            self._iscsi.log_in(context, portal, name, login)
            return
        # The secret is the whole node's: nobody else may set it between here and the login.
        with self._locks.hold(context, INITIATOR_SECRET):
            self._iscsi.set_initiator_secret(initiator_secret)
            self._iscsi.log_in(context, portal, name, login)

    def _arrived(self, context: Context, name: str, lun: int) -> int:
        """The number of the LUN's disk, once Windows has it."""
        waited, settled = 0.0, 0.0
        while True:
            found = self._disks.luns(self._iscsi.disk_numbers(name))
            if lun in found:
                return found[lun]
            settled = settled + _POLL_SECONDS if len(found) == 1 and not lun else 0.0
            if settled >= SETTLE_SECONDS:
                return next(iter(found.values()))
            if waited >= ARRIVAL_SECONDS:
                has = ", ".join(map(str, sorted(found))) or "none"
                raise NotFound(
                    f"target {name} has no disk at LUN {lun}; the LUNs of its disks are: {has}",
                    WindowsCode.NOT_FOUND,
                )
            if not waited:
                self._disks.rescan(context)
            context.check()
            self._sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
