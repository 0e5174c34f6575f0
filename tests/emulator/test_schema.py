"""The emulator's schema against facts of the real classes (``wmi/*.json``: names, types, codes)."""

import json
from pathlib import Path

import pytest

from csiproxy.emulator import schema
from csiproxy.emulator.iscsi_schema import ISCSI_CLASSES
from csiproxy.emulator.machine import Machine

WMI = Path(__file__).parent / "wmi"
FACTS = {path.stem: json.loads(path.read_text()) for path in WMI.glob("*.json")}
ASSOCIATIONS = {path.stem: json.loads(path.read_text()) for path in (WMI / "associations").glob("*.json")}
CLASSES = {
    found.name: found
    for found in (
        schema.MSFT_DISK,
        schema.MSFT_PARTITION,
        schema.MSFT_VOLUME,
        schema.MSFT_STORAGE_SETTING,
        schema.WIN32_SERVICE,
        schema.CIM_BIOS_ELEMENT,
        *ISCSI_CLASSES,
        schema.MSFT_SMB_GLOBAL_MAPPING,
    )
}


@pytest.mark.parametrize("name", CLASSES)
def test_every_property_exists_on_windows_with_that_type(name):
    real = FACTS[name]["properties"]
    assert {key: real.get(key) for key in CLASSES[name].properties} == dict(CLASSES[name].properties)


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_has_exactly_windows_parameters(name):
    for method, ours in CLASSES[name].methods.items():
        real = FACTS[name]["methods"][method]
        assert dict(ours.inputs) == real["in"], method
        assert dict(ours.outputs) == real["out"], method
        assert (ours.static, sorted(ours.required)) == (real["static"], real["required"]), method


@pytest.mark.parametrize("name", CLASSES)
def test_the_key_is_windows_key(name):
    assert CLASSES[name].key == FACTS[name]["key"]


def test_every_class_of_the_facts_is_emulated():
    assert set(FACTS) == set(CLASSES)


@pytest.fixture
def joined(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        yield {one.name: one for one in machine.session._session._associations.values()}


def test_every_association_joins_windows_classes_in_windows_roles(joined):
    assert set(joined) == set(ASSOCIATIONS)
    for name, association in joined.items():
        real = ASSOCIATIONS[name]["roles"]
        assert {end.role for end in association.ends} == set(real)
        for end in association.ends:
            assert real[end.role] in (end.class_name, FACTS[end.class_name].get("superclass"))
