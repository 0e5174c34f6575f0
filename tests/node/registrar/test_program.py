"""The registrar as kubelet meets it."""

import signal
import socket
import stat
import subprocess

import pytest
from tests.csi.identity import Identity, serving
from tests.node.registrar.running import KUBELETS_PATH, command, kubelet, registrar, registration_socket

from csiproxy.csi import pluginregistration_pb2 as wire

SECONDS = 60


def test_kubelet_finds_the_driver_registers_it_and_the_registrar_stays(short_directory):
    with serving(short_directory / "csi.sock", Identity()), registrar(short_directory) as process:
        path = registration_socket(short_directory)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        end = kubelet(short_directory)
        info = end.call(wire.InfoRequest(), wire.PluginInfo, timeout=SECONDS)
        assert (info.name, info.endpoint) == ("disk.csi.example", KUBELETS_PATH)
        end.call(
            wire.RegistrationStatus(plugin_registered=True), wire.RegistrationStatusResponse, timeout=SECONDS
        )
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert not path.exists()
        end.close()


def test_a_refusal_ends_it_with_failure_so_that_it_is_started_again(short_directory):
    with serving(short_directory / "csi.sock", Identity()), registrar(short_directory) as process:
        end = kubelet(short_directory)
        refusal = wire.RegistrationStatus(error="no such driver wanted")
        end.call(refusal, wire.RegistrationStatusResponse, timeout=SECONDS)
        assert process.wait(SECONDS) == 1
        assert "no such driver wanted" in process.stderr.read()
        end.close()


def test_the_socket_that_a_killed_registrar_left_is_replaced(short_directory):
    with serving(short_directory / "csi.sock", Identity()):
        with registrar(short_directory) as process:
            process.kill()
            process.wait(SECONDS)
            assert registration_socket(short_directory).exists()
        with registrar(short_directory):
            end = kubelet(short_directory)
            assert end.call(wire.InfoRequest(), wire.PluginInfo, timeout=SECONDS).name == "disk.csi.example"
            end.close()


def test_a_file_that_is_no_socket_is_left_alone(short_directory):
    path = registration_socket(short_directory)
    path.parent.mkdir()
    path.write_text("mine")
    with serving(short_directory / "csi.sock", Identity()):
        done = subprocess.run(
            command(short_directory), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 1
    assert "no socket" in done.stderr
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "x" * 64])
def test_a_driver_whose_name_is_none_is_refused(name, short_directory):
    with serving(short_directory / "csi.sock", Identity(name)):
        done = subprocess.run(
            command(short_directory), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 1
    assert "no name of a CSI driver" in done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str = "/healthz") -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        while data := connection.recv(4096):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_its_health_is_that_of_the_registration_socket(short_directory):
    port = free_port()
    with (
        serving(short_directory / "csi.sock", Identity()),
        registrar(short_directory, f"--http-endpoint=127.0.0.1:{port}"),
    ):
        assert ask(port) == (200, "ok")
        assert ask(port, "/")[0] == 404
        registration_socket(short_directory).unlink()
        assert ask(port) == (404, "registration socket does not exist")


def test_the_deprecated_probe_does_nothing_and_succeeds(short_directory):
    done = subprocess.run(
        command(short_directory, "--mode=kubelet-registration-probe"), timeout=SECONDS, check=False
    )
    assert done.returncode == 0
    assert list(short_directory.iterdir()) == []
