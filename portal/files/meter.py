"""Measure decoded frames: peaks, silence, clipping, fingerprint, length."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame, format_dtypes
from numpy.typing import NDArray

from portal.files import fingerprint
from portal.files.decoding import Shape, shape_of

MAX_SECONDS = 12 * 3600
_BLOCK_SECONDS = 4
_SILENT = 2  # per cent of full scale
_FULL = 0.999

Values = NDArray[Any]


class TooLong(ValueError):
    """The recording runs longer than `MAX_SECONDS`."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The loudest sample of each tenth of a second, in per cent of full scale, by channel.

    One channel, or two where the recording is stereo (agent and customer are often apart).
    """

    per_second: int
    channels: tuple[bytes, ...]

    def to_json(self) -> bytes:
        """For the player: `{"version", "per_second", "peaks": [[0.0 … 1.0], …]}`, compact."""
        peaks = [[value / 100 for value in channel] for channel in self.channels]
        document = {"version": 1, "per_second": self.per_second, "peaks": peaks}
        return json.dumps(document, separators=(",", ":")).encode()

    @property
    def silence(self) -> float:
        """Share (0 to 1) of the recording in which no channel says anything."""
        if not self.channels or not self.channels[0]:
            return 1.0
        loudest = np.maximum.reduce([np.frombuffer(c, np.uint8) for c in self.channels])
        return float(np.mean(loudest < _SILENT))


@dataclass(frozen=True, slots=True)
class Measured:
    """What a meter found: samples of a channel, peaks at full scale, the peaks by channel."""

    samples: int
    loud: int
    parts: tuple[bytes, ...]


class Meter:
    """Folds frames into peaks, a few seconds at a time.

    Frames wait in FFmpeg's own queue for a block of whole seconds, whose samples are then looked at
    where they lie, without a copy: half an hour of stereo MP3 is 70,000 frames, and a few
    microseconds of Python for each would double the time.
    """

    def __init__(
        self, per_second: int, channels: int, *, leave_out: int = 0, prints: bool = True
    ) -> None:
        """`leave_out`: so many samples of the beginning are not looked at. `prints`: make the
        fingerprint, too."""
        self._per_second = per_second
        self._parts: list[list[bytes]] = [[] for _ in range(channels)]
        self._leave_out = leave_out
        self.shapes = 0
        self.folded = 0
        self._queue = av.AudioFifo()
        self._shape: Shape | None = None
        self._rate = 0  # samples a second; 0 before the first frame
        self._block = 0  # samples that are folded at once, a channel
        self._held = 0  # samples waiting in the queue, a channel
        self._starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._loud = 0  # peaks at full scale
        self._print = fingerprint.Printer() if prints else None
        self._counted = 0.0

    @property
    def seconds(self) -> float:
        """How much was fed."""
        return self._counted + (self._held / self._rate if self._rate else 0.0)

    def feed(self, frame: AudioFrame) -> None:
        """Take one frame. Rate and channels may change between frames (glued MP3 files)."""
        shape = shape_of(frame)
        if shape != self._shape:
            self._fold(last=True)
            self._queue, self._shape = av.AudioFifo(), shape
            self.shapes += 1
            self._rate = frame.sample_rate
            self._block = block_of(self._rate)
            self._starts = _starts(self._rate, self._per_second)
        frame.pts = None
        self._queue.write(frame)
        self._held += frame.samples
        if self._leave_out and self._held >= self._leave_out:
            self._queue.read(self._leave_out)
            self._held, self._leave_out = self._held - self._leave_out, 0
        if self._held >= self._block and not self._leave_out:
            self._fold(last=False)

    @property
    def samples(self) -> int:
        """How many samples of a channel were fed."""
        return self.folded + self._held

    @property
    def boundary(self) -> int:
        """The samples of a channel that whole blocks would hold: all that were fed, and the rest of
        the last block."""
        return -(-self.samples // self._block) * self._block if self._block else 0

    @property
    def complete(self) -> bool:
        """Whether what follows the folded blocks can be measured elsewhere: the frames have one
        shape, and the fingerprint has what it needs."""
        return self.shapes == 1 and not (self._print is not None and self._print.wants)

    def measured(self) -> Measured:
        """What was found in all that was fed, for `append`. Raises `ValueError` where that was less
        than was to be left out."""
        if self._leave_out:
            raise ValueError("nothing is left to measure")
        self._fold(last=True)
        return Measured(self.folded, self._loud, tuple(b"".join(one) for one in self._parts))

    def append(self, more: Measured) -> None:
        """Put what was found elsewhere behind the folded blocks, in place of what waits."""
        self._held = 0
        self._queue = av.AudioFifo()
        for parts, found in zip(self._parts, more.parts, strict=True):
            parts.append(found)
        self._loud += more.loud
        self._count(more.samples)

    def finish(self) -> Peaks:
        """The peaks of all that was fed."""
        self._fold(last=True)
        return Peaks(self._per_second, tuple(b"".join(parts) for parts in self._parts))

    def sound(self) -> bytes | None:
        """The fingerprint of what was fed."""
        return self._print.finish() if self._print is not None else None

    @property
    def clipping(self) -> float:
        """The share of peaks at full scale."""
        peaks = sum(len(part) for part in self._parts[0])
        return self._loud / peaks if peaks else 0.0

    def _fold(self, *, last: bool) -> None:
        """Turn the whole blocks held into peaks; what is left waits unless it is the last."""
        while self._held and (last or self._held >= self._block):
            count = min(self._held, self._block)
            frame = self._queue.read(count)
            if frame is None:
                raise TooLong("frames that cannot be read back")
            self._held -= count
            self._count(count)
            self._take(_channels(frame), _scale(frame), count)
            if self._print is not None and self._print.wants:
                frame.pts = None
                self._print.feed(frame)

    def _count(self, samples: int) -> None:
        self.folded += samples
        self._counted += samples / self._rate
        if self._counted > MAX_SECONDS:
            raise TooLong(f"over {MAX_SECONDS} s")

    def _take(self, channels: list[Values], scale: tuple[float, float], count: int) -> None:
        zero, full = scale
        starts = self._starts[self._starts < count]
        loudest = np.stack([_loudest(values, starts, zero) for values in channels]) / full
        self._loud += int(np.count_nonzero(loudest.max(axis=0) >= _FULL))
        if len(loudest) != len(self._parts):
            loudest = np.repeat(loudest.max(axis=0, keepdims=True), len(self._parts), axis=0)
        percent = np.minimum(np.rint(np.nan_to_num(loudest) * 100), 100).astype(np.uint8)
        for parts, row in zip(self._parts, percent, strict=True):
            parts.append(row.tobytes())


def block_of(rate: int) -> int:
    """How many samples of a channel are folded at once."""
    return rate * _BLOCK_SECONDS


def _starts(rate: int, per_second: int) -> NDArray[np.int64]:
    """Where in a block of samples each peak's samples start."""
    peaks = np.arange(per_second * _BLOCK_SECONDS, dtype=np.int64)
    return np.unique(-(-peaks * rate // per_second))


def _loudest(values: Values, starts: NDArray[np.int64], zero: float) -> NDArray[np.float64]:
    """The largest distance from silence in each of the pieces that begin at `starts`."""
    size = len(values) // len(starts)
    if size * len(starts) == len(values) and starts[-1] == size * (len(starts) - 1):
        pieces = values.reshape(len(starts), size)
        high, low = pieces.max(axis=1), pieces.min(axis=1)
    else:
        high, low = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
    far: NDArray[np.float64] = np.maximum(
        high.astype(np.float64) - zero, zero - low.astype(np.float64)
    )
    return far


def _channels(frame: AudioFrame) -> list[Values]:
    """A frame's samples by channel, where they lie."""
    dtype, count = np.dtype(format_dtypes[frame.format.name]), frame.samples
    planes: Any = frame.planes
    if frame.format.is_planar:
        return [np.frombuffer(plane, dtype, count) for plane in planes]
    channels = len(frame.layout.channels)
    packed = np.frombuffer(planes[0], dtype, count * channels).reshape(count, channels)
    return [packed[:, index] for index in range(channels)]


def _scale(frame: AudioFrame) -> tuple[float, float]:
    """The value that is silence, and the distance from it that is full scale."""
    dtype = np.dtype(format_dtypes[frame.format.name])
    if dtype == np.uint8:
        return 128.0, 128.0
    return 0.0, float(1 << (8 * dtype.itemsize - 1)) if dtype.kind == "i" else 1.0
