"""Kubelet's side of a storage plugin: the watcher that finds plugins and keeps them registered."""
