"""Tries the assumptions, one after the other; none can end the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from csiproxy.doctor.assumptions import ASSUMPTIONS, Assumption
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs, NotTried, Outcome, Verdict
from csiproxy.errors import CsiProxyError, HostError

SelfTest = Callable[[Ground], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one assumption."""

    assumption: Assumption
    outcome: Outcome


def run(ground: Ground, assumptions: Sequence[Assumption] = ASSUMPTIONS) -> Iterator[Finding]:
    """Try each, and tell as it goes."""
    for assumption in assumptions:
        yield Finding(assumption, _outcome(ground, assumption))


def self_test(assumption: Assumption) -> SelfTest:
    """The self-test of an assumption that has one."""
    module, _, name = assumption.test.partition(":")
    found: SelfTest = getattr(import_module(f"csiproxy.doctor.{module}"), name)
    return found


def _outcome(ground: Ground, assumption: Assumption) -> Outcome:
    if not assumption.test:
        return Outcome(Verdict.NOT_TRIED, assumption.tries)
    if assumption.of_windows_alone and not ground.is_windows:
        return Outcome(Verdict.NOT_TRIED, "this asks Windows itself, past what an emulated node can be asked")
    try:
        return Outcome(Verdict.OK, self_test(assumption)(ground))
    except NotTried as why:
        return Outcome(Verdict.NOT_TRIED, str(why))
    except Differs as seen:
        return Outcome(Verdict.DIFFERS, str(seen))
    except (HostError, CsiProxyError, OSError) as error:
        return Outcome(Verdict.DIFFERS, f"it failed: {error}")
    except Exception as error:  # noqa: BLE001  a defect of one self-test is no reason to keep the others back
        return Outcome(Verdict.DIFFERS, f"it failed: {type(error).__name__}: {error}")
