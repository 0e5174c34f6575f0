"""A node is looked at line by line, and what is not well has a next step."""

from csiproxy.doctor import checks
from csiproxy.doctor.checks import State
from csiproxy.errors import CimError
from csiproxy.host import Host


def lines(host, path=r"C:\var\lib\kubelet"):
    return {check.name: check for check in checks.of_node(host, path)}


def test_an_emulated_node_is_fit(node):
    found = lines(node.host)
    assert {check.state for check in found.values()} == {State.OK, State.NOTE}
    assert found["kubelet path"].seen == r"C:\var\lib\kubelet"
    assert found["service MSiSCSI"].next_step == "for iSCSI targets: sc start MSiSCSI"


def test_a_path_that_is_missing_is_told_with_its_flag(node):
    found = lines(node.host, r"C:\none\kubelet")["kubelet path"]
    assert (found.state, found.seen) == (State.FAILED, r"C:\none\kubelet does not exist")
    assert "--kubelet-path" in found.next_step


def test_another_spelling_of_the_path_is_shown(node):
    assert lines(node.host, r"C:\VAR\lib\kubelet")["kubelet path"].seen.endswith(r"is C:\var\lib\kubelet")


def test_a_service_that_is_disabled_or_missing_is_told(node):
    node.machine.services.set_start_mode("MSiSCSI", "Disabled")
    assert "start= auto" in lines(node.host)["service MSiSCSI"].next_step


class Failing:
    def instances(self, class_name, /, **where):
        raise CimError(0x80041003, "ExecQuery", "access denied")


def test_each_line_that_cannot_be_read_fails_alone(node):
    found = lines(Host(Failing(), node.host.win32))
    assert found["kubelet path"].state is State.OK
    others = [check for name, check in found.items() if name != "kubelet path"]
    assert len(others) == 6
    assert all(check.state is State.FAILED and check.next_step for check in others)


class Empty:
    def instances(self, class_name, /, **where):
        return []


def test_a_node_without_disks_is_not_fit_and_one_without_mappings_is(node):
    found = lines(Host(Empty(), node.host.win32))
    assert found[r"WMI Root\Microsoft\Windows\Storage"].state is State.FAILED
    assert found[r"WMI Root\Microsoft\Windows\SMB"].state is State.OK
