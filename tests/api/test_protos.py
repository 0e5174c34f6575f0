"""The .proto files say exactly what the published wire tables say."""

import itertools
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet
from tests.api import wire_tables
from tests.api.interpreter import run
from tests.api.wire_rule import NAMES
from tools.generate_protos import SOURCE, generate, proto_files

from csiproxy.api.endpoints import pipe_name
from csiproxy.api.overview import versions_table
from csiproxy.api.redaction import is_secret
from csiproxy.api.versions import CONTRACTS

EVERY = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda found: found.name)


def file_of(contract):
    return import_module(contract.module).DESCRIPTOR


def all_messages(file):
    """Yield every message of a file, nested ones too, but not the entries that maps are made of."""
    waiting = list(file.message_types_by_name.values())
    while waiting:
        message = waiting.pop(0)
        yield message
        waiting += [inner for inner in message.nested_types if not inner.GetOptions().map_entry]


def type_text(field):
    inside = field.message_type
    if inside and inside.GetOptions().map_entry:
        key, value = inside.fields_by_name["key"], inside.fields_by_name["value"]
        return f"map<{type_text(key)}, {type_text(value)}>"
    named = inside or field.enum_type
    text = named.full_name.removeprefix(field.file.package + ".") if named else NAMES[field.type]
    return f"repeated {text}" if field.is_repeated else text


def enums_of(owner):
    return {enum.name: {v.name: v.number for v in enum.values} for enum in owner.values()}


def message_facts(message):
    proto = DescriptorProto()
    message.CopyToProto(proto)
    facts = {"fields": [{"number": f.number, "name": f.name, "type": type_text(f)} for f in message.fields]}
    if proto.reserved_range:
        facts["reserved"] = [n for span in proto.reserved_range for n in range(span.start, span.end)]
    if message.enum_types:
        facts["enums"] = enums_of(message.enum_types_by_name)
    return facts


def facts_of(contract):
    """Return a compiled file in the form of the wire tables."""
    file = file_of(contract)
    (service,) = file.services_by_name.values()
    return {
        "package": file.package,
        "service": service.name,
        "pipe": pipe_name(contract.endpoint),
        "rpcs": {
            rpc.name: {
                "request": rpc.input_type.name,
                "response": rpc.output_type.name,
                "method": f"/{service.full_name}/{rpc.name}",
            }
            for rpc in service.methods
        },
        "messages": {name: message_facts(found) for name, found in file.message_types_by_name.items()},
        "enums": enums_of(file.enum_types_by_name),
    }


@EVERY
def test_a_version_is_exactly_what_its_wire_table_says(contract):
    expected = wire_tables.load(contract.group)[contract.version]
    for message in expected["messages"].values():
        message["fields"].sort(key=lambda field: field["number"])
    found = facts_of(contract)
    for message in found["messages"].values():
        message["fields"].sort(key=lambda field: field["number"])
    assert found == {"enums": {}, **expected}


def test_every_published_version_is_served_and_no_other():
    published = {f"{group}/{version}" for group in wire_tables.GROUPS for version in wire_tables.load(group)}
    assert {contract.name for contract in CONTRACTS} == published
    assert len(published) == 25


@EVERY
def test_method_paths_and_rpc_names_of_the_table_are_those_of_the_descriptor(contract):
    (service,) = file_of(contract).services_by_name.values()
    assert contract.service == service.full_name
    assert contract.rpcs == tuple(rpc.name for rpc in service.methods)
    assert list(contract.methods()) == [f"/{service.full_name}/{rpc}" for rpc in contract.rpcs]


@EVERY
def test_rpcs_are_unary_and_fields_are_plain(contract):
    file = file_of(contract)
    (service,) = file.services_by_name.values()
    assert not any(rpc.client_streaming or rpc.server_streaming for rpc in service.methods)
    for message in all_messages(file):
        assert not message.oneofs, message.full_name
        assert not message.extension_ranges
        for field in message.fields:
            options = {option.name for option, _ in field.GetOptions().ListFields()}
            assert options <= {"debug_redact", "deprecated"}, field.full_name
            assert field.type != FieldDescriptor.TYPE_GROUP


@EVERY
def test_fields_are_marked_secret_exactly_when_they_carry_one(contract):
    for message in all_messages(file_of(contract)):
        for field in message.fields:
            assert is_secret(field) is bool(re.search("password|secret", field.name, re.IGNORECASE)), (
                field.full_name
            )


