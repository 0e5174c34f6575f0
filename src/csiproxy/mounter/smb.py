r"""SMB shares: a mapping for the whole node, and a link to it from the place where it is mounted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from csiproxy.client import Client
from csiproxy.errors import Code, CsiProxyError, InvalidArgument, WindowsCode
from csiproxy.mounter.links import is_live_link, remove_link
from csiproxy.mounter.options import refuse_unkept
from csiproxy.mounter.paths import on_node, parent

_NAMES: Final = {
    "username": "username",
    "user": "username",
    "password": "password",
    "pass": "password",
    "domain": "domain",
    "dom": "domain",
}


@dataclass(frozen=True, slots=True)
class Login:
    r"""A user with its domain (``DOMAIN\user``), "" for the node's own account, and its password."""

    username: str = ""
    password: str = field(default="", repr=False)


def login(options: Sequence[str], sensitive_options: Sequence[str]) -> Login:
    r"""Read user and password from mount options.

    Either all are named (``username=``, ``domain=``, ``password=``, as for Linux' cifs), or there are two
    that stand alone, user and password, as mount-utils has them on Windows.  InvalidArgument for anything
    else; no text shows a sensitive option.
    """
    given = [*options, *sensitive_options]
    if not given or given[0].partition("=")[0] in _NAMES or not sensitive_options:
        return _named(options, sensitive_options)
    if len(given) != 2:
        raise InvalidArgument(
            "a share takes username= and password=, or user and password alone, and nothing else",
            WindowsCode.NOT_SUPPORTED,
        )
    return Login(*given)


def _named(options: Sequence[str], sensitive_options: Sequence[str]) -> Login:
    found: dict[str, str] = {}
    for text in (*options, *sensitive_options):
        name, separator, value = text.partition("=")
        if separator and name in _NAMES:
            found[_NAMES[name]] = value
        elif text in sensitive_options:
            raise InvalidArgument("a share has no use for a sensitive option that is no password=")
        else:
            refuse_unkept([text])
    user, domain = found.get("username", ""), found.get("domain", "")
    if domain and user and not {"\\", "@"} & set(user):
        user = f"{domain}\\{user}"
    return Login(user, found.get("password", ""))


def mount(client: Client, share: str, target: str, credentials: Login = Login()) -> None:
    r"""Map a share (``\\server\share``, or a directory below) and let ``target`` be a link to it.

    The parent of ``target`` is made where it is missing; an empty directory at ``target``, or a link that
    leads nowhere, makes room.  AlreadyExists where a link leads elsewhere, which the Go csi-proxy cannot tell
    from one that leads to the share.
    """
    path = on_node(target)
    remote = share.replace("/", "\\").rstrip("\\")
    files, shares = client.filesystem, client.smb
    is_live = is_live_link(client, path)
    if not is_live:
        files.mkdir(parent(path))
        remove_link(client, path)
    user, password = credentials.username, credentials.password
    try:
        shares.new_smb_global_mapping(remote, local_path=path, username=user, password=password)
    except CsiProxyError as error:
        if not is_live or error.code is not Code.UNKNOWN:
            raise
        shares.new_smb_global_mapping(remote, username=user, password=password)


def unmount(client: Client, target: str, share: str = "") -> None:
    """Remove the link at ``target``, never what it leads to, and the mapping of ``share`` if that is given.

    Give the share only where no other link on the node leads to it: csi-proxy for Python keeps the mapping
    until the last link has gone, the Go csi-proxy ends it under all of them.
    """
    remove_link(client, on_node(target))
    if share:
        client.smb.remove_smb_global_mapping(share.replace("/", "\\").rstrip("\\"))
