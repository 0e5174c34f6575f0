r"""Group smb: global mappings of shares, and the links that lead to them.

A share is mapped once for the whole node, whoever asks first, and every caller's link uses it.  The locks are
per share, so volumes on one share wait for each other and do not fail each other.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import SystemRandom

from csiproxy.errors import (
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
    Win32Error,
    WindowsCode,
)
from csiproxy.host.names import equality_key, fault
from csiproxy.operations.context import Context
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import MAX_PATH, Confinement, acting, shown
from csiproxy.operations.secret import Secret
from csiproxy.storage import Storage
from csiproxy.storage.namespace import ConfinedPath
from csiproxy.storage.share_links import share_of

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME = re.compile(rf"(?={'.'}{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}", re.ASCII)
# The node itself: a share of it would lead around the prefixes.
_LOOPBACK = re.compile(r"(?:.*\.)?localhost|127\..*|0\..*", re.IGNORECASE)
_IPV6_LITERAL = ".ipv6-literal.net"
# [MS-FSCC] 2.1.6, share names: what a share's name may not have.
_ILLEGAL_IN_SHARE = re.compile(r'["\\/\[\]:|<>+=;,*?\x00-\x1f]')
_LONGEST_SHARE = 80
# UNLEN, and a domain in front of it; PWLEN.  https://learn.microsoft.com/windows/win32/netmgmt/common-parameters
_LONGEST_USER, _LONGEST_PASSWORD = 256 + 1 + 256, 256


@dataclass(frozen=True, slots=True)
class Share:
    r"""What a remote path names.

    ``root`` is ``\\server\share`` in lower case, which is what gets mapped; ``target`` is the whole path as a
    link has it, with the last backslash that container runtimes need.
    """

    root: str
    target: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A user, empty for the node's own account, and its password."""

    user: str
    password: Secret


def parse_share(text: str, *, whole: bool = False) -> Share:
    r"""Read ``\\server\share`` or, unless it must be ``whole``, a directory below it; InvalidArgument.

    Slashes count as backslashes, and one backslash at the end is dropped.
    """
    path = text.replace("/", "\\").removesuffix("\\")
    parts = path.removeprefix("\\\\").split("\\")
    if len(text) > MAX_PATH or not path.startswith("\\\\") or len(parts) < 2 or (whole and len(parts) > 2):
        form = r"\\server\share" + ("" if whole else r" or \\server\share\directory")
        raise InvalidArgument(f"{shown(text)} is not of the form {form}", WindowsCode.INVALID_NAME)
    _check_server(parts[0])
    _check_share(parts[1])
    for name in parts[2:]:
        if reason := fault(name):
            raise InvalidArgument(f"{shown(name)} cannot be a name: {reason}", WindowsCode.INVALID_NAME)
    return Share(rf"\\{parts[0]}\{parts[1]}".lower(), path + "\\")


def parse_credential(user: str, password: Secret) -> Credential:
    """Check what is to be told to a server; nothing of the password is ever said."""
    if len(user) > _LONGEST_USER or not user.isprintable():
        raise InvalidArgument(f"{shown(user)} cannot be the name of a user", WindowsCode.INVALID_PARAMETER)
    with password.revealed() as text:
        fits = len(text) <= _LONGEST_PASSWORD and "\0" not in text
    if not fits:
        raise InvalidArgument(
            f"the password is longer than {_LONGEST_PASSWORD} characters, or has a zero in it",
            WindowsCode.INVALID_PARAMETER,
        )
    if password and not user:
        raise InvalidArgument("a password without a user opens nothing; give both or none")
    return Credential(user, password)


def _check_server(name: str) -> None:
    """A DNS name, an IPv4 address, or an IPv6 address as Windows spells it in such paths."""
    last = name.rpartition(".")[2]
    legal = bool((_IPV4 if last.isdigit() else _DNS_NAME).fullmatch(name))
    loopback = bool(_LOOPBACK.fullmatch(name))
    if name.lower().endswith(_IPV6_LITERAL):
        legal, loopback = _ipv6_literal(name[: -len(_IPV6_LITERAL)])
    if not legal:
        raise InvalidArgument(
            f"{shown(name)} is neither a DNS name nor an IPv4 address nor an address like "
            f"fd00--7{_IPV6_LITERAL}",
            WindowsCode.INVALID_NAME,
        )
    if loopback:
        raise PermissionDenied(f"{shown(name)} is the node itself, whose shares lead around its prefixes")


def _ipv6_literal(text: str) -> tuple[bool, bool]:
    """Whether it is an address, and whether that is the node's own."""
    from ipaddress import AddressValueError, IPv6Address  # hardly anybody needs it

    try:
        address = IPv6Address(text.lower().replace("-", ":").replace("s", "%"))
    except AddressValueError:
        return False, False
    mapped = address.ipv4_mapped
    return True, address.is_loopback or address.is_unspecified or bool(mapped and mapped.is_loopback)


def _check_share(name: str) -> None:
    if not 0 < len(name) <= _LONGEST_SHARE or _ILLEGAL_IN_SHARE.search(name) or fault(name):
        raise InvalidArgument(f"{shown(name)} cannot be the name of a share", WindowsCode.INVALID_NAME)


