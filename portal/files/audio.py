"""Recordings: really decode them, measure them, draw their peaks, make them playable.

Everything streams, so memory does not grow with the length of a recording. The demuxer is always
named by the caller (never guessed by FFmpeg, whose guess may be a play list that opens other
files) and reads from an open file, so no protocol is reachable. Call these through the sandbox:
`inspect.inspect`, or `audio.peaks` and `audio.transcode` below, which do it themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame, format_dtypes
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from portal.files import sandbox

PER_SECOND = 10
MAX_SECONDS = 12 * 3600
_BATCH_SECONDS = 0.5  # small enough for the processor's cache
_SILENT = 2  # per cent of full scale
_DEMUXERS = {"wav": "wav", "mp3": "mp3", "m4a": "mp4"}
_PLAYABLE = frozenset({"mp3", "mp3float", "aac", "pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"})
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LIMITS = sandbox.Limits(memory=512 << 20, cpu=120, wall=180.0)

Samples = NDArray[np.float32]


class NoAudio(ValueError):
    """The container holds no audio stream."""


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
class Recording:
    """What decoding a recording from end to end found. Durations in seconds.

    `declared` is the length that the container promises (None where it promises nothing);
    `bad_packets` of `packets` could not be decoded.
    """

    codec: str
    channels: int
    sample_rate: int
    duration: float
    declared: float | None
    packets: int
    bad_packets: int
    peaks: Peaks

    @property
    def playable(self) -> bool:
        """Whether every current browser plays it as it is."""
        return browser_playable(self.codec)


def browser_playable(codec: str) -> bool:
    """Whether browsers play this codec (FFmpeg's name) in the containers that are accepted."""
    return codec in _PLAYABLE


def examine(path: Path, kind: str, per_second: int = PER_SECOND) -> Recording:
    """Decode the recording at `path` (`kind`: wav, mp3, m4a) completely, in this process.

    Raises `NoAudio`, `TooLong`, or FFmpeg's own error when nothing can be read at all.
    """
    with path.open("rb") as file, _opened(file, kind) as container:
        stream = _audio_stream(container)
        context = stream.codec_context
        decoder = _Decoder(container, stream)
        meter = _Meter(per_second, 2 if context.channels == 2 else 1)
        for frame in decoder:
            meter.feed(frame)
            if meter.seconds > MAX_SECONDS:
                raise TooLong(f"over {MAX_SECONDS} s")
        return Recording(
            codec=context.name,
            channels=context.channels,
            sample_rate=context.sample_rate,
            duration=round(meter.seconds, 3),
            declared=_declared(container, stream),
            packets=decoder.packets,
            bad_packets=decoder.bad,
            peaks=meter.finish(),
        )


def peaks(path: Path, kind: str, per_second: int = PER_SECOND) -> bytes:
    """The peaks of a recording as JSON (`Peaks.to_json`), made in the sandbox.

    Raises `ValueError` when the recording cannot be decoded.
    """
    outcome = sandbox.run(_peaks_here, path, kind, per_second, limits=_LIMITS)
    if outcome.value is None:
        raise ValueError(f"no peaks: {outcome.status} {outcome.detail}")
    return outcome.value


def transcode(path: Path, kind: str, target: Path) -> float:
    """Write an MP3 copy of a recording that browsers do not play (ADPCM, G.711) to `target`.

    The original is untouched. Returns the copy's length in seconds; raises `ValueError` when
    the recording cannot be decoded (`target` may then hold a partial file).
    """
    outcome = sandbox.run(_transcode_here, path, kind, target, limits=_LIMITS)
    if outcome.value is None:
        raise ValueError(f"no copy: {outcome.status} {outcome.detail}")
    return outcome.value


def _peaks_here(path: Path, kind: str, per_second: int) -> bytes:
    return examine(path, kind, per_second).peaks.to_json()


def _transcode_here(path: Path, kind: str, target: Path) -> float:
    with (
        path.open("rb") as source,
        target.open("wb") as sink,
        _opened(source, kind) as container,
        av.open(sink, "w", format="mp3") as copy,
    ):
        stream = _audio_stream(container)
        context = stream.codec_context
        layout = "stereo" if context.channels == 2 else "mono"
        wide = (rate for rate in _MP3_RATES if rate >= context.sample_rate)
        rate = next(wide, _MP3_RATES[-1])
        track = copy.add_stream("libmp3lame", rate=rate)
        track.layout = layout
        track.bit_rate = 32_000 * (2 if layout == "stereo" else 1) * (1 if rate <= 24_000 else 2)
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=rate)
        written = 0
        for frame in _Decoder(container, stream):
            frame.pts = None
            for part in resampler.resample(frame):
                written += part.samples
                copy.mux(track.encode(part))
        for part in resampler.resample(None):
            written += part.samples
            copy.mux(track.encode(part))
        copy.mux(track.encode(None))
    return round(written / rate, 3)


def _opened(file: Any, kind: str) -> InputContainer:
    container: InputContainer = av.open(file, "r", _DEMUXERS[kind], metadata_errors="replace")
    return container


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:  # indexing would raise IndexError
        raise NoAudio("no audio stream")
    stream = container.streams.audio[0]
    if not stream.codec_context.channels or not stream.codec_context.sample_rate:
        raise NoAudio("an audio stream without channels")
    return stream


