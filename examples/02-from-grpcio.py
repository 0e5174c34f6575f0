"""Call the proxy with grpcio and stubs made from the .proto files, as any other gRPC client would.

Needs csi-proxy and grpcio-tools installed.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
from grpc_tools import protoc

SOURCE = Path(__file__).parents[1] / "src"


def make_stubs(target: Path) -> None:
    proto = "csiproxy/api/disk/v1.proto"
    (target / "protos").mkdir()
    (target / "protos" / "disk_v1.proto").write_text((SOURCE / proto).read_text())
    arguments = [f"-I{target / 'protos'}", f"--python_out={target}", f"--grpc_python_out={target}"]
    if protoc.main(["protoc", *arguments, "disk_v1.proto"]):
        raise SystemExit("protoc failed")
    sys.path.insert(0, str(target))


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        make_stubs(work)
        import disk_v1_pb2
        import disk_v1_pb2_grpc

        node = work / "node"
        proxy = subprocess.Popen(
            ["csi-proxy", "serve", "--host", f"emulator:{node}", "--audit-log", str(work / "audit.jsonl")],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            print(proxy.stdout.readline().strip())
            with grpc.insecure_channel(f"unix:{node}/endpoints/csi-proxy-disk-v1.sock") as channel:
                disks = disk_v1_pb2_grpc.DiskStub(channel)
                for number, ids in disks.ListDiskIDs(disk_v1_pb2.ListDiskIDsRequest()).diskIDs.items():
                    print(f"disk {number}: serial number {ids.serial_number}, page 83 {ids.page83}")
                try:
                    disks.PartitionDisk(disk_v1_pb2.PartitionDiskRequest(disk_number=0))
                except grpc.RpcError as error:
                    print(f"partitioning disk 0: {error.code().name}: {error.details()}")
        finally:
            proxy.terminate()
            proxy.wait()
            proxy.stdout.close()
            subprocess.run(["csi-proxy", "emulator", "stop", "--state", str(node)], check=True)


if __name__ == "__main__":
    main()
