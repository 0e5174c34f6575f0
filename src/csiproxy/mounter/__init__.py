r"""Kubernetes' mount utilities for a Windows node, on the client of :mod:`csiproxy.client`.

================================= =====================================================================
:class:`Mounter`                  mount.Interface
:class:`HostPaths`                hostutil.HostUtils
:class:`SafeFormatAndMount`       mount.SafeFormatAndMount
:class:`ResizeFs`                 mount.ResizeFs
:mod:`csiproxy.mounter.smb`       shares
:mod:`csiproxy.mounter.iscsi`     targets
:mod:`csiproxy.mounter.paths`     NormalizeWindowsPath, and the rest that paths need
:mod:`csiproxy.mounter.options`   MakeBindOpts, and what may be shown of options
:mod:`csiproxy.mounter.answers`   IsCorruptedMnt
================================= =====================================================================

All of them take a client, so all have its deadline (``Mounter(client.within(110))``) and its errors.
"""

from csiproxy.mounter.answers import is_corrupted_mount, is_refusal
from csiproxy.mounter.format_and_mount import SafeFormatAndMount, UnformattedReadOnly
from csiproxy.mounter.host_paths import FileType, HostPaths
from csiproxy.mounter.mounter import Mounter, MountPoint
from csiproxy.mounter.options import BindOptions, bind_options, shown
from csiproxy.mounter.paths import normalised
from csiproxy.mounter.resize import ResizeFs

__all__ = [
    "BindOptions",
    "FileType",
    "HostPaths",
    "MountPoint",
    "Mounter",
    "ResizeFs",
    "SafeFormatAndMount",
    "UnformattedReadOnly",
    "bind_options",
    "is_corrupted_mount",
    "is_refusal",
    "normalised",
    "shown",
]
