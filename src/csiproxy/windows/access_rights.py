"""Rights in access masks.

pywin32 has them in modules with all constants of Windows, which cost a megabyte and more.
https://learn.microsoft.com/windows/win32/secauthz/access-mask-format,
https://learn.microsoft.com/windows/win32/fileio/file-access-rights-constants
"""

from typing import Final

FILE_ADD_FILE: Final = 0x0000_0002
FILE_ADD_SUBDIRECTORY: Final = 0x0000_0004
FILE_DELETE_CHILD: Final = 0x0000_0040
FILE_ALL_ACCESS: Final = 0x001F_01FF
DELETE: Final = 0x0001_0000
WRITE_DAC: Final = 0x0004_0000
WRITE_OWNER: Final = 0x0008_0000
GENERIC_ALL: Final = 0x1000_0000
GENERIC_WRITE: Final = 0x4000_0000
GENERIC_READ: Final = 0x8000_0000
