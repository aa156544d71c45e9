"""An MP3 that is decoded in pieces side by side is the MP3 that is decoded in one pass."""

from __future__ import annotations

from functools import partialmethod
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from portal.files import audio, decoding, sandbox
from portal.files.decoding import Decoder

Bytes = NDArray[np.uint8]


def uneven(seconds: float, rate: int, channels: int, seed: int) -> NDArray[np.int16]:
    """Pauses, tones and noise by turns: an encoder saves in the quiet what it spends in the loud,
    so frames reach far back into those before them."""
    chance = np.random.default_rng(seed)
    parts = []
    for _turn in range(int(seconds * 8)):
        at = np.arange(rate // 8) / rate
        tone = np.sin(2 * np.pi * chance.uniform(100, 3000) * at) * chance.choice([0, 300, 14_000])
        parts.append(tone + chance.normal(0, chance.choice([1, 40, 5_000]), len(at)))
    one = np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)
    return np.stack([one, np.roll(one, rate // 3)][:channels])


def mp3(
    path: Path, *, rate: int, channels: int, bits: int = 0, seconds: float = 6, seed: int = 1
) -> Path:
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
        frame = av.AudioFrame.from_ndarray(uneven(seconds, rate, channels, seed), "s16p", layout)
        frame.sample_rate = rate
        for packet in (*track.encode(frame), *track.encode(None)):
            file.mux(packet)
    return path


KINDS: dict[str, dict[str, int]] = {
    "44k stereo": {"rate": 44_100, "channels": 2, "bits": 128_000},
    "44k changing": {"rate": 44_100, "channels": 2},
    "8k of a dialler": {"rate": 8_000, "channels": 1, "bits": 8_000},
    "8k changing": {"rate": 8_000, "channels": 2},
    "24k, the smallest frames": {"rate": 24_000, "channels": 1, "bits": 8_000},
    "48k, the largest": {"rate": 48_000, "channels": 2, "bits": 320_000},
}


Decoded = tuple[list[tuple[decoding.Shape, int, str]], int, int]


def decoded(path: Path, cores: int) -> Decoded:
    """The number and the hash of all samples, joined by shape; packets, bad packets."""
    parts: list[tuple[decoding.Shape, list[bytes]]] = []
    with path.open("rb") as file, audio._opened(file, "mp3") as container:
        decoder = Decoder(container, audio._audio_stream(container))
        for frames in decoder.batches(cores):
            for frame in frames:
                shape = decoding.shape_of(frame)
                if not parts or parts[-1][0] != shape:
                    parts.append((shape, []))
                parts[-1][1].append(frame.to_ndarray().T.tobytes())
    sums = [
        (shape, len(b"".join(all_)), sha256(b"".join(all_)).hexdigest()) for shape, all_ in parts
    ]
    return sums, decoder.packets, decoder.bad


def without_hashes(found: Decoded) -> object:
    """What is left to compare where the number of channels changes midway: the first frame after
    the change is another."""
    return [part[:2] for part in found[0]], found[1:]


@pytest.mark.parametrize("piece", [9, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_pieces_give_the_samples_of_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, piece: int
) -> None:
    path = mp3(tmp_path / "a.mp3", **KINDS[kind])
    monkeypatch.setattr(decoding, "PIECE", piece)
    assert decoded(path, 3) == decoded(path, 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("mp3")
    return [mp3(folder / f"{n}.mp3", **kind) for n, kind in enumerate(KINDS.values())]


SHARE = st.floats(0, 1)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    glued=st.lists(st.integers(0, len(KINDS) - 1), min_size=1, max_size=3),
    hits=st.lists(st.tuples(SHARE, st.sampled_from([1, 4, 90])), max_size=6),
    kept=st.floats(0.5, 1),
)
def test_a_damaged_file_is_as_damaged(
    whole: list[Path],
    tmp_path: Path,
    glued: list[int],
    hits: list[tuple[float, int]],
    kept: float,
) -> None:
    """Glued, overwritten, cut: what is found is what one pass finds."""
    body = bytearray(b"".join(whole[number].read_bytes() for number in glued))
    for share, size in hits:
        at = 2000 + int(share * (len(body) - 2100))
        body[at : at + size] = np.random.default_rng(at).bytes(size)
    path = tmp_path / "a.mp3"
    path.write_bytes(body[: int(kept * len(body))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "PIECE", 64)
        one, several = decoded(path, 1), decoded(path, 2)
    assert without_hashes(several) == without_hashes(one)
    if len({shape[1] for shape, _samples, _hash in one[0]}) == 1:
        assert several == one


def test_everything_that_is_measured_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peaks, silence, clipping, length, fingerprint."""
    path = mp3(tmp_path / "a.mp3", rate=22_050, channels=2, bits=48_000, seconds=60)
    batches, found = Decoder.batches, []
    for cores in (1, 2):
        monkeypatch.setattr(Decoder, "batches", partialmethod(batches, cores=cores))
        found.append(audio.examine(path, "mp3"))
    assert found[0] == found[1]
    assert found[0].duration == pytest.approx(60, abs=0.1)
    assert 0 < found[0].peaks.silence < 0.9


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
