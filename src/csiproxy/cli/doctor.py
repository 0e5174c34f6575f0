"""``csi-proxy doctor``: is this node fit, and does it do what this program assumes?"""

import sys
from collections.abc import Iterator, Sequence

import click

from csiproxy.cli.failure import FAILURE, SUCCESS
from csiproxy.cli.output import Output, output_option, table, waiting
from csiproxy.cli.places import HOST_VARIABLE, kubelet_option, read_host
from csiproxy.doctor import checks, self_test
from csiproxy.doctor.checks import Check, State
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Verdict
from csiproxy.doctor.own_disks import EmulatedDisks
from csiproxy.doctor.self_test import Finding
from csiproxy.errors import CsiProxyError
from csiproxy.host import Host
from csiproxy.hosts import open_host


@click.command("doctor")
@click.option(
    "--host",
    metavar="emulator:DIR",
    envvar=HOST_VARIABLE,
    help="an emulated node, named as for serve; default on Windows: this machine "
    f"[environment: {HOST_VARIABLE}]",
)
@click.option(
    "--self-test",
    "tries",
    is_flag=True,
    help="try whether this Windows does what csi-proxy assumes of it, on disks and in folders that are made "
    "for it and removed afterwards; takes about a minute",
)
@kubelet_option
@output_option
@click.pass_obj
def command(output: Output, host: str | None, tries: bool, kubelet_path: str) -> int:
    """Look whether a node is fit for csi-proxy; with --self-test, try what no document settles.

    Exit code 1 says that something is not as it should be.
    """
    directory = read_host(host) if host else ""
    if tries:
        with waiting("trying what is assumed of Windows"):
            findings = list(self_test.run(_ground(directory)))
        return _show_findings(output, findings)
    with waiting("looking at the node"):
        found = list(_checks(directory, kubelet_path))
    return _show_checks(output, found)


def _checks(directory: str, kubelet_path: str) -> Iterator[Check]:
    if sys.platform == "win32" and not directory:
        from csiproxy.doctor import windows_checks

        yield from windows_checks.of_this_machine()
    try:
        host = _host(directory)
    except CsiProxyError as error:
        yield checks.failed("storage", error, "mend what failed above, or start the node")
        return
    yield from checks.of_node(host, kubelet_path)


def _ground(directory: str) -> Ground:
    if sys.platform == "win32" and not directory:
        from csiproxy.doctor.own_disks import VirtualDisks

        return Ground(_host(""), VirtualDisks(), True)
    return Ground(_host(directory), EmulatedDisks(directory), False)


def _host(directory: str) -> Host:
    if not directory and sys.platform != "win32":
        raise click.UsageError("which node? This machine is no Windows: give --host emulator:DIR")
    return open_host(directory)


def _show_checks(output: Output, found: Sequence[Check]) -> int:
    plain = [
        {"name": one.name, "state": one.state.value, "seen": one.seen, "next_step": one.next_step}
        for one in found
    ]
    rows = [(one.state.value, one.name, one.seen, one.next_step) for one in found]
    output.result(plain, lambda screen: screen.print(table(("STATE", "WHAT", "SEEN", "NEXT"), rows)))
    return FAILURE if any(one.state is State.FAILED for one in found) else SUCCESS


def _show_findings(output: Output, findings: Sequence[Finding]) -> int:
    plain = [
        {
            "name": one.assumption.name,
            "assumed": one.assumption.text,
            "result": one.outcome.verdict.value,
            "seen": one.outcome.seen,
        }
        for one in findings
    ]
    rows = [(one.outcome.verdict.value, one.assumption.name, one.outcome.seen) for one in findings]
    output.result(plain, lambda screen: screen.print(table(("RESULT", "ASSUMPTION", "SEEN"), rows)))
    return FAILURE if any(one.outcome.verdict is Verdict.DIFFERS for one in findings) else SUCCESS
