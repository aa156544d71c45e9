"""A long MP3 from its middle on, decoded by a second process while the first half is.

What a frame of an MP3 sounds like depends on the frames before it in two ways only: the *bit
reservoir*, up to 511 bytes of the packets before, and the overlap of the last frame. So the second
process gives its decoder enough packets before its own (`lead_of`), whose sound is thrown away, and
has the samples of one pass, to the bit.

Its blocks must begin where those of one pass do. How many samples stand before its first packet it
reckons from the packets' own lengths; the first process counts them. Where the two differ (packets
that cannot be decoded), where a file is glued of different parts, or where the second process ends
in any other way than well, the first goes on to the end by itself, as without it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from types import TracebackType

import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.packet import Packet

from portal.files.decoding import Decoder, audio_stream, is_behind, opened
from portal.files.meter import Measured, Meter, block_of

WORTH = 3 << 20
"""Bytes from which on a second process is worth its start: three minutes of good sound, half an
hour of a dialler's."""
_RESERVOIR = 511  # bytes that a frame may take from those before it
_SETTLING = 8  # packets more, for the overlap
_LONGEST_LEAD = 256  # packets: of the smallest frames there are, three bytes each are sound
_FIRST = 4  # packets, of whose sound the decoder leaves out the encoder's delay
_PR_SET_PDEATHSIG = 1


def cores() -> int:
    """How many cores this process may use; one where it has threads, which no fork would have."""
    return 1 if threading.active_count() > 1 else len(os.sched_getaffinity(0))


def worth(path: Path, kind: str) -> bool:
    """Whether a recording is of the kind and of the size for two processes."""
    return kind == "mp3" and path.stat().st_size >= WORTH


@dataclass(frozen=True, slots=True)
class Half:
    """The second half. `start`: samples before its first packet; `boundary`: where the first block
    begins that was measured; `samples`, `loud`, `parts` as in `Measured`."""

    start: int
    boundary: int
    packets: int
    bad: int
    samples: int
    loud: int
    parts: tuple[str, ...]


class Helper:
    """The second process. Leaving the block ends it."""

    def __init__(self, path: Path, kind: str, per_second: int) -> None:
        """Start it. Only in a process of one thread."""
        self.middle = path.stat().st_size // 2
        self._start, self._boundary = -1, 0
        parent = os.getpid()
        self._answer, answer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _work(path, kind, per_second, self.middle, answer, parent)
        os.close(answer)

    def __enter__(self) -> Helper:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._end()

    def takes_over(self, decoder: Decoder, meter: Meter) -> bool:
        """Before each frame behind the middle: whether the rest was measured by the second process.
        Its findings are then in `decoder` and `meter`, and nothing more is to be decoded."""
        if self._start < 0:
            self._start, self._boundary = meter.samples, meter.boundary
        if self._pid == 0 or meter.folded < self._boundary or decoder.before is None:
            return False
        half = self._half() if meter.complete else None
        if half is None or (half.start, half.boundary) != (self._start, meter.folded):
            return False
        decoder.packets = decoder.before[0] + half.packets
        decoder.bad = decoder.before[1] + half.bad
        parts = tuple(bytes.fromhex(one) for one in half.parts)
        meter.append(Measured(half.samples, half.loud, parts))
        return True

    def _half(self) -> Half | None:
        """What the second process found; None where it found nothing that can be used."""
        with os.fdopen(self._answer, "rb", closefd=False) as answer:
            text = answer.read()
        self._end()
        return Half(**json.loads(text)) if text else None

    def _end(self) -> None:
        if self._pid:
            os.close(self._answer)
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0


def _work(path: Path, kind: str, per_second: int, middle: int, answer: int, parent: int) -> None:
    """The second process: measure, answer, leave. An error is no answer."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() == parent:
            half = second_half(path, kind, per_second, middle)
            if half is not None:
                with os.fdopen(answer, "wb") as sink:
                    sink.write(json.dumps(asdict(half)).encode())
    finally:
        os._exit(0)


def second_half(path: Path, kind: str, per_second: int, middle: int) -> Half | None:
    """Decode and measure the packets that begin at the byte `middle` or behind it. None where that
    cannot be done apart from the first half. Raises FFmpeg's errors."""
    with path.open("rb") as file, opened(file, kind) as container:
        stream = audio_stream(container)
        channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate
        packets = container.demux(stream)
        first = list(islice(packets, _FIRST))
        if any(is_behind(packet, middle) for packet in first):
            return None
        start = sum(
            frame.samples for packet in first for frame in stream.codec_context.decode(packet)
        )
        lengths: dict[int, int] = {}
        lead = deque(first, _LONGEST_LEAD)
        for packet in packets:
            if is_behind(packet, middle):
                break
            start += _samples(packet, rate, lengths)
            lead.append(packet)
        else:
            return None
        block = block_of(rate)
        boundary = -(-start // block) * block
        meter = Meter(
            per_second, 2 if channels == 2 else 1, leave_out=boundary - start, prints=False
        )
        context = _after(stream.codec_context.name, lead_of(list(lead)))
        decoder = Decoder(context, chain((packet,), packets))
        for frame in decoder:
            meter.feed(frame)
        found = meter.measured()
    if meter.shapes != 1:
        return None
    parts = tuple(one.hex() for one in found.parts)
    return Half(start, boundary, decoder.packets, decoder.bad, found.samples, found.loud, parts)


def lead_of(before: Sequence[Packet[AudioStream]]) -> Sequence[Packet[AudioStream]]:
    """The last of the packets `before` others that the first of those is made of."""
    start, sound = len(before), 0
    while start > 0 and sound < _RESERVOIR:
        start -= 1
        sound += _sound_bytes(before[start])
    return before[max(0, start - _SETTLING) :]


def _sound_bytes(packet: Packet[AudioStream]) -> int:
    """How much of an MPEG frame is neither header, check sum nor side information."""
    head = bytes(memoryview(packet)[:4])
    if len(head) < 4:
        return 0
    mpeg_1, mono = head[1] & 0x18 == 0x18, head[3] >> 6 == 3
    side = (17 if mono else 32) if mpeg_1 else (9 if mono else 17)
    return max(0, packet.size - 4 - (0 if head[1] & 1 else 2) - side)


def _samples(packet: Packet[AudioStream], rate: int, known: dict[int, int]) -> int:
    """How many samples a packet promises; `known` by its duration, of which there are few."""
    duration = packet.duration
    if duration is None or packet.time_base is None:
        raise ValueError("a packet without a length")
    samples = known.get(duration)
    if samples is None:
        exact = duration * packet.time_base * rate
        if exact.denominator != 1:
            raise ValueError("a packet of broken samples")
        samples = known[duration] = exact.numerator
    return samples


def _after(codec: str, lead: Iterable[Packet[AudioStream]]) -> AudioCodecContext:
    """A decoder that has decoded the packets `lead`."""
    context = AudioCodecContext.create(codec, "r")
    if not isinstance(context, AudioCodecContext):
        raise TypeError(f"{codec} is no audio codec")
    for packet in lead:
        with suppress(av.error.FFmpegError):  # it counts in the first half
            context.decode(packet)
    return context
