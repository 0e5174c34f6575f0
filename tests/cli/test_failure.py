import pytest

from csiproxy.cli.failure import NEXT_STEPS, Problem, problem_of
from csiproxy.errors import CimError, Code, HostError, HostUnreachable, InvalidArgument, NotFound, Win32Error


def test_a_refusal_carries_status_and_windows_code() -> None:
    problem = problem_of(NotFound("there is no disk 7", origin="MSFT_Disk.Refresh returned 8"))
    assert problem.lines() == [
        "there is no disk 7",
        "  status   NOT_FOUND",
        "  windows  1168 ERROR_NOT_FOUND",
        "  origin   MSFT_Disk.Refresh returned 8",
    ]


def test_what_is_not_known_has_no_line() -> None:
    assert Problem("it broke").lines() == ["it broke"]


def test_a_windows_code_without_a_name_stands_alone() -> None:
    assert "  windows  4242" in problem_of(InvalidArgument("no", 4242)).lines()


def test_programs_get_every_view_of_a_failure() -> None:
    assert problem_of(Win32Error(183, "attach", "there is a disk 1 already")).plain() == {
        "message": "there is a disk 1 already",
        "status": "",
        "windows_code": 183,
        "windows_name": "ERROR_ALREADY_EXISTS",
        "origin": "attach",
        "next_step": "",
    }


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CimError(0x80041010, "ExecQuery", "no class"), "0x80041010"),
        (HostUnreachable("nobody answers"), "nobody answers"),
        (HostError("odd"), "odd"),
        (FileNotFoundError(2, "No such file or directory", "/x"), "/x: No such file or directory"),
        (FileNotFoundError(2, "No such file or directory", b"/x"), "/x: No such file or directory"),
        (OSError("just words"), "just words"),
        (OSError(), "OSError"),
    ],
)
def test_every_failure_of_the_layers_below_has_words(error: HostError | OSError, text: str) -> None:
    assert text in problem_of(error).message


def test_an_unreachable_node_comes_with_the_command_that_starts_one() -> None:
    assert "csi-proxy emulator run" in problem_of(HostUnreachable("x")).next_step


def test_every_status_that_a_proxy_gives_has_a_next_step() -> None:
    silent = {Code.OK, Code.CANCELLED, Code.UNKNOWN, Code.UNAUTHENTICATED}
    assert set(NEXT_STEPS) == set(Code) - silent
