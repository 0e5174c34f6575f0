"""What a user is told when something fails: what is wrong, what Windows calls it, what to do next."""

import os
from dataclasses import asdict, dataclass

from csiproxy.errors import CimError, Code, CsiProxyError, HostError, HostUnreachable, Win32Error

SUCCESS, FAILURE, INTERRUPTED, NOBODY_READS = 0, 1, 130, 141
"""Exit codes: done; it failed; stopped by Ctrl-C; the reader of the output has gone (as for SIGPIPE).

A wrong command line is 2, which click gives.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure as it is printed.

    ``status`` is a gRPC status' name and ``windows_code`` a Win32 code, empty and None where there is none;
    ``origin`` names the Windows call that failed; ``next_step`` says what to do.
    """

    message: str
    status: str = ""
    windows_code: int | None = None
    windows_name: str = ""
    origin: str = ""
    next_step: str = ""

    def lines(self) -> list[str]:
        """The failure for people, what is known of it alone."""
        windows = "" if self.windows_code is None else f"{self.windows_code} {self.windows_name}".rstrip()
        details = (
            ("status", self.status),
            ("windows", windows),
            ("origin", self.origin),
            ("next", self.next_step),
        )
        return [self.message, *(f"  {name:<8} {text}" for name, text in details if text)]

    def plain(self) -> dict[str, str | int | None]:
        """The failure for programs."""
        return asdict(self)


class Failure(Exception):
    """Ends a command with exit code 1.  ``reply`` is what came nevertheless, for programs."""

    def __init__(self, problem: Problem, reply: dict[str, object] | None = None) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.reply = reply


def problem_of(error: CsiProxyError | HostError | OSError) -> Problem:
    """Say what a failure of the layers below means for whoever typed the command."""
    if isinstance(error, CsiProxyError):
        from csiproxy.api.status_details import windows_name

        code = error.windows_code
        return Problem(str(error), error.code.name, code, windows_name(code), error.origin)
    if isinstance(error, Win32Error):
        from csiproxy.api.status_details import windows_name

        code = error.windows_code
        return Problem(error.detail or str(error), "", code, windows_name(code), error.call)
    if isinstance(error, CimError):
        return Problem(str(error), origin=error.operation)
    if isinstance(error, HostUnreachable):
        return Problem(str(error), next_step="start the node: csi-proxy emulator run --state DIR")
    if isinstance(error, OSError):
        what = error.strerror or str(error) or type(error).__name__
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return Problem(f"{name}: {what}" if name else what)
    return Problem(str(error))


NEXT_STEPS = {
    Code.INVALID_ARGUMENT: "change the request; csi-proxy call GROUP/VERSION lists the fields of each RPC",
    Code.DEADLINE_EXCEEDED: "the operation may still be running; look at its state, then call again, "
    "with a longer --timeout",
    Code.NOT_FOUND: "see what there is: csi-proxy tree --host emulator:DIR; after an attach, Rescan first",
    Code.ALREADY_EXISTS: "choose another name, or remove what is there",
    Code.PERMISSION_DENIED: "use a path below the directories that the proxy was started with "
    "(csi-proxy serve --help: --kubelet-path, --working-dir)",
    Code.RESOURCE_EXHAUSTED: "call again when there is room",
    Code.FAILED_PRECONDITION: "bring the object into the state that the text asks for, then call again",
    Code.ABORTED: "another call works on the same object; call again",
    Code.OUT_OF_RANGE: "see the sizes: csi-proxy tree --host emulator:DIR",
    Code.UNIMPLEMENTED: "see what there is: csi-proxy versions",
    Code.UNAVAILABLE: "see that the proxy runs: csi-proxy serve --host emulator:DIR",
    Code.INTERNAL: "look into the proxy's audit log (csi-proxy serve --audit-log)",
    Code.DATA_LOSS: "look at the disk with another tool; nothing was changed",
}
"""What to do about each gRPC status, where the proxy's own text does not say it already."""
