"""``csi-proxy call``: any RPC of any version, in that version's own field names."""

import difflib
import os
import sys

import click

from csiproxy.api import status_details, versions
from csiproxy.api.contract import Contract
from csiproxy.api.endpoints import SOCKET_SUFFIX
from csiproxy.api.method import Method
from csiproxy.cli.failure import NEXT_STEPS, Failure, Problem
from csiproxy.cli.json_message import (
    MAX_REQUEST,
    RequestError,
    describe_fields,
    descriptor_of,
    plain,
    read_request,
)
from csiproxy.cli.output import Output, as_json, output_option, waiting
from csiproxy.cli.places import endpoints_directory, endpoints_option, open_channel
from csiproxy.errors import Code, InvalidArgument
from csiproxy.rpc.status import RpcError

ERROR_CODE = "error_code"
"""The field in which CSIProxyService says how a call ended; 0 is success."""


@click.command("call")
@click.argument("contract_name", metavar="[GROUP/VERSION", default="")
@click.argument("rpc", metavar="[RPC", default="")
@click.argument("request", metavar="[JSON|-]]]", default="{}")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="how long the call may take",
)
@endpoints_option
@output_option
@click.pass_obj
def command(
    output: Output,
    contract_name: str,
    rpc: str,
    request: str,
    timeout: float,
    endpoints: str | None,
    host: str | None,
) -> None:
    """Call an RPC.  Fields have the names of the version that is called; nothing given means {}.

    \b
      csi-proxy call                                     list the versions
      csi-proxy call disk/v1                             list the RPCs and fields of one
      csi-proxy call disk/v1 ListDiskIDs --host emulator:/tmp/node
      csi-proxy call volume/v1 GetVolumeStats '{"volume_id": "…"}' --endpoints /tmp/node/endpoints -o json
      csi-proxy call csi-proxy/v1beta1 Rescan --endpoints /tmp/node/endpoints
      csi-proxy call smb/v1 NewSmbGlobalMapping - < request.json   (no password in argv)

    The exit code is 1 when the call failed, for CSIProxyService also when its error_code is not 0.
    """
    if not contract_name:
        _list_contracts(output)
        return
    contract = _contract(contract_name)
    if not rpc:
        _list_rpcs(output, contract)
        return
    method = _method(contract, rpc)
    message = _request(method, request)
    directory = endpoints_directory(endpoints, host)
    with open_channel(directory, contract.endpoint) as channel:
        try:
            with waiting(f"{contract.name} {rpc} …"):
                data = channel.call(f"/{contract.service}/{rpc}", message, timeout=timeout)
        except RpcError as error:
            raise Failure(_problem(error, contract, directory)) from error
    reply = plain(method.reply.FromString(data))
    _refuse_error_code(reply)
    output.result(reply, lambda screen: screen.print(as_json(reply, indent=2)))


def _contract(name: str) -> Contract:
    try:
        return versions.contract(name)
    except InvalidArgument:
        known = [contract.name for contract in versions.CONTRACTS]
        raise Failure(
            Problem(
                f"there is no API version '{name}'{_near(name, known)}; there are: {', '.join(known)}",
                next_step="csi-proxy versions says more about each",
            )
        ) from None


def _method(contract: Contract, rpc: str) -> Method:
    found = contract.methods().get(f"/{contract.service}/{rpc}")
    if found is None:
        raise Failure(
            Problem(
                f"{contract.name} has no RPC '{rpc}'{_near(rpc, contract.rpcs)}; "
                f"it has: {', '.join(contract.rpcs)}",
                next_step=f"csi-proxy call {contract.name} lists their fields",
            )
        )
    return found


def _near(name: str, known: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _request(method: Method, text: str) -> bytes:
    """The request's bytes; ``-`` reads it from standard input."""
    if text == "-":
        text = sys.stdin.read(MAX_REQUEST + 1)
    try:
        return read_request(text, method.request).SerializeToString()
    except RequestError as error:
        raise Failure(Problem(str(error), Code.INVALID_ARGUMENT.name)) from error


def _problem(error: RpcError, contract: Contract, directory: str) -> Problem:
    details = status_details.decode(error.details) if error.details else None
    unreachable = error.code is Code.UNAVAILABLE and details is None
    step = _where(contract, directory) if unreachable else NEXT_STEPS.get(error.code, "")
    if details is None:
        return Problem(error.message, error.code.name, next_step=step)
    return Problem(
        details.message or error.message,
        error.code.name,
        details.windows_code,
        details.windows_name,
        details.origin,
        step,
    )


def _where(contract: Contract, directory: str) -> str:
    """What to do about an endpoint that nobody answers on."""
    try:
        found = {name for name in os.listdir(directory) if name.endswith(SOCKET_SUFFIX)}
    except OSError:
        return f"there is no directory {directory}: name the one of csi-proxy serve --endpoints, or start it"
    if contract.endpoint + SOCKET_SUFFIX in found:
        return f"start the proxy again: csi-proxy serve --host emulator:DIR --endpoints {directory}"
    served = [known.name for known in versions.CONTRACTS if known.endpoint + SOCKET_SUFFIX in found]
    if not served:
        return f"start a proxy: csi-proxy serve --host emulator:DIR --endpoints {directory}"
    return f"{contract.name} is not served in {directory}; there are: {', '.join(served)}"


def _refuse_error_code(reply: dict[str, object]) -> None:
    """CSIProxyService answers OK and says in a field how it went."""
    code = reply.get(ERROR_CODE)
    if not isinstance(code, int) or code == 0:
        return
    name = status_details.windows_name(code)
    raise Failure(
        Problem(
            f"the call was refused with error_code {code} {name}".rstrip(),
            windows_code=code,
            windows_name=name,
            next_step="the proxy's audit log (csi-proxy serve --audit-log) says why",
        ),
        reply,
    )


def _list_contracts(output: Output) -> None:
    names = [contract.name for contract in versions.CONTRACTS]
    output.result(names, lambda screen: screen.print("\n".join(names)))


def _list_rpcs(output: Output, contract: Contract) -> None:
    requests = {method.rpc: descriptor_of(method.request) for method in contract.methods().values()}
    fields = {rpc: [field.name for field in request.fields] for rpc, request in requests.items()}
    lines = [f"{rpc}: {describe_fields(request)}" for rpc, request in requests.items()]
    output.result(fields, lambda screen: screen.print("\n".join(lines)))
