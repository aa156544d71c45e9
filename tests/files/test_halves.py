"""An MP3 whose second half another process decodes is the MP3 that is decoded in one pass."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.files import audio, fingerprint, halves
from portal.files.audio import Recording
from portal.files.decoding import audio_stream, opened
from portal.files.halves import Helper
from portal.files.meter import Measured, Meter, block_of
from tests.files.test_decoding import mp3

KINDS: dict[str, dict[str, int]] = {
    "44k stereo": {"rate": 44_100, "channels": 2, "bits": 128_000},
    "44k changing": {"rate": 44_100, "channels": 2, "bits": 0},
    "8k of a dialler": {"rate": 8_000, "channels": 1, "bits": 8_000},
    "24k, the smallest frames": {"rate": 24_000, "channels": 1, "bits": 8_000},
    "48k, the largest": {"rate": 48_000, "channels": 2, "bits": 320_000},
}
SHARE = st.floats(0, 1)


@pytest.fixture(autouse=True)
def taken_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every MP3 is worth it, a fingerprint needs a second; the samples that were taken over."""
    monkeypatch.setattr(halves, "WORTH", 0)
    monkeypatch.setattr(fingerprint, "SECONDS", 1)
    found: list[int] = []
    append = Meter.append

    def noted(self: Meter, more: Measured) -> None:
        found.append(more.samples)
        append(self, more)

    monkeypatch.setattr(Meter, "append", noted)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A recording of twenty seconds of each kind."""
    folder = tmp_path_factory.mktemp("mp3")
    return {
        name: mp3(folder / f"{number}.mp3", **kind, seconds=20)
        for number, (name, kind) in enumerate(KINDS.items())
    }


def both(path: Path) -> tuple[Recording, Recording]:
    """What one process finds, and what two find."""
    return audio.examine(path, "mp3"), audio.examine(path, "mp3", cores=2)


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_find_what_one_finds(
    whole: dict[str, Path], taken_over: list[int], kind: str
) -> None:
    """Peaks, silence, clipping, length, packets, fingerprint; and half of it was the other's."""
    one, two = both(whole[kind])
    assert two == one and 0 < one.peaks.silence < 0.9
    assert len(taken_over) == 1
    assert 0.2 < taken_over[0] / (one.duration * one.sample_rate) < 0.6


def middles(path: Path) -> list[int]:
    """Places in the file from which a block of four seconds begins within the next packet."""
    found, samples = [], 0
    with path.open("rb") as file, opened(file, "mp3") as container:
        stream = audio_stream(container)
        rate = stream.codec_context.sample_rate
        for packet in container.demux(stream):
            frames = sum(frame.samples for frame in stream.codec_context.decode(packet))
            if -samples % block_of(rate) < frames and packet.pos and samples:
                found.append(packet.pos)
            samples += frames
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_frame_sounds_as_in_one_pass(whole: dict[str, Path], kind: str) -> None:
    """Also where none of it is left out: by hundredths of a second, from the first on."""
    path = whole[kind]
    one = audio.examine(path, "mp3", per_second=100)
    places = middles(path)
    assert len(places) >= 3
    for middle in places:
        half = halves.second_half(path, "mp3", 100, middle)
        assert half is not None
        first = half.boundary * 100 // one.sample_rate
        assert [bytes.fromhex(part) for part in half.parts] == [
            part[first:] for part in one.peaks.channels
        ]


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    glued=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3),
    hits=st.lists(st.tuples(SHARE, st.sampled_from([1, 4, 90])), max_size=6),
    kept=st.floats(0.5, 1),
)
def test_a_damaged_file_is_as_damaged(
    whole: dict[str, Path],
    tmp_path: Path,
    glued: list[str],
    hits: list[tuple[float, int]],
    kept: float,
) -> None:
    """Glued, overwritten, cut: what is found is what one pass finds."""
    body = bytearray(b"".join(whole[name].read_bytes() for name in glued))
    for share, size in hits:
        at = 2000 + int(share * (len(body) - 2100))
        body[at : at + size] = np.random.default_rng(at).bytes(size)
    path = tmp_path / "a.mp3"
    path.write_bytes(body[: int(kept * len(body))])
    one, two = both(path)
    assert two == one


def test_a_lost_packet_in_the_first_half_is_one_pass(
    whole: dict[str, Path], tmp_path: Path, taken_over: list[int]
) -> None:
    """Where samples are missing, the second half cannot know where its blocks begin."""
    body = bytearray(whole["44k stereo"].read_bytes())
    body[60_000:60_500] = bytes(500)
    path = tmp_path / "a.mp3"
    path.write_bytes(body)
    one, two = both(path)
    assert two == one and not taken_over


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were started."""
    found: list[int] = []
    enter = Helper.__enter__

    def noted(self: Helper) -> Helper:
        found.append(self._pid)
        return enter(self)

    monkeypatch.setattr(Helper, "__enter__", noted)
    return found


def is_gone(pid: int) -> bool:
    """Whether a process ended and was waited for."""
    return not Path(f"/proc/{pid}").exists()


def test_the_other_process_may_die(
    whole: dict[str, Path],
    taken_over: list[int],
    started: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed at its work, it is not missed."""
    monkeypatch.setattr(halves, "second_half", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    one, two = both(whole["44k stereo"])
    assert two == one and not taken_over
    assert len(started) == 1 and is_gone(started[0])


def test_who_leaves_early_leaves_nobody(
    whole: dict[str, Path], started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that fails midway ends the other process, whatever that is at."""
    monkeypatch.setattr(halves, "second_half", lambda *_: signal.pause())

    def fails(_self: Meter, _frame: object) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(Meter, "feed", fails)
    with pytest.raises(RuntimeError):
        audio.examine(whole["48k, the largest"], "mp3", cores=2)
    assert len(started) == 1 and is_gone(started[0])


def test_the_sandbox_carries_both(tmp_path: Path) -> None:
    """Within its limits, a recording that is worth it has the peaks of one pass."""
    path = mp3(tmp_path / "a.mp3", rate=48_000, channels=2, bits=320_000, seconds=90)
    assert path.stat().st_size > 3 << 20
    assert audio.peaks(path, "mp3") == audio.examine(path, "mp3").peaks.to_json()
