"""What the kinds of names are, and that the numbers of page 83 are the standard's."""

import pytest

from csiproxy.host.win32 import Association, CodeSet, EntryKind, IdentifierType


@pytest.mark.parametrize("kind", EntryKind)
def test_everything_but_files_and_directories_leads_elsewhere(kind):
    assert kind.is_reparse_point == (kind not in (EntryKind.FILE, EntryKind.DIRECTORY))


@pytest.mark.parametrize("kind", EntryKind)
def test_links_lead_to_a_path_and_mount_points_do_not_count_as_links(kind):
    assert kind.is_link == (kind in (EntryKind.SYMBOLIC_LINK, EntryKind.JUNCTION))


def test_numbers_are_those_of_scsi_primary_commands():
    assert [code.value for code in (CodeSet.BINARY, CodeSet.ASCII, CodeSet.UTF8)] == [1, 2, 3]
    assert [kind.value for kind in IdentifierType] == list(range(9))
    assert [kind.value for kind in (IdentifierType.EUI64, IdentifierType.FCPH_NAME)] == [2, 3]
    assert [kind.value for kind in Association] == [0, 1, 2]
