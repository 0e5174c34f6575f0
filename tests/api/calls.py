"""Every method of the API, and what becomes of a request or reply that is sent through one."""

from csiproxy.api.versions import CONTRACTS
from csiproxy.errors import InvalidArgument

METHODS = {path: method for found in CONTRACTS for path, method in found.methods().items()}


def convert(path, request):
    """Send a request through its method as a server would."""
    return METHODS[path].read_request(request.SerializeToString())


def answer(path, reply):
    """Send the hub's reply through its method and read it as an old version's client would."""
    method = METHODS[path]
    return method.reply.FromString(method.write_reply(reply))


def outcome(call):
    """Return what a call gives: its result, or its refusal."""
    try:
        return call()
    except InvalidArgument as error:
        return error
