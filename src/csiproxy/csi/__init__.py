"""The protocols between Kubernetes and a storage plugin: CSI 1.12 and kubelet's plugin registration.

Messages are generated from the .proto files; serving and calling them over the gRPC core are the modules
beside.  Plugins, the registrar, kubelet's side and the tests share this package.
"""
