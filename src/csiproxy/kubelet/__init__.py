"""Kubelet's plugin watcher for Windows.  Not in this release."""
