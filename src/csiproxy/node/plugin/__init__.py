"""``csi-proxy node-plugin``: a CSI node plugin for disks, SMB shares and iSCSI targets.

To use, and to learn from.  It holds no privileges and touches no storage itself: all that it does goes
through csi-proxy.
"""