def _declared(container: InputContainer, stream: AudioStream) -> float | None:
    """The promised length in seconds."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / 1_000_000
    return None


class _Decoder:
    """Iterates over the frames of one stream; counts packets that cannot be decoded."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.packets = 0
        self.bad = 0

    def __iter__(self) -> Iterator[AudioFrame]:
        """Frames in order. A packet that fails is counted and left out."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # the demuxer itself gave up: nothing follows
                self.bad += 1
                return
            self.packets += bool(packet.size)
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.bad += 1


class _Meter:
    """Folds frames into peaks, half a second at a time.

    A frame's planes are copied as bytes and everything else waits for a whole batch: half an
    hour of stereo MP3 is 70,000 frames, and a few microseconds for each would double the time.
    """

    def __init__(self, per_second: int, channels: int) -> None:
        self._per_second = per_second
        self._parts: list[list[bytes]] = [[] for _ in range(channels)]
        self._planes: list[bytearray] = []
        self._shape = _Shape()
        self._rest: Samples = np.zeros((channels, 0), np.float32)
        self._held = 0  # samples waiting in the planes, a channel
        self._phase = 0  # samples before the first of `_rest`, modulo one second
        self.seconds = 0.0

    def feed(self, frame: AudioFrame) -> None:
        """Take one frame. Rate and channels may change between frames (glued MP3 files)."""
        planes, samples = frame.planes, frame.samples
        shape = self._shape
        if frame.sample_rate != shape.rate or len(planes) != shape.planes:
            self._fold(last=True)
            self._shape = shape = _Shape.of(frame)
            self._planes = [bytearray() for _ in planes]
        size = samples * shape.width
        for index, plane in enumerate(planes):
            whole = plane.buffer_size == size  # the last frame's planes are padded
            self._planes[index] += plane if whole else memoryview(plane)[:size]
        self._held += samples
        self.seconds += samples / shape.rate
        if self._held >= shape.rate * _BATCH_SECONDS:
            self._fold(last=False)

    def finish(self) -> Peaks:
        """The peaks of all that was fed."""
        self._fold(last=True)
        return Peaks(self._per_second, tuple(b"".join(parts) for parts in self._parts))

    def _fold(self, *, last: bool) -> None:
        """Turn the samples held into peaks; an unfinished tenth waits unless it is the last."""
        if not self._shape.rate:
            return
        fresh = self._shape.levels(self._planes, len(self._parts))
        samples = np.concatenate((self._rest, fresh), axis=1)
        self._planes = [bytearray() for _ in self._planes]
        self._held = 0
        starts, whole = _cuts(
            self._phase, samples.shape[1], self._shape.rate, self._per_second, last=last
        )
        if whole:
            loudest = np.maximum.reduceat(samples[:, :whole], starts, axis=1)
            percent = np.minimum(np.rint(np.nan_to_num(loudest) * 100), 100).astype(np.uint8)
            for parts, row in zip(self._parts, percent, strict=True):
                parts.append(row.tobytes())
        self._rest = samples[:, whole:].copy()
        self._phase = 0 if last else (self._phase + whole) % self._shape.rate


def _cuts(
    phase: int, samples: int, rate: int, per_second: int, *, last: bool
) -> tuple[NDArray[np.int64], int]:
    """Where each peak's samples start, and how many samples finished peaks cover.

    `phase`: samples since the last whole second, at which a peak starts.
    """
    first = -(-phase * per_second // rate)
    after = (phase + samples) * per_second // rate
    edges = -(-np.arange(first, after + 1, dtype=np.int64) * rate // per_second) - phase
    edges = edges[edges <= samples]
    whole = samples if last else int(edges[-1]) if edges.size else 0
    starts = edges[edges < whole]
    if whole and (not starts.size or starts[0]):  # the first peak began before these samples
        starts = np.concatenate((np.zeros(1, np.int64), starts))
    return starts, whole


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the bytes of a frame are to be read. `width`: bytes a sample in one plane."""

    rate: int = 0
    planes: int = 0
    channels: int = 0
    width: int = 0
    dtype: str = ""

    @classmethod
    def of(cls, frame: AudioFrame) -> _Shape:
        """The shape of one frame."""
        channels, planar = len(frame.layout.channels), frame.format.is_planar
        return cls(
            rate=frame.sample_rate,
            planes=len(frame.planes),
            channels=channels,
            width=frame.format.bytes * (1 if planar else channels),
            dtype=format_dtypes[frame.format.name],
        )

    def levels(self, planes: list[bytearray], channels: int) -> Samples:
        """Absolute samples (0 to 1), one row a channel, folded to `channels` rows."""
        data = np.stack([np.frombuffer(plane, self.dtype) for plane in planes])
        if self.planes != self.channels:
            data = data.reshape(-1, self.channels).T
        level: Samples = data.astype(np.float32, copy=False)
        if data.dtype == np.uint8:
            level -= 128
            level /= 128
        elif np.issubdtype(data.dtype, np.integer):
            level /= -np.iinfo(data.dtype).min
        np.abs(level, out=level)
        if len(level) == channels:
            return level
        return np.repeat(level.max(axis=0, keepdims=True), channels, axis=0)
