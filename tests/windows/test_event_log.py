"""csi-proxy as a source of this Windows' event log."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import winreg

from csiproxy.server.event_trail import LONGEST
from csiproxy.windows import event_log
from csiproxy.windows.event_log import EventSource, open_source

pytestmark = pytest.mark.windows


@pytest.fixture(autouse=True)
def _no_source():
    event_log.unregister()
    yield
    event_log.unregister()


def test_the_source_names_a_file_that_shows_events_as_they_are():
    event_log.register()
    event_log.register()
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, event_log.KEY) as key:
        file, kind = winreg.QueryValueEx(key, "EventMessageFile")
        levels, _ = winreg.QueryValueEx(key, "TypesSupported")
    assert (file, kind, levels) == (r"%SystemRoot%\System32\EventCreate.exe", winreg.REG_EXPAND_SZ, 7)
    event_log.unregister()
    assert not event_log.registered()
    event_log.unregister()


def test_opening_the_log_makes_the_source():
    open_source().close()
    assert event_log.registered()


@pytest.mark.parametrize("text", ["a line\r\n\r\n{}", "", "é 🖫", "x" * LONGEST, "%1 %n"])
@pytest.mark.parametrize("level", [1, 2, 4])
def test_an_event_is_taken(text, level):
    source = EventSource()
    source.report(604, level, text)
    source.close()
    source.close()


def test_an_event_that_the_file_cannot_show_is_refused():
    source = EventSource()
    with pytest.raises(ValueError, match="1001"):
        source.report(1001, 4, "x")
    source.close()
