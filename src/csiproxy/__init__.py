"""CSI Proxy for Python: the privileged storage service of a Windows Kubernetes node (KEP-1122)."""

__version__ = "0.1.0"
