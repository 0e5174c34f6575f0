"""``csi-proxy registrar``: introduces a CSI plugin to kubelet, a drop-in for node-driver-registrar.

https://github.com/kubernetes-csi/node-driver-registrar says what its flags, sockets and exit codes are.
"""
