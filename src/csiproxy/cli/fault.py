"""``csi-proxy emulator fault``: order what is to go wrong at the node."""

from pathlib import Path

import click

from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option
from csiproxy.emulator import scenario
from csiproxy.emulator.faults import GREATEST_CODE, Action, Fault, When

_FIRST_HRESULT = 0x8000_0000


def code_callback(context: click.Context, param: click.Parameter, value: str) -> int:
    """Read a number of 32 bits, decimal or with 0x in front."""
    try:
        code = int(value, 0)
    except ValueError:
        code = -1
    if not 0 <= code <= GREATEST_CODE:
        raise click.BadParameter("give a number like 41002 or 0x80041003", context, param)
    return code


@click.group("fault")
def fault() -> None:
    """Order faults: at the nth call of a step something goes wrong, once.

    A step is a CIM method (MSFT_Disk.Initialize), a class that is asked for (MSFT_Volume), or a call of the
    node's namespace (set_mount_point, set_link, mounted …); * stands for any text, and 'fault steps' lists
    them all.

    \b
      csi-proxy emulator fault add --state /tmp/node MSFT_Disk.Initialize fail --code 41002
      csi-proxy emulator fault add --state /tmp/node MSFT_Partition fail --code 0x80041003
      csi-proxy emulator fault add --state /tmp/node MSFT_Volume.Flush hang
      csi-proxy emulator fault add --state /tmp/node 'MSFT_*' lose --nth 3
      csi-proxy emulator fault load --state /tmp/node scenario.toml
    """


@fault.command("add")
@state_option
@click.argument("step")
@click.argument("action", type=click.Choice([action.value for action in Action]))
@click.option("--nth", type=click.IntRange(min=1), default=1, help="at which matching call from now on")
@click.option("--when", type=click.Choice([when.value for when in When]), default="before")
@click.option(
    "--code",
    callback=code_callback,
    default="0",
    metavar="N",
    help="for fail: return value of a method, HRESULT of a query, Windows code else",
)
@click.option("--seconds", type=click.FloatRange(0, 86400), default=0.0, help="for slow")
@click.option("--disk", type=click.IntRange(min=0), default=0, help="for vanish, offline and read-only")
@output_option
@click.pass_obj
def add(
    output: Output,
    step: str,
    action: str,
    nth: int,
    when: str,
    code: int,
    seconds: float,
    disk: int,
    state: str | None,
    host: str | None,
) -> None:
    """Order one fault."""
    ordered = Fault(step, Action(action), nth, When(when), code, seconds, disk)
    with control(node_directory(state, host)) as node:
        node.order(ordered)
    output.done(f"ordered: {sentence(ordered)}", step=step, action=action)


@fault.command("load")
@state_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@click.pass_obj
def load(output: Output, file: Path, state: str | None, host: str | None) -> None:
    """Order all faults of a scenario file (TOML, tables [[fault]])."""
    ordered = scenario.parse(file.read_text("utf-8"))
    with control(node_directory(state, host)) as node:
        for one in ordered:
            node.order(one)
    output.done("".join(f"ordered: {sentence(one)}\n" for one in ordered).rstrip(), ordered=len(ordered))


@fault.command("steps")
@state_option
@output_option
@click.pass_obj
def list_steps(output: Output, state: str | None, host: str | None) -> None:
    """List the steps at which faults can happen."""
    with control(node_directory(state, host)) as node:
        steps = node.fault_steps()
    output.result(list(steps), lambda screen: screen.print("\n".join(steps)))


@fault.command("list")
@state_option
@output_option
@click.pass_obj
def list_faults(output: Output, state: str | None, host: str | None) -> None:
    """List what has not happened yet."""
    with control(node_directory(state, host)) as node:
        found = node.faults()
    plain = [
        {
            "step": one.step,
            "action": one.action.value,
            "nth": one.nth,
            "when": one.when.value,
            "code": one.code,
            "seconds": one.seconds,
            "disk": one.disk,
        }
        for one in found
    ]
    rows = [
        (
            one.step,
            one.action.value,
            str(one.nth),
            one.when.value,
            shown(one.code),
            f"{one.seconds:g}",
            str(one.disk),
        )
        for one in found
    ]
    columns = ("STEP", "ACTION", "NTH", "WHEN", "CODE", "SECONDS", "DISK")
    output.result(plain, lambda screen: screen.print(table(columns, rows, right=columns[2:3] + columns[4:])))


@fault.command("clear")
@state_option
@output_option
@click.pass_obj
def clear(output: Output, state: str | None, host: str | None) -> None:
    """Forget all faults; what hangs or is slow goes on."""
    with control(node_directory(state, host)) as node:
        node.clear_faults()
    output.done("nothing is ordered any more", ordered=0)


def shown(code: int) -> str:
    """A code as Microsoft's pages write it."""
    return f"0x{code:08x}" if code >= _FIRST_HRESULT else str(code)


def sentence(one: Fault) -> str:
    """What was ordered, for people."""
    at = f"call {one.nth} of {one.step} from now on"
    detail = {
        Action.FAIL: f"fails with {shown(one.code)}",
        Action.HANG: "hangs until 'fault clear'",
        Action.SLOW: f"takes {one.seconds:g} s longer",
        Action.LOSE: "is done, and its reply is lost",
        Action.VANISH: f"makes disk {one.disk} vanish {one.when.value} it is done",
        Action.OFFLINE: f"takes disk {one.disk} offline {one.when.value} it is done",
        Action.READ_ONLY: f"makes disk {one.disk} read-only {one.when.value} it is done",
        Action.KILL_CALLER: f"kills its caller {one.when.value} it is done",
        Action.KILL_NODE: f"kills the node {one.when.value} it is done",
    }
    return f"{at} {detail[one.action]}"
