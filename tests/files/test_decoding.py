"""What decoding makes of MP3 files that change midway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from portal.files import audio, sandbox


def uneven(seconds: float, rate: int, channels: int) -> NDArray[np.int16]:
    """Pauses, tones and noise by turns."""
    chance = np.random.default_rng(1)
    parts = []
    for _turn in range(int(seconds * 8)):
        at = np.arange(rate // 8) / rate
        tone = np.sin(2 * np.pi * chance.uniform(100, 3000) * at) * chance.choice([0, 300, 14_000])
        parts.append(tone + chance.normal(0, chance.choice([1, 40, 5_000]), len(at)))
    one = np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)
    return np.stack([one, np.roll(one, rate // 3)][:channels])


def mp3(path: Path, *, rate: int, channels: int, bits: int, seconds: float = 6) -> Path:
    """An MP3 of `bits` a second; of a changing number (VBR) where that is 0."""
    layout = "stereo" if channels == 2 else "mono"
    with av.open(str(path), "w", format="mp3") as file:
        track: Any = file.add_stream("libmp3lame", rate=rate)
        track.layout = layout
        if bits:
            track.bit_rate = bits
        else:
            track.codec_context.options = {"q": "4"}
            track.codec_context.qscale = True
            track.codec_context.global_quality = 4 * 118
        frame = av.AudioFrame.from_ndarray(uneven(seconds, rate, channels), "s16p", layout)
        frame.sample_rate = rate
        for packet in (*track.encode(frame), *track.encode(None)):
            file.mux(packet)
    return path


def test_a_recording_that_becomes_stereo_is_measured(tmp_path: Path) -> None:
    """A mono frame in a queue of stereo ones would be read beyond its end."""
    parts = [
        mp3(tmp_path / f"{n}.mp3", rate=44_100, channels=n, bits=64_000).read_bytes()
        for n in (1, 2)
    ]
    for name, both in (("up", parts), ("down", parts[::-1])):
        path = tmp_path / f"{name}.mp3"
        path.write_bytes(b"".join(both))
        outcome = sandbox.run(audio.examine, path, "mp3")
        assert outcome.value is not None, outcome
        assert outcome.value.duration == pytest.approx(12, abs=0.2)
