"""A descriptor set is enough for other tools to speak the API."""

import subprocess
import sys

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from csiproxy.api.descriptors import descriptor_set
from csiproxy.api.messages import Messages
from csiproxy.api.versions import CONTRACTS, contract, select


def test_the_whole_api_fits_one_set_and_one_pool():
    files = FileDescriptorSet.FromString(descriptor_set(CONTRACTS)).file
    pool = DescriptorPool()
    for file in files:
        pool.Add(file)
    for found in CONTRACTS:
        assert [m.name for m in pool.FindServiceByName(found.service).methods] == list(found.rpcs)


def test_a_set_holds_the_chosen_contracts_alone_and_each_once():
    chosen = [*select(["disk/*"], []), contract("disk/v1")]
    names = [file.name for file in FileDescriptorSet.FromString(descriptor_set(chosen)).file]
    assert names == [
        f"csiproxy/api/disk/{v}.proto" for v in ("v1alpha1", "v1beta1", "v1beta2", "v1beta3", "v1")
    ]


def test_every_file_comes_after_what_it_imports():
    seen = set()
    for file in FileDescriptorSet.FromString(descriptor_set(CONTRACTS)).file:
        assert set(file.dependency) <= seen
        seen.add(file.name)


def test_protoc_reads_a_message_with_nothing_but_the_set(tmp_path):
    path = tmp_path / "api.pb"
    path.write_bytes(descriptor_set([contract("disk/v1"), contract("csi-proxy/v1beta1")]))
    (request, _) = Messages(contract("disk/v1").module).classes("SetDiskState")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--descriptor_set_in={path}",
            "--decode=v1.SetDiskStateRequest",
            "csiproxy/api/disk/v1.proto",
        ],
        input=request(disk_number=7, is_online=True).SerializeToString(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split() == ["disk_number:", "7", "is_online:", "true"]
