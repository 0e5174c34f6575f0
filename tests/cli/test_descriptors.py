import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tests.cli.conftest import CommandLine


def services(data: bytes) -> list[str]:
    files = FileDescriptorSet.FromString(data).file
    return sorted(f"{file.package}.{service.name}" for file in files for service in file.service)


def test_the_whole_api_is_written_to_a_file(csi_proxy: CommandLine, tmp_path: Path) -> None:
    assert csi_proxy("descriptors", str(tmp_path / "api.pb")).code == 0
    found = services((tmp_path / "api.pb").read_bytes())
    assert "v1.Disk" in found
    assert "csiproxy.v1alpha1.CSIProxyService" in found


def test_patterns_choose_what_is_written_and_a_dash_is_standard_output() -> None:
    command = [sys.executable, "-m", "csiproxy", "descriptors", "--serve", "disk/v1, volume/v1", "-"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    assert services(done.stdout) == ["v1.Disk", "v1.Volume"]


def test_a_pattern_that_names_nothing_is_refused(csi_proxy: CommandLine, tmp_path: Path) -> None:
    shown = csi_proxy("descriptors", "--serve", "disks/*", str(tmp_path / "api.pb"))
    assert shown.code == 1
    assert "names no API version" in shown.err
    assert not (tmp_path / "api.pb").exists()


def test_a_file_that_cannot_be_written_is_a_line_of_text(csi_proxy: CommandLine, tmp_path: Path) -> None:
    shown = csi_proxy("descriptors", str(tmp_path / "no" / "api.pb"))
    assert shown.code == 1
    assert shown.err == f"csi-proxy: {tmp_path}/no/api.pb: No such file or directory\n"
