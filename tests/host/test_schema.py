"""The port's schema against facts of the real classes (``wmi/*.json``: names, types, codes)."""

import json
from pathlib import Path

import pytest

from csiproxy.emulator.machine import Machine
from csiproxy.host import catalogue, schema
from csiproxy.host.cim import Instance

WMI = Path(__file__).parent / "wmi"
FACTS = {path.stem: json.loads(path.read_text()) for path in WMI.glob("*.json")}
ASSOCIATIONS = {path.stem: json.loads(path.read_text()) for path in (WMI / "associations").glob("*.json")}
CLASSES = {found.name: found for found in catalogue.known()}


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


FITTING = [
    (7, "uint8", True), (256, "uint8", False), (-1, "uint16", False), (True, "uint32", False),
    (1 << 63, "uint64", True), (1 << 64, "uint64", False), (-(1 << 63), "sint64", True),
    ("7", "uint64", False),
    ("x", "string", True), (1, "string", False), (True, "boolean", True), (1, "boolean", False),
    (None, "string", False), ((1, 2), "uint16[]", True), ((1, "x"), "uint16[]", False),
    (1, "uint16[]", False),
    (Instance("MSFT_Disk", "", {}), "MSFT_Disk", True), (Instance("MSFT_Disk", "", {}), "MSFT_Volume", False),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expected"), FITTING)
def test_a_value_fits_the_types_that_can_hold_it(value, kind, expected):
    assert schema.fits(value, kind) is expected


def test_a_condition_is_no_array_and_a_character_may_be_text():
    assert schema.comparable("C", "char16")
    assert schema.comparable(67, "char16")
    assert not schema.comparable("CD", "char16")
    assert not schema.comparable((1,), "uint16[]")