class SmbGroup:
    """The RPCs of the newest smb version, and what other contracts compose of them.

    ``everywhere`` are all places where links may be that this service makes.
    """

    def __init__(
        self,
        storage: Storage,
        locks: Locks,
        confinement: Confinement,
        everywhere: Confinement,
        *,
        require_privacy: bool,
    ) -> None:
        self._mappings = storage.smb_mappings
        self._links = storage.share_links
        self._namespace = storage.namespace
        self._locks = locks
        self._confinement = confinement
        self._everywhere = everywhere
        self._require_privacy = require_privacy
        # Which credentials this process has mapped a share with, as digests that nobody can turn back.
        self._key = SystemRandom().randbytes(32)
        self._digests: dict[str, bytes] = {}

    def new_smb_global_mapping(
        self, context: Context, *, remote_path: str, local_path: str, username: str, password: Secret
    ) -> None:
        """Map a share, or use the mapping that is there, and link ``local_path`` to it unless it is empty."""
        share = parse_share(remote_path)
        credential = parse_credential(username, password)
        link = self._confinement.confine_change(local_path) if local_path else None
        with self._holding(context, share.root):
            self._attach(context, share, credential, link, replace_empty=False)

    def remove_smb_global_mapping(self, context: Context, *, remote_path: str) -> None:
        """Remove a mapping; gone already is success, and one that links still use goes with the last."""
        root = parse_share(remote_path).root
        with self._holding(context, root):
            users = self._users(root)
            if users and self._mappings.find(root):
                self._links.defer(root)
                context.note("unmapping-deferred", share=root, links=len(users))
            else:
                self._unmap(context, root)

    # --- shared with the other contracts -------------------------------------------------------------

    def mount(self, context: Context, share: Share, credential: Credential, path: ConfinedPath) -> None:
        """Map a share and turn an empty directory into a link to it."""
        with self._holding(context, share.root):
            self._attach(context, share, credential, path, replace_empty=True)

    @contextmanager
    def leaving(
        self, context: Context, link: ConfinedPath, target: str, *, for_good: bool = False
    ) -> Iterator[None]:
        """Hold the share that a link leads to while the link is removed inside.

        With the last link the mapping goes if it was to be removed already, or ``for_good``.  It and the
        link's mark go before the link: who is killed in between finds the link again and finishes the job.
        """
        root = share_of(target)
        if not root:
            yield
            return
        with self._holding(context, root):
            last = not self._others(root, link)
            if last and (for_good or self._links.is_deferred(root)):
                self._unmap(context, root)
            self._links.gone(root, link)
            try:
                yield
            except Win32Error:  # the host says that the link is still there
                self._links.expect(root, link)
                raise

    # --- steps, with the share held ------------------------------------------------------------------

    @contextmanager
    def _holding(self, context: Context, root: str) -> Iterator[None]:
        with self._locks.hold(context, f"share {root}"):
            yield

    def _attach(
        self,
        context: Context,
        share: Share,
        credential: Credential,
        link: ConfinedPath | None,
        *,
        replace_empty: bool,
    ) -> None:
        if not credential.user and share.root.endswith("$"):
            raise PermissionDenied(
                f"{share.root} is an administrative share, which the node's own account opens for nobody; "
                "give a user"
            )
        if link is not None and not replace_empty:
            with acting(context, f"link {link} to {share.target}"):
                self._require_free(link, share)
        self._links.keep(share.root)
        made = self._map(context, share.root, credential, link)
        if link is None:
            return
        self._links.expect(share.root, link)
        try:
            with acting(context, f"link {link} to {share.target}"):
                self._namespace.link(link, share.target, replace_empty=replace_empty)
        except Exception:
            # A call that fails leaves no mapping behind that it made; whoever comes next makes its own.
            with suppress(CsiProxyError):
                if not self._users(share.root) and made:
                    self._unmap(context, share.root)
            raise

    def _require_free(self, link: ConfinedPath, share: Share) -> None:
        """See that a link can be made before anybody logs on for it: nothing there, or that link itself."""
        try:
            entry = self._namespace.entry(link)
        except Win32Error as error:
            if error.windows_code != WindowsCode.FILE_NOT_FOUND:
                raise
            return
        same = equality_key(entry.target.rstrip("\\")) == equality_key(share.target.rstrip("\\"))
        if not entry.kind.is_link or not same:
            raise Win32Error(WindowsCode.ALREADY_EXISTS, "link", f"a {entry.kind.value} is there")

    def _map(self, context: Context, root: str, credential: Credential, link: ConfinedPath | None) -> bool:
        """See that a share is mapped with these credentials; whether that took a new mapping."""
        mapping = self._mappings.find(root)
        digest = self._digest(credential)
        if mapping is not None and not mapping.is_ok:
            context.note("stale-mapping", share=root, status=mapping.status.name)
            self._unmap(context, root)
        elif mapping is not None and self._digests.get(root, digest) != digest:
            if others := self._others(root, link):
                raise FailedPrecondition(
                    f"{root} is mapped with other credentials, which {len(others)} links use; "
                    "unmount those first",
                    WindowsCode.SESSION_CREDENTIAL_CONFLICT,
                )
            context.note("changed-credentials", share=root)
            self._unmap(context, root)
        elif mapping is not None:
            if self._require_privacy and not mapping.requires_privacy:
                context.note("mapping-without-privacy", share=root)
            return False
        self._mappings.create(
            root, credential.user, credential.password, require_privacy=self._require_privacy
        )
        self._digests[root] = digest
        return True

    def _unmap(self, context: Context, root: str) -> None:
        self._digests.pop(root, None)
        mapping = self._mappings.find(root)
        if mapping is not None:
            context.note("unmapping", share=root)
            self._mappings.remove(mapping)
        self._links.keep(root)

    def _users(self, root: str) -> list[ConfinedPath]:
        """The links that use a share."""
        return self._links.living(root, self._everywhere.changeable)

    def _others(self, root: str, link: ConfinedPath | None) -> list[ConfinedPath]:
        """The links but this one that use a share."""
        own = equality_key(str(link)) if link else ""
        return [user for user in self._users(root) if equality_key(str(user)) != own]

    def _digest(self, credential: Credential) -> bytes:

        return credential.password.digest(self._key, equality_key(credential.user))
