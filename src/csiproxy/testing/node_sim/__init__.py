"""A stand-in for Kubernetes around a CSI driver: from a pod's YAML to its files on an emulated Windows node.

It plays the parts that touch a driver, with kubelet's paths, calls, time-outs and retries: the provisioner,
attacher and resizer beside a controller; on each node kubelet with its plugin watcher, the plugin and its
registrar, csi-proxy and the emulated machine.  Everything but kubelet's side is a process of its own.
"""
