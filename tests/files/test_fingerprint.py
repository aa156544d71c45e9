"""The same sound is known again in another codec, cut, or after a silence; another is not."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from portal.files import audio, fingerprint

pytestmark = pytest.mark.skipif(
    fingerprint.library() is None, reason="libchromaprint1 is not installed"
)


def voice(seed: int, seconds: int = 40, rate: int = 8000) -> np.ndarray:
    """Something like speech: short voiced sounds of changing pitch and loudness, with pauses."""
    chance = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < seconds * rate:
        length = int(rate * chance.uniform(0.08, 0.3))
        at = np.arange(length) / rate
        pitch = chance.uniform(90, 250)
        tones = [
            np.sin(2 * np.pi * pitch * n * at + chance.uniform(0, 6)) * chance.uniform(0.2, 1)
            for n in range(1, 14)
        ]
        parts += [np.sum(tones, axis=0) * np.hanning(length) * chance.uniform(750, 2500)]
        parts += [np.zeros(int(rate * chance.uniform(0, 0.15)))]
    return np.concatenate(parts)[: seconds * rate].astype(np.int16)


def written(path: Path, samples: np.ndarray, codec: str, container: str) -> Path:
    with av.open(str(path), "w", format=container) as file:
        track = file.add_stream(codec, rate=8000)
        assert isinstance(track, av.AudioStream)
        track.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.rate = 8000
        for packet in (*track.encode(frame), *track.encode(None)):
            file.mux(packet)
    return path


def sound(path: Path, kind: str) -> bytes:
    found = audio.examine(path, kind).sound
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("codec", "container", "kind", "cut"),
    [
        ("pcm_alaw", "wav", "wav", 0),
        ("adpcm_ima_wav", "wav", "wav", 0),
        ("libmp3lame", "mp3", "mp3", 0),
        ("libopencore_amrnb", "amr", "amr", 0),
        ("libmp3lame", "mp3", "mp3", 5 * 8000),
    ],
)
def test_the_same_sound_otherwise_written(
    tmp_path: Path, codec: str, container: str, kind: str, cut: int
) -> None:
    one = sound(written(tmp_path / "a.wav", voice(1), "pcm_s16le", "wav"), "wav")
    other = sound(written(tmp_path / "b", voice(1)[cut:], codec, container), kind)
    shared = set(fingerprint.keys(one)) & set(fingerprint.keys(other))
    assert len(shared) >= fingerprint.FEWEST_KEYS
    assert fingerprint.same_sound(one, other) and fingerprint.same_sound(other, one)


def test_other_sounds_are_other_sounds(tmp_path: Path) -> None:
    prints = [
        sound(written(tmp_path / f"{seed}.wav", voice(seed), "pcm_s16le", "wav"), "wav")
        for seed in range(1, 7)
    ]
    for one in prints:
        assert [fingerprint.same_sound(one, other) for other in prints].count(True) == 1


def test_silence_is_like_no_other_silence(tmp_path: Path) -> None:
    quiet = np.zeros(40 * 8000, np.int16)
    assert fingerprint.keys(sound(written(tmp_path / "q", quiet, "pcm_s16le", "wav"), "wav")) == []
    assert not fingerprint.same_sound(b"", b"")
