"""The emulator's schema against facts of the real classes (``wmi/*.json``: names, types, codes)."""

import json
from pathlib import Path

import pytest

from csiproxy.emulator import schema

FACTS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "wmi").glob("*.json")}
CLASSES = {
    found.name: found
    for found in (
        schema.MSFT_DISK,
        schema.MSFT_PARTITION,
        schema.MSFT_VOLUME,
        schema.MSFT_STORAGE_SETTING,
        schema.WIN32_SERVICE,
        schema.CIM_BIOS_ELEMENT,
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
