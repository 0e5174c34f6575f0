"""Volumes with a real file system in the partition: NTFS, FAT32 or exFAT.

Each is made by the file system's own tools and mounted once, through a loop device, below the node's
directory.  Needs Linux and root: :mod:`csiproxy.emulator.image_store.requirements`.  Which drivers mount
them, and why: ``docs/decisions/0010-drivers-for-volumes-in-images.md``.
"""
