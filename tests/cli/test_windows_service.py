"""csi-proxy service, on a system that has none (tests/wine has it under Windows)."""

import pytest
from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("action", ["install", "uninstall", "start", "stop", "status"])
def test_a_system_without_windows_services_says_so_and_names_the_emulated_ones(
    csi_proxy: CommandLine, action: str
) -> None:
    ended = csi_proxy("service", action)
    assert ended.code == 1
    assert "no Windows services" in ended.err
    assert "emulator service" in ended.err
