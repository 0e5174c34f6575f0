"""Shares are mapped once, by whoever comes first, and unmapped with whoever goes last."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulated import KUBELET, PODS, EmulatedNode
from tests.operations.ground import events
from tests.operations.refusals import refused
from tests.samba import HOST, OTHER, USER, Samba

from csiproxy.errors import (
    AlreadyExists,
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.operations.secret import Secret
from csiproxy.operations.smb import parse_credential, parse_share

ROOT = r"\\files\data"
LINK, SECOND = PODS + r"\one", PODS + r"\two"

# --- texts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "root", "target"),
    [
        (r"\\Files\Data", ROOT, r"\\Files\Data" + "\\"),
        (r"\\files\data" + "\\", ROOT, r"\\files\data" + "\\"),
        ("//files/data/", ROOT, r"\\files\data" + "\\"),
        (r"\\files\data\Deep/er", ROOT, r"\\files\data\Deep\er" + "\\"),
        (r"\\10.0.0.7\pvc-1", r"\\10.0.0.7\pvc-1", r"\\10.0.0.7\pvc-1" + "\\"),
        (r"\\acct.file.core.windows.net\a b", r"\\acct.file.core.windows.net\a b", None),
        (r"\\fd00--7.ipv6-literal.net\x", r"\\fd00--7.ipv6-literal.net\x", None),
        (r"\\fe80--1s4.ipv6-literal.net\x", r"\\fe80--1s4.ipv6-literal.net\x", None),
        (r"\\srv_1\home$", r"\\srv_1\home$", None),
    ],
)
def test_a_remote_path_names_a_share_in_lower_case_and_a_target_as_it_was_given(text, root, target):
    share = parse_share(text)
    assert share.root == root
    assert share.target == (target or text + "\\")


NO_SHARES = [
    "",
    "\\",
    r"\\files",
    r"\\files" + "\\",
    r"\files\data",
    r"C:\files\data",
    r"\\?\UNC\files\data",
    r"\\.\pipe\x",
    r"\\files\\data",
    r"\\files\data\\",
    r"\\fi les\data",
    r"\\-files\data",
    r"\\files.\data",
    r"\\fi..les\data",
    r"\\files@445\data",
    r"\\user:pw@files\data",
    r"\\fílés\data",
    r"\\1.2.3\data",
    r"\\1.2.3.256\data",
    r"\\01.2.3.4\data",
    r"\\[fd00::7]\data",
    r"\\fd00-7.ipv6-literal.net\data",
    r"\\files\da|ta",
    r"\\files\da:ta",
    r"\\files\..",
    r"\\files\data ",
    r"\\files\data\..\other",
    r"\\files\data\CON",
    r"\\files\data\a?b",
    "\\\\files\\da\0ta",
    r"\\files" + "\\" + "d" * 81,
    r"\\" + "f" * 64 + r"\data",
    r"\\files\data\\" + "d" * 260,
]


@pytest.mark.parametrize("text", NO_SHARES)
def test_what_is_no_share_is_refused_before_anybody_is_asked(text):
    with refused(InvalidArgument, 123):
        parse_share(text)


@pytest.mark.parametrize(
    "server",
    ["localhost", "LocalHost", "x.localhost", "127.0.0.1", "127.9.9.9", "0.0.0.0",
     "0-0-0-0-0-0-0-1.ipv6-literal.net", "0--ffff-7f00-1.ipv6-literal.net"],
)  # fmt: skip
def test_the_node_itself_is_no_server(server):
    with refused(PermissionDenied, 5):
        parse_share(rf"\\{server}\c$")


def test_a_whole_share_has_no_directory_behind_it():
    assert parse_share(ROOT + "\\", whole=True).root == ROOT
    with refused(InvalidArgument, 123):
        parse_share(ROOT + r"\sub", whole=True)


@given(text=st.text(alphabet=st.sampled_from('\\/.:?*<>|"abC19-_$ \0é'), max_size=40))
def test_whatever_is_taken_for_a_share_has_a_server_a_share_and_nothing_else_in_its_root(text):
    try:
        share = parse_share(text)
    except CsiProxyError:
        return
    nothing, again, server, name = share.root.split("\\")
    assert (nothing, again) == ("", "")
    assert server
    assert name
    assert share.root == share.root.lower()
    assert share.target.lower().startswith(share.root + "\\")
    assert not set(share.root) & set('/:?*<>|"\0')


@pytest.mark.parametrize("user", ["a\nb", "a\0b", "u" * 514])
def test_a_user_that_nobody_can_have_is_refused(user):
    with refused(InvalidArgument, 87):
        parse_credential(user, Secret("x"))


@pytest.mark.parametrize("password", ["a\0b", "p" * 257])
def test_a_password_that_nobody_can_have_is_refused_without_being_shown(password):
    with pytest.raises(InvalidArgument) as caught:
        parse_credential(r"corp\user", Secret(password))
    assert password not in str(caught.value)


def test_a_password_needs_a_user():
    with refused(InvalidArgument, 87):
        parse_credential("", Secret("x"))
    assert parse_credential("", Secret("")).user == ""


# --- mappings on a real server -----------------------------------------------------------------------------


class Caller:
    """A client of the smb group on a node that knows one server by its name."""

    def __init__(self, node: EmulatedNode, samba: Samba, *, require_privacy: bool = True) -> None:
        self.node = node
        self.samba = samba
        node.make(PODS)
        node.machine.smb_servers.set("files", HOST, samba.port)
        self._privacy = require_privacy
        self.restart()

    def restart(self) -> None:
        """Another proxy of the same node."""
        self.groups = self.node.operations(require_privacy=self._privacy)

    def map(
        self, remote: str = ROOT, link: str = "", *, user: str = USER, password: str | None = None
    ) -> Context:
        context = Context()
        name = self.samba.user(user)
        self.groups.smb.new_smb_global_mapping(
            context,
            remote_path=remote,
            local_path=link,
            username=name,
            password=Secret(self.samba.passwords[user] if password is None else password),
        )
        return context

    def unmap(self, remote: str = ROOT) -> Context:
        context = Context()
        self.groups.smb.remove_smb_global_mapping(context, remote_path=remote)
        return context

    def rmdir(self, path: str, *, force: bool = True) -> Context:
        context = Context()
        self.groups.filesystem.rmdir(context, path=path, force=force)
        return context

    @property
    def mapped(self) -> dict[str, int]:
        """The status of every mapping."""
        return {
            found.text("RemotePath"): found.number("Status")
            for found in self.node.machine.session.instances("MSFT_SmbGlobalMapping")
        }


@pytest.fixture
def caller(node, samba) -> Caller:
    samba.share()
    return Caller(node, samba)


def test_a_share_is_mapped_once_for_all_who_ask_in_whatever_case(caller):
    caller.map(r"\\FILES\Data\sub", LINK)
    session = caller.node.machine.smb_mappings._live[ROOT].session
    context = caller.map(ROOT + "\\", SECOND)
    assert caller.mapped == {ROOT: 0}
    assert caller.node.machine.smb_mappings._live[ROOT].session is session
    assert events(context) == []
    entries = {
        e.name: e.target for e in caller.node.machine.win32.entries(caller.node.machine.win32.open_root(PODS))
    }
    assert entries == {"one": r"\\FILES\Data\sub" + "\\", "two": ROOT + "\\"}


def test_the_same_call_twice_is_as_good_as_once(caller):
    for _ in range(3):
        caller.map(ROOT, LINK)
        caller.restart()
    assert caller.mapped == {ROOT: 0}


def test_something_else_at_the_local_path_fails_and_leaves_no_mapping(caller):
    caller.node.make(LINK)
    with refused(AlreadyExists, 183):
        caller.map(ROOT, LINK)
    assert caller.mapped == {}
    caller.map(ROOT, SECOND)
    with refused(AlreadyExists, 183):
        caller.map(ROOT, LINK)
    assert caller.mapped == {ROOT: 0}  # somebody else's is left alone


def test_a_local_path_outside_of_the_prefixes_is_refused_before_the_server_is_asked(caller):
    for path, code in ((r"C:\Windows\link", 5), (KUBELET, 5)):
        with refused(PermissionDenied, code):
            caller.map(ROOT, path)
    assert caller.mapped == {}


def test_a_mapping_that_is_stale_is_made_anew(caller):
    caller.map(ROOT, LINK)
    caller.samba.stop()
    caller.samba.start()
    assert caller.mapped == {ROOT: 2}
    context = caller.map(ROOT, LINK)
    assert events(context) == ["stale-mapping", "unmapping"]
    assert caller.mapped == {ROOT: 0}


@pytest.mark.parametrize(
    ("remote", "user", "password", "error", "code"),
    [
        (ROOT, USER, "wrong", PermissionDenied, 1326),
        (r"\\files\nothing", USER, None, NotFound, 67),
        (r"\\nobody.invalid\data", USER, None, Unavailable, 53),
    ],
)
def test_what_the_server_says_is_told_in_windows_codes(caller, remote, user, password, error, code):
    with refused(error, code):
        caller.map(remote, LINK, user=user, password=password)
    assert caller.mapped == {}
    assert not os.path.lexists(caller.node.on_host(LINK))


def test_a_server_that_cannot_encrypt_is_refused_unless_the_operator_lets_it(node, plain_samba):
    plain_samba.share()
    caller = Caller(node, plain_samba)
    with refused(PermissionDenied, 65):
        caller.map()
    Caller(node, plain_samba, require_privacy=False).map()
    assert caller.mapped == {ROOT: 0}
    assert events(caller.map()) == ["mapping-without-privacy"]


def test_a_user_without_a_domain_and_no_user_at_all_are_what_windows_says(caller):
    for name, error, code in (("user", InvalidArgument, 1312), ("", PermissionDenied, 1326)):
        with refused(error, code):
            caller.groups.smb.new_smb_global_mapping(
                Context(),
                remote_path=ROOT,
                local_path="",
                username=name,
                password=Secret("x" if name else ""),
            )


def test_an_administrative_share_is_not_opened_for_nobody(caller):
    with refused(PermissionDenied, 5):
        caller.groups.smb.new_smb_global_mapping(
            Context(), remote_path=r"\\files\c$", local_path="", username="", password=Secret("")
        )


def test_changed_credentials_are_noticed_and_tried_when_nobody_else_uses_the_share(caller):
    caller.map(ROOT, LINK)
    context = caller.map(ROOT, LINK, user=OTHER)
    assert events(context) == ["changed-credentials", "unmapping"]
    assert caller.mapped == {ROOT: 0}
    caller.map(ROOT, SECOND, user=OTHER)
    with refused(FailedPrecondition, 1219):
        caller.map(ROOT, LINK)
    assert caller.mapped == {ROOT: 0}
    caller.rmdir(SECOND)
    caller.map(ROOT, LINK)


def test_changed_credentials_that_are_wrong_cost_the_mapping_until_right_ones_come(caller, secret):
    caller.map(ROOT, LINK)
    with refused(PermissionDenied, 1326):
        caller.map(ROOT, LINK, password=secret())
    assert caller.mapped == {}
    caller.map(ROOT, LINK)
    assert caller.mapped == {ROOT: 0}


def test_changed_credentials_are_not_noticed_by_another_proxy(caller):
    caller.map(ROOT, LINK)
    caller.restart()
    assert events(caller.map(ROOT, SECOND, user=OTHER)) == []


def test_a_proxy_goes_by_its_own_credentials_when_another_has_mapped_anew(caller):
    caller.map(ROOT)
    first = caller.groups
    caller.restart()
    caller.unmap()
    caller.map(ROOT, user=OTHER)
    caller.groups = first
    assert events(caller.map(ROOT)) == []
    assert events(caller.map(ROOT, user=OTHER)) == ["changed-credentials", "unmapping"]


def test_another_share_of_the_same_server_wants_the_same_credentials(caller):
    caller.samba.share("more")
    caller.map(ROOT)
    caller.map(r"\\files\more")
    caller.unmap(r"\\files\more")
    with refused(FailedPrecondition, 1219):
        caller.map(r"\\files\more", user=OTHER)


def test_a_mapping_is_removed_and_removed_again(caller):
    caller.map()
    for remote in (r"\\FILES\data\sub" + "\\", ROOT):
        caller.unmap(remote)
        assert caller.mapped == {}


def test_a_mapping_in_use_goes_with_its_last_link_as_drivers_have_it(caller):
    caller.map(ROOT, LINK)
    caller.map(ROOT, SECOND)
    for _ in range(2):
        assert events(caller.unmap()) == ["unmapping-deferred"]
    assert events(caller.rmdir(LINK)) == []
    assert caller.mapped == {ROOT: 0}
    caller.restart()
    assert events(caller.rmdir(SECOND, force=False)) == ["unmapping"]
    assert caller.mapped == {}
    assert caller.rmdir(SECOND)


def test_a_mapping_that_is_wanted_again_stays(caller):
    caller.map(ROOT, LINK)
    caller.unmap()
    caller.map(ROOT, SECOND)
    caller.rmdir(LINK)
    caller.rmdir(SECOND)
    assert caller.mapped == {ROOT: 0}


def test_links_inside_of_a_tree_that_is_removed_take_their_mapping_along(caller):
    caller.node.make(PODS + r"\deep\er")
    caller.map(ROOT, PODS + r"\deep\er\link")
    caller.map(ROOT, PODS + r"\deep\link")
    caller.unmap()
    context = Context()
    caller.groups.filesystem.rmdir_contents(context, path=PODS + r"\deep")
    assert caller.node.names(PODS + r"\deep") == []
    assert events(context) == ["unmapping"]
    assert caller.mapped == {}


def test_a_link_that_somebody_else_removed_does_not_hold_the_mapping(caller):
    caller.map(ROOT, LINK)
    os.unlink(caller.node.on_host(LINK))
    caller.unmap()
    assert caller.mapped == {}


def test_a_link_to_a_link_to_a_share_is_a_link_that_lives(caller):
    caller.map(ROOT, LINK)
    caller.groups.filesystem.create_symlink(Context(), source_path=LINK, target_path=SECOND)
    for path in (LINK, SECOND):
        context = Context()
        assert caller.groups.filesystem.is_symlink(context, path=path).is_symlink
        assert events(context) == []


def test_privacy_is_the_default():
    assert Configuration(KUBELET, (), KUBELET, PODS, False).require_privacy
