"""A Windows to test on: Wine, the official CPython for Windows, and a prefix for whoever needs one."""
