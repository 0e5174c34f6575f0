"""A node in this process with its initiator at work, and a portal of a real target."""

from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.machine import Machine


def run_service(machine: Machine) -> None:
    """Let MSiSCSI run, as if it had long been started."""
    machine.services.switch("MSiSCSI", running=True)
    with machine.state.transaction() as db:
        db.execute("UPDATE services SET settled_at = 0")


def portal_of(server) -> Portal:
    return Portal(server.address, server.port)
