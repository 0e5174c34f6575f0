"""Self-tests of the iSCSI classes, as far as they need no target."""

import re

from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.errors import CimError, CsiProxyError
from csiproxy.storage.disk import location_of
from csiproxy.storage.system import ServiceState

# Where nobody listens: on this machine, at a port that no service has.
_NOBODY, _PORT = "127.0.0.1", 1
_ISCSI_STATUS = 0xEFFF


def refused_portal(ground: Ground) -> str:
    """Discovers at a port of this machine where nobody listens."""
    _demand_initiator(ground)
    try:
        code = ground.host.cim.invoke(
            "MSFT_iSCSITargetPortal",
            "New",
            TargetPortalAddress=_NOBODY,
            TargetPortalPortNumber=_PORT,
        ).return_value
        how = "return value"
    except CimError as error:
        code, how = error.hresult, "HRESULT"
    if code == 0:
        portal = ground.storage.iscsi.portal(_NOBODY, _PORT)
        if portal is not None:
            ground.storage.iscsi.remove_portal(portal)
        raise Differs("a portal where nobody listens was added")
    if code >> 16 != _ISCSI_STATUS:
        raise Differs(f"{how} 0x{code:08x}")
    return f"{how} 0x{code:08x}"


def disks_of_a_target(ground: Ground) -> str:
    """Looks for the disks of targets that are logged in to already, and for their LUNs."""
    _demand_initiator(ground)
    connected = [target for target in ground.storage.iscsi.all_targets() if target.is_connected]
    if not connected:
        raise NotTried("no target is logged in to: log in to one and run this again")
    seen = []
    for target in connected:
        disks = ground.storage.iscsi.disk_numbers(target)
        if not disks:
            raise Differs(f"{target.name} is connected, and no disk hangs on its connections")
        for number in disks:
            where = location_of(ground.storage.disks.get(number))
            if where is None or not re.fullmatch("[0-9]+", where.lun):
                raise Differs(f"disk {number} of {target.name} does not say its LUN in Location")
            seen.append(f"disk {number} is LUN {where.lun} of {target.name}")
    return "; ".join(seen)


def _demand_initiator(ground: Ground) -> None:
    try:
        service = ground.storage.system.service("MSiSCSI")
    except CsiProxyError as error:
        raise NotTried(f"the initiator's service cannot be asked for ({error})") from error
    if service.state is not ServiceState.RUNNING:
        raise NotTried("the service MSiSCSI does not run: start it and run this again")
