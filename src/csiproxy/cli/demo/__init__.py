"""``csi-proxy demo``: a pod's storage life, through real gRPC and separate processes."""
