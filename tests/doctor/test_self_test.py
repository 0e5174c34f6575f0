"""Every assumption gets a verdict, whatever the node does."""

from csiproxy.doctor import self_test
from csiproxy.doctor.assumptions import ASSUMPTIONS, Assumption
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Verdict
from csiproxy.errors import CimError, HostUnreachable
from csiproxy.host import Host


def named(name: str) -> Assumption:
    return next(one for one in ASSUMPTIONS if one.name == name)


def test_the_emulated_node_does_nothing_that_differs(ground):
    findings = list(self_test.run(ground))
    assert [finding.assumption for finding in findings] == list(ASSUMPTIONS)
    differing = [finding for finding in findings if finding.outcome.verdict is Verdict.DIFFERS]
    assert differing == []
    tried = {finding.assumption.name for finding in findings if finding.outcome.verdict is Verdict.OK}
    untried = {one.name for one in ASSUMPTIONS if not one.of_windows_alone and one.test} - tried
    assert untried == {"iscsi-failures", "iscsi-disks"}  # their service does not run, and there is no target
    assert all(finding.outcome.seen for finding in findings)


class Dead:
    """A session that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name):
        def fail(*_, **__):
            raise self._error

        return fail


def test_a_failure_of_the_node_is_one_finding_and_the_others_follow(node):
    for error in (
        CimError(0x80041003, "ExecQuery"),
        HostUnreachable("gone"),
        OSError(5, "input/output error"),
    ):
        ground = Ground(Host(Dead(error), node.host.win32), Dead(error), False)
        found = list(self_test.run(ground, (named("drive-letter"), named("driver"), named("removal"))))
        assert [one.outcome.verdict for one in found] == [Verdict.DIFFERS, Verdict.DIFFERS, Verdict.OK]
        assert "it failed" in found[0].outcome.seen


def test_a_defect_of_one_self_test_does_not_end_the_others(node):
    ground = Ground(Host(Dead(LookupError("a defect")), node.host.win32), Dead(LookupError("x")), False)
    found = list(self_test.run(ground, (named("drive-letter"), named("removal"))))
    assert [one.outcome.verdict for one in found] == [Verdict.DIFFERS, Verdict.OK]
    assert found[0].outcome.seen == "it failed: LookupError: a defect"


def test_what_is_tried_by_hand_or_on_windows_alone_says_so(ground):
    by_hand, windows = self_test.run(ground, (named("console"), named("pipe-owner")))
    assert (by_hand.outcome.verdict, by_hand.outcome.seen) == (Verdict.NOT_TRIED, named("console").tries)
    assert windows.outcome.verdict is Verdict.NOT_TRIED
    assert "Windows itself" in windows.outcome.seen
