"""Recordings that can be played and looked at: two voices on a telephone, made of numbers.

No words can be made out. Agent and customer speak in turns, on a channel each, in syllables of a
buzzing source shaped by two resonances, over a hum; the wave form looks like a call.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

RATE = 8_000
KINDS = 8
_BIT_RATE = 24_000
_VOWELS = ((700, 1200), (400, 2000), (500, 900), (300, 2300), (350, 800), (550, 1700))
Samples = NDArray[np.float64]


def _syllable(dice: np.random.Generator, pitch: float) -> Samples:
    length = int(RATE * dice.uniform(0.12, 0.26))
    time = np.arange(length) / RATE
    glide = pitch * (1 + dice.uniform(-0.12, 0.12) * time / time[-1])
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    first, second = _VOWELS[dice.integers(len(_VOWELS))]
    sound = np.zeros(length)
    for harmonic in range(1, int(3_400 / pitch)):
        place = harmonic * pitch
        weight = 1 / (1 + ((place - first) / 110) ** 2) + 0.5 / (1 + ((place - second) / 160) ** 2)
        sound += (weight + 0.02 / harmonic) * np.sin(harmonic * phase)
    sound += dice.normal(0, 0.05, length)
    envelope = np.minimum(1, time / 0.03) * np.minimum(1, (time[-1] - time) / 0.05)
    shaped: Samples = sound * envelope / (np.abs(sound).max() + 1e-9)
    return shaped


def conversation(seed: int, seconds: float) -> Samples:
    """Two channels (agent, customer) of so many seconds, in turns."""
    dice = np.random.default_rng(seed)
    total = int(RATE * seconds)
    sound = dice.normal(0, 0.004, (2, total))
    pitches = (dice.uniform(180, 240), dice.uniform(95, 150))
    place, speaker = int(RATE * 0.4), 0
    while place < total - RATE // 2:
        for _word in range(int(dice.integers(6, 18))):
            syllable = _syllable(dice, pitches[speaker]) * dice.uniform(0.35, 0.75)
            stop = min(total, place + len(syllable))
            sound[speaker, place:stop] += syllable[: stop - place]
            place += int(len(syllable) * dice.uniform(0.95, 1.25))
            if place >= total - RATE // 4:
                break
        place += int(RATE * dice.uniform(0.25, 0.9))
        speaker = 1 - speaker
    return np.clip(sound, -1, 1)


def encoded(samples: Samples, codec: str, container: str) -> bytes:
    """Samples as a file: libmp3lame in mp3, pcm_s16le in wav, aac in ipod (M4A)."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as out:
        stream = cast("AudioStream", out.add_stream(codec, rate=RATE, layout="stereo"))
        if codec != "pcm_s16le":
            stream.bit_rate = _BIT_RATE
        body = np.ascontiguousarray((samples * 30_000).astype(np.int16).T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(body, format="s16", layout="stereo")
        frame.rate = RATE
        resampler = av.AudioResampler(format=stream.format.name, layout="stereo", rate=RATE)
        for part in resampler.resample(frame):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    return sink.getvalue()


@lru_cache(maxsize=KINDS)
def recording(kind: int) -> tuple[str, bytes]:
    """One of the demo's recordings: its ending, and the file. One in eight is a short WAV."""
    if kind % KINDS == KINDS - 1:
        return "wav", encoded(conversation(kind, 8), "pcm_s16le", "wav")
    return "mp3", encoded(conversation(kind, 9 + kind * 2.1), "libmp3lame", "mp3")


def tagged(ending: str, body: bytes, text: str) -> bytes:
    """The same recording as the file of one call: a tag of its own, so that no two are alike."""
    mark = text.encode("ascii", "replace")[:30]
    if ending == "mp3":
        return body + b"TAG" + mark.ljust(125, b"\0")
    # A chunk that players skip, after the samples; the size in the header grows with it.
    chunk = b"note" + (32).to_bytes(4, "little") + mark.ljust(32, b"\0")
    size = int.from_bytes(body[4:8], "little") + len(chunk)
    return body[:4] + size.to_bytes(4, "little") + body[8:] + chunk
