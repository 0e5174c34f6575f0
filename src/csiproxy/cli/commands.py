"""The commands, by what they are for; each loads what it needs when it is run."""

import difflib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import click

from csiproxy.cli.failure import FAILURE, INTERRUPTED, NOBODY_READS, SUCCESS, Failure, problem_of
from csiproxy.errors import CsiProxyError, HostError
from csiproxy.version import __version__


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in the list: its name, the module whose ``command`` it is, and a line of help."""

    name: str
    module: str
    help: str


SECTIONS = {
    "See what it does": (
        Entry("demo", "csiproxy.cli.demo.command", "play a pod's storage life on an emulated node"),
    ),
    "Run": (
        Entry("serve", "csiproxy.cli.serve", "serve the storage operations of a node to CSI node plugins"),
        Entry("service", "csiproxy.cli.windows_service", "install, start and stop the Windows service"),
        Entry("doctor", "csiproxy.cli.doctor", "look whether a node is fit, and try what is assumed of it"),
        Entry("emulator", "csiproxy.cli.emulator", "run an emulated Windows node and change its disks"),
    ),
    "Beside kubelet": (
        Entry(
            "node-plugin", "csiproxy.cli.node_plugin", "serve CSI volumes: disks, SMB shares, iSCSI targets"
        ),
        Entry("registrar", "csiproxy.cli.registrar", "introduce a CSI plugin to kubelet"),
        Entry("testing", "csiproxy.cli.testing.command", "stand-ins for what surrounds a CSI driver"),
    ),
    "Ask and call": (
        Entry("call", "csiproxy.cli.call", "call any RPC of any version, with JSON"),
        Entry("get", "csiproxy.cli.get", "list the disks, volumes, mounts or targets of a node"),
        Entry("tree", "csiproxy.cli.tree", "show disks, partitions, volumes, mount points and links"),
        Entry("audit", "csiproxy.cli.audit.command", "check, read and correlate the audit trail"),
    ),
    "Know the API": (
        Entry("versions", "csiproxy.cli.versions", "list every version of every API group"),
        Entry("descriptors", "csiproxy.cli.descriptors", "write the API for grpcurl and protoc"),
    ),
}
ENTRIES = {entry.name: entry for section in SECTIONS.values() for entry in section}


class Commands(click.Group):
    """The root: commands in sections, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return all names, in the order of the help."""
        return list(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return a command; None for an unknown name."""
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one gets the nearest name as a hint."""
        if args and args[0] not in ENTRIES and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], ENTRIES, 1)
            hint = f"did you mean '{near[0]}'?" if near else "csi-proxy --help lists what there is."
            ctx.fail(f"there is no command '{args[0]}'; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands by section, importing none."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in section])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="csi-proxy COMMAND --help says more. Exit codes: 0 done, 1 failed, 2 wrong command line.",
)
@click.version_option(__version__, prog_name="csi-proxy", message="%(prog)s %(version)s")
def root() -> None:
    """The privileged storage service of a Windows Kubernetes node, and an emulated node to develop against.

    What to type first:

    \b
      csi-proxy demo                                       watch a pod's storage life, under a minute
      csi-proxy serve --host emulator:/tmp/node            an emulated node and its proxy
      csi-proxy emulator attach --state /tmp/node --create 1GiB /tmp/disk.img     (in another shell)
      csi-proxy call disk/v1 PartitionDisk '{"disk_number": 1}' --host emulator:/tmp/node
      csi-proxy tree --state /tmp/node                     what is where now
    """


def main(argv: Sequence[str]) -> int:
    """Run the command line; return the exit code.  A user's mistake is a line of text, not a traceback."""
    from csiproxy.cli.output import Output

    output = Output()
    try:
        code = root.main(args=list(argv), prog_name="csi-proxy", standalone_mode=False, obj=output)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except Failure as failure:
        output.failure(failure)
    except (CsiProxyError, HostError, OSError) as error:
        output.failure(Failure(problem_of(error)))
    else:
        return code if isinstance(code, int) else SUCCESS
    return FAILURE


def _nobody_reads() -> int:
    """End as programs do whose reader has gone, without a word from the interpreter's own flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS
