"""Recordings: really decode them, measure them, draw their peaks, make them playable.

Everything streams, so memory does not grow with the length of a recording. The demuxer is always
named by the caller (never guessed by FFmpeg, whose guess may be a play list that opens other
files) and reads from an open file, so no protocol is reachable. Call these through the sandbox:
`inspect.inspect`, or `audio.peaks` and `audio.transcode` below, which do it themselves.
"""

from __future__ import annotations

import json
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

from portal.files import fingerprint, sandbox
from portal.files.decoding import Decoder, Shape, shape_of

PER_SECOND = 10
MAX_SECONDS = 12 * 3600
_BLOCK_SECONDS = 4
_SILENT = 2  # per cent of full scale
_FULL = 0.999
_DEMUXERS = {"wav": "wav", "mp3": "mp3", "m4a": "mp4", "amr": "amr"}
_PLAYABLE = frozenset({"mp3", "mp3float", "aac", "pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"})
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LIMITS = sandbox.Limits(memory=512 << 20, cpu=120, wall=180.0)
_COPY_LIMITS = sandbox.Limits(memory=512 << 20, cpu=900, wall=1800.0)
_QUICK = {"compression_level": "7"}  # of LAME: by a third quicker, and speech sounds as well

Values = NDArray[Any]


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
    `bad_packets` of `packets` could not be decoded. `clipping`: the share of tenths of a second
    that touch full scale. `sound`: the fingerprint, where the library for it is installed.
    """

    codec: str
    channels: int
    sample_rate: int
    duration: float
    declared: float | None
    packets: int
    bad_packets: int
    peaks: Peaks
    clipping: float = 0.0
    sound: bytes | None = None

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
        channels, rate = context.channels, context.sample_rate
        decoder = Decoder(container, stream)
        meter = _Meter(per_second, 2 if channels == 2 else 1)
        for frame in decoder:
            meter.feed(frame)
        found = meter.finish()
        return Recording(
            codec=context.name,
            channels=channels,
            sample_rate=rate,
            duration=round(meter.seconds, 3),
            declared=_declared(container, stream),
            packets=decoder.packets,
            bad_packets=decoder.bad,
            peaks=found,
            clipping=round(meter.clipping, 3),
            sound=meter.sound(),
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
    outcome = sandbox.run(_transcode_here, path, kind, target, limits=_COPY_LIMITS)
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
        track.codec_context.options = _QUICK
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=rate)
        written = 0
        for frame in Decoder(container, stream):
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


class _Meter:
    """Folds frames into peaks, a few seconds at a time.

    Frames wait in FFmpeg's own queue for a block of whole seconds, whose samples are then looked at
    where they lie, without a copy: half an hour of stereo MP3 is 70,000 frames, and a few
    microseconds of Python for each would double the time.
    """

    def __init__(self, per_second: int, channels: int) -> None:
        self._per_second = per_second
        self._parts: list[list[bytes]] = [[] for _ in range(channels)]
        self._queue = av.AudioFifo()
        self._shape: Shape | None = None
        self._rate = 0  # samples a second; 0 before the first frame
        self._block = 0  # samples that are folded at once, a channel
        self._held = 0  # samples waiting in the queue, a channel
        self._starts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._loud = 0  # peaks at full scale
        self._print = fingerprint.Printer()
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
            self._rate = frame.sample_rate
            self._block = self._rate * _BLOCK_SECONDS
            self._starts = _starts(self._rate, self._per_second)
        frame.pts = None
        self._queue.write(frame)
        self._held += frame.samples
        if self._held >= self._block:
            self._fold(last=False)

    def finish(self) -> Peaks:
        """The peaks of all that was fed."""
        self._fold(last=True)
        return Peaks(self._per_second, tuple(b"".join(parts) for parts in self._parts))

    def sound(self) -> bytes | None:
        """The fingerprint of what was fed."""
        return self._print.finish()

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
            self._counted += count / self._rate
            if self._counted > MAX_SECONDS:
                raise TooLong(f"over {MAX_SECONDS} s")
            self._take(_channels(frame), _scale(frame), count)
            if self._print.wants:
                frame.pts = None
                self._print.feed(frame)

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
