"""The calls that touch shares, in each starting state that makes them take another way.

They need a server that accepts sessions, so they are made for one: ``scenarios(server)``.  No files of shares
are shown; what dies here are calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.crash.calls import Request
from tests.crash.scenarios import (
    FIRST_SERVICE,
    PLUGIN,
    POD_CONTEXT,
    PUBLISHED,
    SERVICE,
    STAGING,
    Scenario,
    linked,
)
from tests.emulated import EmulatedNode

from csiproxy.operations.context import Context
from csiproxy.operations.secret import Secret

NAME, SHARE = "files", r"\\files\data"
SMB, FILESYSTEM = "smb/v1", "filesystem/v1"
OTHER_LINK = STAGING + "-2"


@dataclass(frozen=True)
class Server:
    """Where an SMB server is, and who may use its share ``data``."""

    host: str
    port: int
    user: str
    password: str


Prepare = Callable[[EmulatedNode, Server], Request]
_PREPARATIONS: list[Prepare] = []


def scenario(prepare: Prepare) -> Prepare:
    _PREPARATIONS.append(prepare)
    return prepare


def scenarios(server: Server) -> Mapping[str, Scenario]:
    """Every scenario by its name, for one server."""
    return {prepare.__name__: bound(prepare, server) for prepare in _PREPARATIONS}


def bound(prepare: Prepare, server: Server) -> Scenario:
    def begin(node: EmulatedNode) -> Request:
        node.machine.smb_servers.set(NAME, server.host, server.port)
        node.make(STAGING.rpartition("\\")[0])
        node.make(PUBLISHED.rpartition("\\")[0])
        return prepare(node, server)

    begin.__name__ = prepare.__name__
    return begin


def mapped(node: EmulatedNode, server: Server, *links: str) -> None:
    """The share is mapped and links lead to it, made by a proxy that is gone."""
    smb = node.operations().smb
    for link in links or ("",):
        smb.new_smb_global_mapping(
            Context(),
            remote_path=SHARE,
            local_path=link,
            username=server.user,
            password=Secret(server.password),
        )


def stale(node: EmulatedNode) -> None:
    """The sessions end, as they do when the node restarts."""
    node.machine.smb_mappings.close()


def new_mapping(server: Server, link: str = STAGING, remote: str = SHARE + r"\sub") -> Request:
    fields = {"remote_path": remote, "local_path": link, "username": server.user, "password": server.password}
    return Request(SMB, "NewSmbGlobalMapping", fields)


def mount_share(server: Server) -> Request:
    fields = {
        "remote_share": SHARE,
        "host_path": STAGING,
        "username": server.user,
        "password": server.password,
    }
    return Request(SERVICE, "MountSMBShare", fields)


@scenario
def maps_a_share(node, server):
    return new_mapping(server, "")


@scenario
def maps_a_share_and_links(node, server):
    return new_mapping(server)


@scenario
def maps_and_links_what_is_mapped(node, server):
    mapped(node, server, OTHER_LINK)
    return new_mapping(server)


@scenario
def maps_and_links_what_is_stale(node, server):
    mapped(node, server, OTHER_LINK, STAGING)
    stale(node)
    return new_mapping(server, remote=SHARE)


@scenario
def maps_again_what_was_to_be_removed(node, server):
    mapped(node, server, OTHER_LINK)
    node.operations().smb.remove_smb_global_mapping(Context(), remote_path=SHARE)
    return new_mapping(server)


@scenario
def maps_but_cannot_link(node, server):
    node.make(STAGING, file="1")
    return new_mapping(server)


@scenario
def removes_a_mapping(node, server):
    mapped(node, server)
    return Request(SMB, "RemoveSmbGlobalMapping", {"remote_path": SHARE})


@scenario
def removes_a_stale_mapping(node, server):
    mapped(node, server)
    stale(node)
    return Request(SMB, "RemoveSmbGlobalMapping", {"remote_path": SHARE})


@scenario
def removes_a_mapping_that_a_link_uses(node, server):
    mapped(node, server, STAGING)
    return Request(SMB, "RemoveSmbGlobalMapping", {"remote_path": SHARE})


@scenario
def rmdir_of_the_last_link_of_a_mapping_that_was_removed(node, server):
    mapped(node, server, STAGING)
    node.operations().smb.remove_smb_global_mapping(Context(), remote_path=SHARE)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING, "force": True})


@scenario
def rmdir_of_the_last_link_inside_of_a_tree(node, server):
    mapped(node, server, STAGING, OTHER_LINK)
    node.operations().smb.remove_smb_global_mapping(Context(), remote_path=SHARE)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING.rpartition("\\")[0], "force": True})


@scenario
def rmdir_of_one_link_of_two(node, server):
    mapped(node, server, STAGING, OTHER_LINK)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING, "force": True})


@scenario
def service_mounts_a_share(node, server):
    node.make(STAGING)
    return mount_share(server)


@scenario
def service_mounts_a_stale_share(node, server):
    mapped(node, server, STAGING)
    stale(node)
    return mount_share(server)


@scenario
def service_mounts_where_something_is(node, server):
    node.make(STAGING, file="1")
    return mount_share(server)


@scenario
def service_unmounts_the_last_link(node, server):
    mapped(node, server, STAGING)
    return Request(SERVICE, "UnmountSMBShare", {"host_path": STAGING})


@scenario
def service_unmounts_a_stale_link(node, server):
    mapped(node, server, STAGING)
    stale(node)
    return Request(SERVICE, "UnmountSMBShare", {"host_path": STAGING})


@scenario
def service_unmounts_one_link_of_two(node, server):
    mapped(node, server, STAGING, OTHER_LINK)
    return Request(SERVICE, "UnmountSMBShare", {"host_path": STAGING})


@scenario
def first_service_rmdir_of_the_last_link_to_a_share(node, server):
    mapped(node, server, STAGING)
    return Request(FIRST_SERVICE, "Rmdir", {"path": STAGING, "context": PLUGIN})


@scenario
def first_service_rmdir_of_a_pods_link_to_a_staged_share(node, server):
    mapped(node, server, STAGING)
    linked(node, PUBLISHED, STAGING)
    return Request(FIRST_SERVICE, "Rmdir", {"path": PUBLISHED, "context": POD_CONTEXT})


NAMES = tuple(prepare.__name__ for prepare in _PREPARATIONS)
