"""Kubernetes' mount and host-path interfaces over the client.  Not in this release."""
