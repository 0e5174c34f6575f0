import copy
import pickle

import pytest

from csiproxy.errors import InvalidArgument
from csiproxy.node.plugin.secrets import Secrets


def test_secrets_are_read_by_name_and_show_their_names_alone():
    secrets = Secrets({"password": "hunter2", "user": "u"})
    assert secrets.take("password") == secrets.demand("password") == "hunter2"
    assert secrets.take("none") == ""
    assert f"{secrets}{secrets!r}{[secrets]}" == "Secrets(password, user)" * 2 + "[Secrets(password, user)]"


def test_one_that_is_needed_and_missing_is_named():
    with pytest.raises(InvalidArgument, match="'password'"):
        Secrets({"password": ""}).demand("password")


def test_secrets_are_not_copied_to_where_they_might_be_seen():
    for way in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            way(Secrets({"password": "hunter2"}))
