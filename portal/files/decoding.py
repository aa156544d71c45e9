"""Decode the packets of one recording in order; MP3 on every core.

An MP3 is decoded in pieces, side by side. What a frame sounds like depends on the frames before it
in two ways only: the *bit reservoir*, up to 511 bytes of the packets before, and the overlap of the
last frame. So each piece is given enough packets before its own (`_lead`), whose sound is thrown
away, and gives the samples that one pass gives, to the bit (in a file glued of mono and stereo, but
for the frame after a change). Other codecs go in one pass.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

PIECE = 512
"""Packets that are decoded at a stretch: half a minute at most, 5 MB of samples."""
MOST_CORES = 4
"""Pieces that are decoded at the same time: memory grows with them."""
_IN_PIECES = frozenset({"mp3", "mp3float"})
_RESERVOIR = 511  # bytes that a frame may take from those before it
_SETTLING = 8  # packets more, for the overlap
_LONGEST_LEAD = 256  # packets: of the smallest frames there are, three bytes each are sound

Shape = tuple[str, int, int]
"""Sample format, channels, samples a second."""


def shape_of(frame: AudioFrame) -> Shape:
    """What frames must have in common to stand in one queue, which looks at rate and format only:
    a mono frame behind stereo ones would be read beyond its end."""
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate


@dataclass(slots=True)
class _Piece:
    """What became of one stretch of packets: long frames, each of one shape."""

    frames: list[AudioFrame] = field(default_factory=list)
    bad: int = 0
    _queue: AudioFifo = field(default_factory=AudioFifo)
    _shape: Shape | None = None

    def add(self, frame: AudioFrame) -> None:
        """Put a frame at the end. It is copied while it is warm, and its memory used again."""
        shape = shape_of(frame)
        if shape != self._shape:
            self.close()
            self._queue, self._shape = AudioFifo(), shape
        frame.pts = None
        self._queue.write(frame)

    def close(self) -> None:
        """Make one frame of those that wait."""
        if (frame := self._queue.read()) is not None:
            self.frames.append(frame)


class Decoder:
    """The frames of one stream; counts packets, and those that cannot be decoded."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.packets = 0
        self.bad = 0

    def __iter__(self) -> Iterator[AudioFrame]:
        """Frames in order. A packet that fails is counted and left out."""
        for frames in self.batches():
            yield from frames

    def batches(self, cores: int | None = None) -> Iterator[list[AudioFrame]]:
        """The same frames, as many at a time as come. `cores`: those that this process may use."""
        cores = cores or min(MOST_CORES, len(os.sched_getaffinity(0)))
        if cores > 1 and self._stream.codec_context.name in _IN_PIECES:
            yield from self._side_by_side(cores)
            return
        context = self._stream.codec_context
        for packet in self._demuxed():
            frames = self._decoded(context, packet)
            if frames is None:
                return
            yield frames

    def _decoded(
        self, context: AudioCodecContext, packet: Packet[AudioStream]
    ) -> list[AudioFrame] | None:
        """A packet's frames; None after the last."""
        try:
            return context.decode(packet)
        except av.error.EOFError:
            return None
        except av.error.FFmpegError:
            self.bad += 1
            return []

    def _demuxed(self) -> Iterator[Packet[AudioStream]]:
        """Packets in order; the last is empty and asks the decoder for what it still holds."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # the demuxer itself gave up: nothing follows
                self.bad += 1
                return
            if packet.size:
                self.packets += 1
            yield packet

    def _side_by_side(self, cores: int) -> Iterator[list[AudioFrame]]:
        name, packets = self._stream.codec_context.name, self._demuxed()
        before: list[Packet[AudioStream]] = []
        waiting: deque[Future[_Piece]] = deque()
        with ThreadPoolExecutor(cores, "decode") as pool:
            while own := list(islice(packets, PIECE)):
                lead = _lead(before)
                waiting.append(pool.submit(_decode_piece, name, lead, own))
                before = lead + own
                if len(waiting) > cores:
                    yield self._counted(waiting.popleft())
            while waiting:
                yield self._counted(waiting.popleft())

    def _counted(self, piece: Future[_Piece]) -> list[AudioFrame]:
        done = piece.result()
        self.bad += done.bad
        return done.frames


def _lead(before: Sequence[Packet[AudioStream]]) -> list[Packet[AudioStream]]:
    """The last of the packets `before` a piece that its first frames are made of."""
    start, sound = len(before), 0
    least = max(0, start - _LONGEST_LEAD)
    while start > least and sound < _RESERVOIR:
        start -= 1
        sound += _sound_bytes(before[start])
    return list(before[max(least, start - _SETTLING) :])


def _sound_bytes(packet: Packet[AudioStream]) -> int:
    """How much of an MPEG frame is neither header, check sum nor side information."""
    head = bytes(memoryview(packet)[:4])
    if len(head) < 4:
        return 0
    mpeg_1, mono = head[1] & 0x18 == 0x18, head[3] >> 6 == 3
    side = (17 if mono else 32) if mpeg_1 else (9 if mono else 17)
    return max(0, packet.size - 4 - (0 if head[1] & 1 else 2) - side)


def _decode_piece(
    name: str, lead: Sequence[Packet[AudioStream]], own: Sequence[Packet[AudioStream]]
) -> _Piece:
    """Decode packets that follow `lead`, by a decoder of their own."""
    context = AudioCodecContext.create(name, "r")
    if not isinstance(context, AudioCodecContext):
        raise TypeError(f"{name} is no audio codec")
    for packet in lead:
        with suppress(av.error.FFmpegError):  # it was counted in its own piece
            context.decode(packet)
    piece = _Piece()
    for packet in own:
        if not packet.size:
            continue  # an MP3 decoder holds nothing back
        try:
            frames = context.decode(packet)
        except av.error.FFmpegError:
            piece.bad += 1
        else:
            for frame in frames:
                piece.add(frame)
    piece.close()
    return piece
