"""What the health endpoint says of a registration socket; the program's test asks it over HTTP."""

import io

from csiproxy.csi import address
from csiproxy.csi.serving import server
from csiproxy.node.registrar.health import check
from csiproxy.node.registrar.registration import SERVICE, Registration


def test_a_socket_of_another_driver_or_of_nobody_is_not_healthy(short_directory):
    path = str(short_directory / "x-reg.sock")
    serving = server({SERVICE: Registration("a", "/csi", lambda: None, io.StringIO())}, io.StringIO())
    serving.add(address.listen(path, "a"))
    serving.start()
    assert check(path, "a") == (200, "ok")
    assert check(path, "b") == (500, "registration socket belongs to another driver")
    serving.stop(0)
    assert check(path, "a") == (404, "registration socket does not exist")
    (short_directory / "x-reg.sock").write_text("")
    status, text = check(path, "a")
    assert status == 500
    assert "UNAVAILABLE" in text
