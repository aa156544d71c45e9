"""Recordings: really decode them, measure them, draw their peaks, make them playable.

Everything streams, so memory does not grow with the length of a recording. The demuxer is always
named by the caller (never guessed by FFmpeg, whose guess may be a play list that opens other
files) and reads from an open file, so no protocol is reachable. Call these through the sandbox:
`inspect.inspect`, or `audio.peaks` and `audio.transcode` below, which do it themselves.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from portal.files import halves, sandbox
from portal.files.decoding import Decoder, audio_stream, opened
from portal.files.meter import Meter, Peaks

PER_SECOND = 10
_PLAYABLE = frozenset({"mp3", "mp3float", "aac", "pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"})
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_LIMITS = sandbox.Limits(memory=512 << 20, cpu=120, wall=180.0)
_COPY_LIMITS = sandbox.Limits(memory=512 << 20, cpu=900, wall=1800.0)
_QUICK = {"compression_level": "7"}  # of LAME: by a third quicker, and speech sounds as well


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


def examine(path: Path, kind: str, per_second: int = PER_SECOND, *, cores: int = 1) -> Recording:
    """Decode the recording at `path` (`kind`: wav, mp3, m4a) completely, in this process.

    With two `cores` a long MP3 is decoded from its middle on by a second process at the same time;
    what is found is the same. Only for processes of one thread, such as the sandbox's. Raises
    `NoAudio`, `TooLong`, or FFmpeg's own error when nothing can be read at all.
    """
    with ExitStack() as held:
        file = held.enter_context(path.open("rb"))
        container = held.enter_context(opened(file, kind))
        stream = audio_stream(container)
        context = stream.codec_context
        channels, rate = context.channels, context.sample_rate
        helper = None
        if cores > 1 and halves.worth(path, kind):
            helper = held.enter_context(halves.Helper(path, kind, per_second))
        decoder = Decoder(context, container.demux(stream), helper.middle if helper else None)
        meter = Meter(per_second, 2 if channels == 2 else 1)
        for frame in decoder:
            if helper and decoder.before and helper.takes_over(decoder, meter):
                break
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
    return examine(path, kind, per_second, cores=halves.cores()).peaks.to_json()


def _transcode_here(path: Path, kind: str, target: Path) -> float:
    with (
        path.open("rb") as source,
        target.open("wb") as sink,
        opened(source, kind) as container,
        av.open(sink, "w", format="mp3") as copy,
    ):
        stream = audio_stream(container)
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
        for frame in Decoder(context, container.demux(stream)):
            frame.pts = None
            for part in resampler.resample(frame):
                written += part.samples
                copy.mux(track.encode(part))
        for part in resampler.resample(None):
            written += part.samples
            copy.mux(track.encode(part))
        copy.mux(track.encode(None))
    return round(written / rate, 3)


def _declared(container: InputContainer, stream: AudioStream) -> float | None:
    """The promised length in seconds."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / 1_000_000
    return None
