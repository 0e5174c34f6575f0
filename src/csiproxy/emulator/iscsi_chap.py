"""CHAP as the emulated initiator takes it: the rules that Windows' initiator has for names and secrets.

RFC 7143 9.2.1 and 12.1.3; https://learn.microsoft.com/powershell/module/iscsi/connect-iscsitarget
"""

from dataclasses import dataclass, field

from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus

# MSFT_iSCSITarget.Connect, AuthenticationType: upper case only.
NONE, ONE_WAY, MUTUAL = "NONE", "ONEWAYCHAP", "MUTUALCHAP"
# 96 bits at least; Windows' initiator takes 16 bytes at most.
SHORTEST_SECRET, LONGEST_SECRET = 12, 16
LONGEST_NAME = 223


@dataclass(frozen=True, slots=True)
class Chap:
    """How two ends prove who they are.  Empty secrets: they do not.  The secrets are never shown."""

    authentication: str = NONE
    name: str = ""
    secret: str = field(default="", repr=False)
    target_secret: str = field(default="", repr=False)  # what the target must prove that it knows

    @property
    def is_known(self) -> bool:
        """Whether a login can be tried: secrets are in memory alone, and may be gone with a process."""
        return self.authentication == NONE or bool(self.secret)


NO_CHAP = Chap()


def agreed(authentication: str, name: str, secret: str, initiator_secret: str) -> Chap:
    """What a login proves and demands; an IscsiFailure where Windows refuses it."""
    if authentication not in (NONE, ONE_WAY, MUTUAL):
        raise IscsiFailure(
            IscsiStatus.INVALID_LOGON_AUTH_TYPE, f"authentication is {NONE}, {ONE_WAY} or {MUTUAL}"
        )
    if authentication == NONE:
        return NO_CHAP
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise IscsiFailure(IscsiStatus.INVALID_CHAP_USER_NAME, "the CHAP user name is empty or illegal")
    check_secret(secret)
    if authentication == ONE_WAY:
        return Chap(authentication, name, secret)
    if not initiator_secret:
        text = "mutual CHAP needs the initiator's own secret: set it first"
        raise IscsiFailure(IscsiStatus.INVALID_INITIATOR_CHAP_SECRET, text)
    if initiator_secret == secret:
        # Whoever has heard one end prove it could play the other.
        text = "the two secrets of mutual CHAP are the same: change one"
        raise IscsiFailure(IscsiStatus.INVALID_INITIATOR_CHAP_SECRET, text)
    return Chap(authentication, name, secret, initiator_secret)


def check_secret(secret: str) -> None:
    """Refuse a secret of another length than CHAP and Windows have."""
    length = len(secret.encode())
    text = f"a CHAP secret has {SHORTEST_SECRET} to {LONGEST_SECRET} bytes and no control characters"
    if length < SHORTEST_SECRET:
        raise IscsiFailure(IscsiStatus.SHORT_CHAP_SECRET, text)
    if length > LONGEST_SECRET or not secret.isprintable():
        raise IscsiFailure(IscsiStatus.INVALID_CHAP_SECRET, text)
