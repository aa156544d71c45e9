"""Acoustic fingerprints (Chromaprint): the same sound is known again in another file.

The words come from `libchromaprint` (a system package), called in the sandbox on samples that were
decoded there; without the library there is no fingerprint, and nothing claims to have compared.
What is compared is bits: of the same sound in another codec about one in ten differs, of other
sounds four in ten.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

SECONDS = 300
"""So much of a recording's beginning is taken."""
PER_SECOND = 8.08
"""Words of a fingerprint a second."""
KEYS = 48
"""So many of a fingerprint's words are kept as keys to find it by."""
FEWEST_KEYS = 3
"""Two fingerprints that share fewer keys are not compared."""
_KEY_SHIFT = 12
_SAME = 0.25
_SHORTEST = 48  # words: six seconds of overlap
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ALGORITHM = 1
_RATE = 11_025
_NAMES = ("libchromaprint.so.1", "libchromaprint.dylib", "libchromaprint.so")

Words = NDArray[np.uint32]


@functools.cache
def library() -> Any:
    """The C library, or None where it is not installed."""
    for name in _NAMES:
        try:
            return _declared(ctypes.CDLL(name))
        except OSError:
            continue
    return None


def _declared(lib: ctypes.CDLL) -> ctypes.CDLL:
    context, number = ctypes.c_void_p, ctypes.c_int
    words = ctypes.POINTER(ctypes.POINTER(ctypes.c_uint32))
    lib.chromaprint_new.restype = context
    for name, arguments in {
        "new": [number],
        "start": [context, number, number],
        "feed": [context, ctypes.c_char_p, number],
        "finish": [context],
        "get_raw_fingerprint": [context, words, ctypes.POINTER(number)],
        "dealloc": [context],
        "free": [context],
    }.items():
        getattr(lib, f"chromaprint_{name}").argtypes = arguments
    return lib


class Printer:
    """Makes the fingerprint of the frames that it is fed.

    FFmpeg makes them mono at the rate at which Chromaprint works: its own way there takes as long
    as all the rest of a fingerprint.
    """

    def __init__(self) -> None:
        self._lib = library()
        self._context: int | None = None
        self._resampler = AudioResampler("s16", "mono", _RATE)
        self._left = 0

    @property
    def wants(self) -> bool:
        """Whether more samples would be taken."""
        return self._lib is not None and (self._context is None or self._left > 0)

    def feed(self, frame: AudioFrame) -> None:
        """Take a frame without a time stamp; a recording whose frames change their shape is taken
        up to the change."""
        if self._context is None:
            self._context = self._lib.chromaprint_new(_ALGORITHM)
            started = self._lib.chromaprint_start(self._context, _RATE, 1)
            self._left = _RATE * SECONDS if started else 0
        try:
            parts = self._resampler.resample(frame)
        except ValueError:
            self._left = 0
            return
        for part in parts:
            count = min(part.samples, self._left)
            self._lib.chromaprint_feed(self._context, bytes(part.planes[0])[: 2 * count], count)
            self._left -= count

    def finish(self) -> bytes | None:
        """The words, little-endian; None when there is no library or too little sound."""
        if self._context is None:
            return None
        lib, context = self._lib, self._context
        self._context = None
        words, count = ctypes.POINTER(ctypes.c_uint32)(), ctypes.c_int()
        try:
            done = lib.chromaprint_finish(context) and lib.chromaprint_get_raw_fingerprint(
                context, ctypes.byref(words), ctypes.byref(count)
            )
            if not done or not count.value:
                return None
            made = np.ctypeslib.as_array(words, (count.value,)).astype("<u4").tobytes()
            lib.chromaprint_dealloc(ctypes.cast(words, ctypes.c_void_p))
            return made
        finally:
            lib.chromaprint_free(context)


def keys(words: bytes) -> list[int]:
    """The keys to find a fingerprint by: always the same few of its distinct coarse words, as
    signed 32-bit integers. Silence, which sounds alike everywhere, gives none."""
    coarse, times = np.unique(_read(words) >> _KEY_SHIFT, return_counts=True)
    coarse = coarse[times <= max(4, coarse.size // 8)]
    order = np.argsort((coarse.astype(np.uint64) * _MIX) >> np.uint64(32), kind="stable")
    return [int(word) for word in coarse[order[:KEYS]].astype(np.int32)]


def same_sound(one: bytes, other: bytes) -> bool:
    """Whether two fingerprints are of the same sound, wherever in either it begins."""
    first, second = _read(one), _read(other)
    if len(first) < _SHORTEST or len(second) < _SHORTEST:
        return False
    return any(_differ(first, second, shift) <= _SAME for shift in _shifts(first, second))


def _read(words: bytes) -> Words:
    return np.frombuffer(words, "<u4")


def _shifts(first: Words, second: Words) -> list[int]:
    """The displacements at which equal coarse words meet most often."""
    places: dict[int, list[int]] = {}
    for at, word in enumerate((second >> _KEY_SHIFT).tolist()):
        places.setdefault(word, []).append(at)
    votes: dict[int, int] = {}
    for at, word in enumerate((first >> _KEY_SHIFT).tolist()):
        for place in places.get(word, ())[:8]:
            votes[at - place] = votes.get(at - place, 0) + 1
    return sorted(votes, key=lambda shift: -votes[shift])[:12]


def _differ(first: Words, second: Words, shift: int) -> float:
    """The share of bits that differ where the two overlap; 1 when that is too short."""
    one, other = first[max(0, shift) :], second[max(0, -shift) :]
    length = min(len(one), len(other))
    if length < _SHORTEST:
        return 1.0
    apart = (one[:length] ^ other[:length]).view(np.uint8)
    return float(np.unpackbits(apart).mean())


warm: Callable[[], Any] = library
"""Loads the library before the fork server forks."""
