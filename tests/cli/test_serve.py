import subprocess
import sys

from tests.cli.conftest import CommandLine


def test_the_flags_of_serve_are_the_daemons_own(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("serve", "--help")
    assert shown.code == 0
    assert "--audit-log" in shown.out


def test_serve_says_which_flag_is_missing(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("serve")
    assert shown.code == 2
    assert "--host" in shown.err


def test_serve_loads_neither_click_nor_rich() -> None:
    program = (
        "import sys; from csiproxy.cli import main; sys.argv = ['csi-proxy', 'serve', '--help']; main();"
        "print([m for m in ('click', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
