#!/bin/sh
# From an attached disk to a mounted volume, from the shell.  Needs csi-proxy on PATH.
set -eu
work=$(mktemp -d)
export CSI_PROXY_HOST="emulator:$work/node"
mkfifo "$work/ready"
csi-proxy serve --host "$CSI_PROXY_HOST" --audit-log "$work/audit.jsonl" >"$work/ready" &
proxy=$!
trap 'kill $proxy; wait $proxy || true; csi-proxy emulator stop --state "$work/node"; rm -rf "$work"' EXIT
read -r line <"$work/ready"
echo "$line"

csi-proxy emulator attach --state "$work/node" --create 1GiB "$work/data.img"
csi-proxy call disk/v1 Rescan '{}'
csi-proxy call disk/v1 PartitionDisk '{"disk_number": 1}'
volume=$(csi-proxy call volume/v1 ListVolumesOnDisk '{"disk_number": 1}' |
  python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["volume_ids"][0]))')
csi-proxy call volume/v1 FormatVolume "{\"volume_id\": $volume}"
csi-proxy call filesystem/v1 Mkdir '{"path": "C:\\var\\lib\\kubelet\\plugins\\demo\\globalmount"}'
csi-proxy call volume/v1 MountVolume \
  "{\"volume_id\": $volume, \"target_path\": \"C:\\\\var\\\\lib\\\\kubelet\\\\plugins\\\\demo\\\\globalmount\"}"
csi-proxy tree
echo "and the audit trail:"
cat "$work/audit.jsonl"
