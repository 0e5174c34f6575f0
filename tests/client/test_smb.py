"""The smb group through every version of it; files behind a mapping are tests/test_smb_life.py's."""

import pytest
from tests.client.conftest import names, only

from csiproxy.errors import CsiProxyError, InvalidArgument, WindowsCode


@pytest.mark.parametrize("name", names("smb"))
def test_a_mapping_is_refused_and_removed_in_every_version(name, node, tmp_path):
    with only(node, tmp_path, name) as client:
        with pytest.raises(InvalidArgument) as refused:
            client.smb.new_smb_global_mapping("no share", username=r"D\user", password="secret of theirs")
        assert refused.value.windows_code == WindowsCode.INVALID_NAME
        assert "secret of theirs" not in str(refused.value)
        client.smb.remove_smb_global_mapping(r"\\nowhere.invalid\share")


def test_the_password_is_in_no_text_of_a_call_or_of_what_goes_wrong_with_it(client):
    with pytest.raises(CsiProxyError) as refused:
        client.smb.new_smb_global_mapping(b"\xff", username="user", password="hidden from all")
    for text in (str(refused.value), repr(refused.value), *getattr(refused.value, "__notes__", ())):
        assert "hidden from all" not in text
