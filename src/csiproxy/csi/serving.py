"""Serving a service with its own messages: an RPC is a method of an object, an error's class its status."""

import json
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TextIO, cast

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from csiproxy.errors import Code, CsiProxyError
from csiproxy.rpc.call import Call
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError

_LONGEST_MESSAGE = 1024

Implementation = Callable[[Message, Call], Message]


def method_name(rpc: str) -> str:
    """Return the name of the Python method that serves an RPC: NodeStageVolume is node_stage_volume."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rpc).lower()


@dataclass(frozen=True, slots=True)
class _Route:
    rpc: str
    request: type[Message]
    run: Implementation


class Services:
    """The gRPC handler for services.

    Each is an object with a method an RPC, of the RPC's name in small letters (``node_stage_volume``), that
    takes the request and the call and gives the reply, or raises a CsiProxyError.  An RPC without a method is
    UNIMPLEMENTED.  What else is raised is INTERNAL; its traceback goes to ``log``, and its text nowhere else,
    as nobody knows what is in it.

    One line of JSON for each call goes to ``log``: RPC, volume, status, milliseconds, error.  Requests are
    not in it, so no secret is.
    """

    def __init__(self, services: Mapping[ServiceDescriptor, object], log: TextIO) -> None:
        self._log = log
        self._routes: dict[str, _Route] = {}
        for service, implementation in services.items():
            for method in service.methods:
                run = getattr(implementation, method_name(method.name), None)
                if run is not None:
                    route = _Route(
                        method.name, GetMessageClass(method.input_type), cast("Implementation", run)
                    )
                    self._routes[f"/{service.full_name}/{method.name}"] = route

    def __call__(self, call: Call) -> bytes:
        """Answer a call; raise RpcError when the answer is a status."""
        begin = monotonic()
        route = self._routes.get(call.method)
        if route is None:
            raise RpcError(Code.UNIMPLEMENTED, f"there is no {call.method} here")
        request = route.request()
        try:
            request.ParseFromString(call.message)
        except DecodeError as error:
            raise RpcError(Code.INVALID_ARGUMENT, f"the request is no {route.rpc}Request") from error
        try:
            reply = route.run(request, call).SerializeToString()
        except CsiProxyError as error:
            self._record(route, request, begin, error.code, str(error))
            raise RpcError(error.code, str(error)[:_LONGEST_MESSAGE]) from error
        except RpcError as error:
            self._record(route, request, begin, error.code, error.message)
            raise
        except Exception as error:
            self._log.write("".join(traceback.format_exception(error)))
            self._record(route, request, begin, Code.INTERNAL, type(error).__name__)
            raise RpcError(Code.INTERNAL, "the plugin itself failed: see its log") from error
        self._record(route, request, begin, Code.OK, "")
        return reply

    def _record(self, route: _Route, request: Message, begin: float, code: Code, error: str) -> None:
        record = {"rpc": route.rpc, "volume": getattr(request, "volume_id", ""), "status": code.name}
        record["ms"] = f"{(monotonic() - begin) * 1000:.1f}"
        if error:
            record["error"] = error[:_LONGEST_MESSAGE]
        try:
            self._log.write(json.dumps({key: value for key, value in record.items() if value}) + "\n")
            self._log.flush()
        except OSError:
            return  # nobody reads it; the calls go on


def server(services: Mapping[ServiceDescriptor, object], log: TextIO = sys.stderr) -> Server:
    """A gRPC server for services, to which listeners are added.

    Questions to Identity never wait for room.
    """
    return Server(Services(services, log), quick=lambda _, method: method.startswith("/csi.v1.Identity/"))