@EVERY
def test_what_the_table_calls_deprecated_is_marked_so_in_the_proto_file_and_nothing_else(contract):
    file = file_of(contract)
    (service,) = file.services_by_name.values()
    fields = [field for message in all_messages(file) for field in message.fields]
    marked = {rpc.name for rpc in service.methods if rpc.GetOptions().deprecated}
    marked |= {f"{f.containing_type.name}.{f.name}" for f in fields if f.GetOptions().deprecated}
    (row,) = (row for row in versions_table() if row.contract == contract.name)
    members = {rpc.name: rpc.lifecycle for rpc in row.rpcs} | dict(row.fields)
    announced = {name for name, life in members.items() if life.deprecated_in and not life.removed_in}
    assert marked == announced
    assert service.GetOptions().deprecated is bool(contract.lifecycle.deprecated_in)


def test_no_two_versions_define_the_same_symbol():
    names = [m.full_name for contract in CONTRACTS for m in all_messages(file_of(contract))]
    files = [file_of(contract).name for contract in CONTRACTS]
    assert len(set(names)) == len(names)
    assert len(set(files)) == len(files) == 25


def test_all_versions_load_into_one_process_without_a_warning():
    imports = "; ".join(f"import {contract.module}" for contract in CONTRACTS)
    assert run(imports) == []


def without_compiler_version(text):
    """Drop what differs between compilers that otherwise make the same code."""
    text = re.sub(r"# Protobuf Python Version: .*", "", text)
    return re.sub(r"(Domain\.PUBLIC,\s+)\d+,\s+\d+,\s+\d+,", r"\1", text)


def test_the_generated_code_is_what_the_proto_files_compile_to(tmp_path):
    written = generate(tmp_path)
    assert len(written) == 54
    checked_in = {path.relative_to(SOURCE) for path in SOURCE.glob("csiproxy/**/*_pb2.py*") if path.is_file()}
    assert checked_in == set(written)
    for path in written:
        fresh, present = ((root / path).read_text() for root in (tmp_path, SOURCE))
        assert without_compiler_version(fresh) == without_compiler_version(present), (
            f"{path} is stale: run the tool"
        )


def test_stubs_are_readable_python(tmp_path):
    for path in SOURCE.glob("csiproxy/**/*_pb2.pyi"):
        compile(path.read_text(), str(path), "exec")


def test_the_generated_code_runs_on_every_protobuf_that_the_package_allows():
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["project"]
    (floor,) = (
        re.search(r">=([\d.]+)", text)[1] for text in project["dependencies"] if text.startswith("protobuf")
    )
    generated = set()
    for contract in CONTRACTS:
        text = Path(import_module(contract.module).__file__).read_text()
        generated.add(re.search(r"# Protobuf Python Version: ([\d.]+)", text)[1])
    (newest,) = generated
    numbers = [tuple(int(part) for part in text.split(".")) for text in (floor, newest)]
    assert numbers[0] >= numbers[1], f"require protobuf>={newest}: older runtimes refuse the generated code"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Every file with its comments, which the generated code leaves out."""
    out = tmp_path_factory.mktemp("sources") / "api.pb"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={SOURCE}", "--include_source_info"]
    subprocess.run([*command, f"--descriptor_set_out={out}", *proto_files()], check=True)
    return {file.name: file for file in FileDescriptorSet.FromString(out.read_bytes()).file}


@EVERY
def test_every_rpc_says_what_it_does_and_the_newest_version_explains_every_field(contract, sources):
    file = sources[file_of(contract).name]
    explained = {tuple(at.path) for at in file.source_code_info.location if at.leading_comments.strip()}
    rpcs = range(len(file.service[0].method))
    wanted = {(6, 0), *((6, 0, 2, rpc) for rpc in rpcs)}
    newest = [c for c in CONTRACTS if c.group == contract.group][-1]
    if contract is newest:
        wanted |= {(4, m, 2, f) for m, f in fields_of(file)} | {(5, e) for e in range(len(file.enum_type))}
    assert wanted <= explained


def fields_of(file):
    numbered = enumerate(file.message_type)
    return itertools.chain.from_iterable(((at, f) for f in range(len(m.field))) for at, m in numbered)
