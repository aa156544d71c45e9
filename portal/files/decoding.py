"""Open a recording and decode its packets in order.

Decoding is three quarters of what a wave form costs. Two ways to spread it over threads were
measured and left: pieces side by side, and a decoder ahead of who measures. Both took longer than
one pass, for threads wait for the interpreter at each of seventy thousand packets; `halves` takes a
process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

_DEMUXERS = {"wav": "wav", "mp3": "mp3", "m4a": "mp4", "amr": "amr"}

Shape = tuple[str, int, int]
"""Sample format, channels, samples a second."""


class NoAudio(ValueError):
    """The container holds no audio stream."""


def opened(file: Any, kind: str) -> InputContainer:
    """The container in an open file; `kind` names the demuxer."""
    container: InputContainer = av.open(file, "r", _DEMUXERS[kind], metadata_errors="replace")
    return container


def audio_stream(container: InputContainer) -> AudioStream:
    """The first audio stream. Raises `NoAudio`."""
    if not container.streams.audio:  # indexing would raise IndexError
        raise NoAudio("no audio stream")
    stream = container.streams.audio[0]
    if not stream.codec_context.channels or not stream.codec_context.sample_rate:
        raise NoAudio("an audio stream without channels")
    return stream


def shape_of(frame: AudioFrame) -> Shape:
    """What frames must have in common to stand in one queue, which looks at rate and format only:
    a mono frame behind stereo ones would be read beyond its end."""
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate


class Decoder:
    """The frames of packets; counts the packets, and those that cannot be decoded."""

    def __init__(
        self,
        context: AudioCodecContext,
        packets: Iterator[Packet[AudioStream]],
        middle: int | None = None,
    ) -> None:
        """`packets` come from a demuxer, in order. `middle`: a place in the file, in bytes. When
        the first packet comes that begins there or behind it, `before` says how many packets came
        before it, and how many of them were bad."""
        self._context = context
        self._packets = packets
        self._middle = middle
        self.before: tuple[int, int] | None = None
        self.packets = 0
        self.bad = 0

    def __iter__(self) -> Iterator[AudioFrame]:
        """Frames in order. A packet that fails is counted and left out; the last packet is empty
        and asks the decoder for what it still holds."""
        decode = self._context.decode
        while (packet := self._next()) is not None:
            try:
                frames = decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.bad += 1
                continue
            yield from frames

    def _next(self) -> Packet[AudioStream] | None:
        """The next packet, counted; None after the last."""
        try:
            packet = next(self._packets)
        except StopIteration:
            return None
        except av.error.FFmpegError:  # the demuxer itself gave up: nothing follows
            self.bad += 1
            return None
        if self._middle is not None and is_behind(packet, self._middle):
            self.before, self._middle = (self.packets, self.bad), None
        if packet.size:
            self.packets += 1
        return packet


def is_behind(packet: Packet[AudioStream], place: int) -> bool:
    """Whether a packet begins at a place in the file, in bytes, or behind it."""
    return packet.pos is not None and packet.pos >= place
