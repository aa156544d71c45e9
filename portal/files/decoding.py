"""Decode the packets of one recording in order, in one pass.

Decoding is three quarters of what a wave form costs. Two ways to spread an MP3 over two cores were
measured and left: pieces side by side, and a decoder ahead of who measures. Both took longer than
one pass, for their threads wait for the interpreter at each of seventy thousand packets.
"""

from __future__ import annotations

from collections.abc import Iterator

import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

Shape = tuple[str, int, int]
"""Sample format, channels, samples a second."""


def shape_of(frame: AudioFrame) -> Shape:
    """What frames must have in common to stand in one queue, which looks at rate and format only:
    a mono frame behind stereo ones would be read beyond its end."""
    return frame.format.name, frame.layout.nb_channels, frame.sample_rate


class Decoder:
    """The frames of one stream; counts packets, and those that cannot be decoded."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        self.packets = 0
        self.bad = 0

    def __iter__(self) -> Iterator[AudioFrame]:
        """Frames in order. A packet that fails is counted and left out."""
        context = self._stream.codec_context
        for packet in self._demuxed():
            frames = self._decoded(context, packet)
            if frames is None:
                return
            yield from frames

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
