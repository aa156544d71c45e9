"""Recordings are really decoded: length, loudness, what browsers play."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files import audio, sandbox
from portal.files.decoding import NoAudio
from portal.files.meter import Meter
from tests.files import samples

MAKERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "pcm": ("wav", samples.pcm),
    "pcm_stereo": ("wav", lambda p: samples.pcm(p, rate=44100, channels=2)),
    "adpcm": ("wav", lambda p: samples.encoded(p, "adpcm_ima_wav", "wav")),
    "adpcm_ms": ("wav", lambda p: samples.encoded(p, "adpcm_ms", "wav")),
    "g711": ("wav", lambda p: samples.encoded(p, "pcm_mulaw", "wav")),
    "mp3_8k": ("mp3", lambda p: samples.encoded(p, "libmp3lame", "mp3")),
    "mp3_stereo": (
        "mp3",
        lambda p: samples.encoded(p, "libmp3lame", "mp3", rate=22050, channels=2),
    ),
    "m4a": ("m4a", lambda p: samples.encoded(p, "aac", "ipod", rate=16000, channels=2)),
}
PLAYABLE = {"pcm", "pcm_stereo", "mp3_8k", "mp3_stereo", "m4a"}


@pytest.mark.parametrize("name", MAKERS)
def test_a_tone_and_a_silence_are_seen(tmp_path: Path, name: str) -> None:
    kind, make = MAKERS[name]
    path = make(tmp_path / f"a.{kind}")
    found = audio.examine(path, kind)
    stereo = name in {"pcm_stereo", "mp3_stereo", "m4a"}
    assert found.duration == pytest.approx(3, abs=0.3)
    assert found.declared == pytest.approx(3, abs=0.3)
    assert found.bad_packets == 0
    assert len(found.peaks.channels) == found.channels == (2 if stereo else 1)
    for channel in found.peaks.channels:
        assert len(channel) == pytest.approx(30, abs=3)
        assert all(44 <= value <= 60 for value in channel[2:13])
        assert max(channel[18:28]) <= 2
    assert found.peaks.silence == pytest.approx(0.5, abs=0.15)
    assert found.playable is (name in PLAYABLE)


def test_peaks_for_the_player_come_from_the_sandbox(tmp_path: Path) -> None:
    document = json.loads(audio.peaks(samples.pcm(tmp_path / "a.wav"), "wav"))
    assert document["per_second"] == 10
    assert len(document["peaks"]) == 1
    assert document["peaks"][0][5] == 0.5
    with pytest.raises(ValueError, match="no peaks"):
        audio.peaks(Path(__file__), "wav")


@pytest.mark.parametrize("name", ["adpcm", "g711", "adpcm_ms"])
def test_a_copy_that_browsers_play(tmp_path: Path, name: str) -> None:
    kind, make = MAKERS[name]
    path = make(tmp_path / "a.wav")
    before = path.read_bytes()
    assert audio.transcode(path, kind, tmp_path / "b.mp3") == pytest.approx(3, abs=0.3)
    copy = audio.examine(tmp_path / "b.mp3", "mp3")
    assert copy.playable
    assert copy.duration == pytest.approx(3, abs=0.3)
    assert 40 <= copy.peaks.channels[0][5] <= 62
    assert path.read_bytes() == before


def test_no_audio_stream_is_said_not_raised_by_index(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    with pytest.raises(NoAudio):
        audio.examine(path, "m4a")


def test_a_play_list_under_a_recordings_name_opens_nothing(tmp_path: Path) -> None:
    secret = samples.pcm(tmp_path / "secret.wav")
    path = tmp_path / "list.mp3"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n")
    outcome = sandbox.run(audio.examine, path, "mp3")
    assert outcome.value is None or outcome.value.duration == 0


@given(st.integers(1, 50_000), st.sampled_from([8000, 11025, 22050, 44100]), st.data())
def test_every_sample_falls_into_one_peak(count: int, rate: int, data: st.DataObject) -> None:
    """However the samples arrive, peak k is the loudest of exactly its tenth of a second."""
    cuts = sorted(data.draw(st.lists(st.integers(1, count), max_size=5)))
    samples = np.random.default_rng(count).integers(-32768, 32767, count, np.int16)
    meter = Meter(10, 1)
    for start, end in itertools.pairwise([0, *cuts, count]):
        if end > start:
            part = np.ascontiguousarray(samples[None, start:end])
            frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            frame.rate = rate
            meter.feed(frame)
    (found,) = meter.finish().channels
    edges = [-(-k * rate // 10) for k in range(-(-count * 10 // rate))]
    loud = [np.abs(piece.astype(int)).max() for piece in np.split(samples, edges[1:])]
    assert list(found) == [round(value / 32768 * 100) for value in loud]
    assert meter.seconds == pytest.approx(count / rate)


def test_what_diallers_write_is_decoded() -> None:
    """ADPCM, AMR, GSM and G.711 are made playable, so their decoders must be there."""
    for codec in ("adpcm_ima_wav", "adpcm_ms", "amrnb", "amrwb", "gsm_ms", "pcm_alaw", "pcm_mulaw"):
        assert av.Codec(codec, "r").is_decoder
        assert not audio.browser_playable(codec)
