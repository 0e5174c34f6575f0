"""A FUSE driver for FAT32, for hosts whose kernel has none.

``python -m csiproxy.emulator.fat_driver rw|ro DEVICE DIRECTORY`` mounts and stays in the foreground.  It
knows nothing of the rest of this program.  What a call changes is on the device when the call returns, so a
driver that dies loses nothing.  Why there is a driver of our own:
``docs/decisions/0010-drivers-for-volumes-in-images.md``.
"""
