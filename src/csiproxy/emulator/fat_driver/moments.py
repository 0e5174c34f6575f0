"""Times as FAT keeps them: local, from 1980 to 2107, in steps of two seconds.

Microsoft, "FAT: General Overview of On-Disk Format" (fatgen103), section 6.
"""

import time

_FIRST_YEAR, _LAST_YEAR = 1980, 2107


def packed(seconds: float) -> tuple[int, int]:
    """A time since 1970 as FAT's time and date."""
    moment = time.localtime(seconds)
    if moment.tm_year < _FIRST_YEAR:
        return 0, 1 << 5 | 1
    if moment.tm_year > _LAST_YEAR:
        return 23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31
    date = (moment.tm_year - _FIRST_YEAR) << 9 | moment.tm_mon << 5 | moment.tm_mday
    return moment.tm_hour << 11 | moment.tm_min << 5 | min(moment.tm_sec, 59) // 2, date


def unpacked(clock: int, date: int) -> int:
    """FAT's time and date as seconds since 1970; what is no date is the begin of 1980."""
    year, month, day = (date >> 9) + _FIRST_YEAR, date >> 5 & 15, date & 31
    if not 1 <= month <= 12 or not day:
        year, month, day = _FIRST_YEAR, 1, 1
    return int(time.mktime((year, month, day, clock >> 11, clock >> 5 & 63, 2 * (clock & 31), 0, 0, -1)))
