"""Turn an empty directory into a symbolic link and back, so that nobody finds the name missing.

Linux and macOS can exchange two names in one step.  A file system that cannot gets two steps; then the
name is missing for an instant, and what appears there meanwhile is never overwritten.
"""

import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable

from csiproxy.emulator.hostdir import identity, status

# https://man7.org/linux/man-pages/man2/rename.2.html, and renameatx_np(2) of macOS
NO_REPLACE, EXCHANGE = (4, 2) if sys.platform == "darwin" else (1, 2)
FUNCTION = "renameatx_np" if sys.platform == "darwin" else "renameat2"

# What a file system (or a C library) without these renames answers.
CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})

# Rename ``source`` to ``name`` in one directory, with flags; OSError.
FlaggedRename = Callable[[int, str, str, int], None]

Identity = tuple[int, int]


class Replaced(OSError):
    """Somebody put something else under the name while it was being changed; that was left as it is."""

    def __init__(self) -> None:
        super().__init__(errno.EBUSY, "the name was replaced meanwhile")


def rename_with_flags(directory: int, source: str, name: str, flags: int) -> None:
    """The host's rename that can exchange two names or refuse to overwrite; ENOSYS where there is none."""
    function = getattr(ctypes.CDLL(None, use_errno=True), FUNCTION, None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if function(directory, os.fsencode(source), directory, os.fsencode(name), ctypes.c_uint(flags)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Exchange:
    """The changes of one name, in one directory, through a temporary name beside it.

    ``rename`` is replaced where the host's own is to be left out.
    """

    def __init__(self, rename: FlaggedRename = rename_with_flags) -> None:
        self._rename = rename

    def place_link(self, directory: int, temporary: str, name: str) -> None:
        """Give a link its final name; a name that exists is FileExistsError and stays."""
        try:
            self._rename(directory, temporary, name, NO_REPLACE)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            os.unlink(temporary, dir_fd=directory)

    def directory_to_link(self, directory: int, temporary: str, name: str, link: Identity) -> None:
        """Put the link ``temporary`` in the place of the empty directory ``name``.

        ENOTEMPTY, ENOTDIR: it is not one; everything is as before, the link still under its temporary name.
        """
        try:
            self._rename(directory, temporary, name, EXCHANGE)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            os.rmdir(name, dir_fd=directory)
            self.place_link(directory, temporary, name)
            return
        try:
            if identity(status(directory, name)) != link:
                raise Replaced
            os.rmdir(temporary, dir_fd=directory)
        except OSError:
            self._rename(directory, temporary, name, EXCHANGE)
            raise

    def link_to_directory(self, directory: int, temporary: str, name: str, link: Identity) -> None:
        """Put the empty directory ``temporary`` in the place of the link ``name``, which goes.

        :class:`Replaced`: the name is not that link any more; everything is as before.
        """
        try:
            self._rename(directory, temporary, name, EXCHANGE)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
            if identity(status(directory, name)) != link:
                raise Replaced from error
            os.unlink(name, dir_fd=directory)
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            return
        try:
            if identity(status(directory, temporary)) != link:
                raise Replaced
            os.unlink(temporary, dir_fd=directory)
        except OSError:
            self._rename(directory, temporary, name, EXCHANGE)
            raise

    def recover(self, directory: int, temporary: str, name: str, *, makes_link: bool) -> bool:
        """Finish or undo a change that was interrupted; True when nothing has the temporary name any more.

        ``makes_link`` says which of the changes it was.  What is not ours to remove, because somebody put
        it there or filled it meanwhile, gets the name back; it stays where it is when the name is taken.
        """
        try:
            found = status(directory, temporary)
            if stat.S_ISLNK(found.st_mode):
                os.unlink(temporary, dir_fd=directory)
            elif not stat.S_ISDIR(found.st_mode) or not _removed(directory, temporary):
                self._give_back(directory, temporary, name, makes_link)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _give_back(self, directory: int, temporary: str, name: str, makes_link: bool) -> None:
        try:
            self._rename(directory, temporary, name, NO_REPLACE)
        except FileExistsError:
            if not makes_link or not stat.S_ISLNK(status(directory, name).st_mode):
                raise
            self._rename(directory, temporary, name, EXCHANGE)
            os.unlink(temporary, dir_fd=directory)


def _removed(directory: int, name: str) -> bool:
    """Remove a directory if it is empty."""
    try:
        os.rmdir(name, dir_fd=directory)
    except OSError:
        return False
    return True
