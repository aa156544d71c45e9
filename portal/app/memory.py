"""How a web process holds memory, told to the C library and to Python's collector at its start.

A page is a text of a hundred kilobytes, built from parts. By itself glibc takes such pieces from
the system and gives them back with every request, in an arena for each thread: a sixth of the
process's memory, and time.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

# Names and numbers of malloc.h; another C library has no such function, and needs none.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT = 64 * 1024 * 1024
_LARGE = 4 * 1024 * 1024
_ARENAS = 2


def settle() -> None:
    """For a process that has loaded everything and begins to serve."""
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, _ARENAS)
    # What was loaded stays for good: looking through it again with every full collection costs a
    # page in twenty. A request leaves few cycles, so the collector may come less often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
