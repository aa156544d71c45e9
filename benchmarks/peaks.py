"""What the wave form of a long recording costs, beside plain decoding in the same run.

python -m benchmarks peaks [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import av
import numpy as np

from benchmarks.report import Figure, table
from portal.files import audio, fingerprint, sandbox

MINUTES = 30
RUNS = 3
LIMIT = 3.0
RATES = (44_100, 8_000)


def recording(path: Path, rate: int) -> Path:
    """Half an hour of two voices in stereo MP3: tones, noise, pauses."""
    chance = np.random.default_rng(rate)
    at = np.arange(rate) / rate
    with av.open(str(path), "w", format="mp3") as file:
        track = file.add_stream("libmp3lame", rate=rate)
        track.layout = "stereo"
        track.bit_rate = 128_000 if rate > 24_000 else 32_000
        for second in range(MINUTES * 60):
            tone = np.sin(2 * np.pi * (180 + 40 * (second % 13)) * at) * 11_000 * (second % 4 > 0)
            both = np.stack([tone + chance.normal(0, 300, rate), tone[::-1] * 0.7])
            frame = av.AudioFrame.from_ndarray(both.astype(np.int16), "s16p", "stereo")
            frame.rate = rate
            file.mux(track.encode(frame))
        file.mux(track.encode(None))
    return path


def _best(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of this process's CPU, of the fastest of a few runs: the others waited
    for the machine."""
    elapsed, cpu = [], []
    for _run in range(RUNS):
        began, spent = time.perf_counter(), time.process_time()
        work()
        elapsed.append(time.perf_counter() - began)
        cpu.append(time.process_time() - spent)
    return min(elapsed), min(cpu)


def _decode(path: Path) -> None:
    with av.open(str(path)) as file:
        for _frame in file.decode(audio=0):
            pass


def measure(folder: Path) -> Iterator[Figure]:
    """Peaks, silence, clipping and fingerprint of 30 minutes, as the worker makes them."""
    for rate in RATES:
        path = recording(folder / f"{rate}.mp3", rate)
        name = f"{MINUTES} minutes of stereo MP3 at {rate / 1000:g} kHz"
        plain, plain_cpu = _best(partial(_decode, path))
        _elapsed, cpu = _best(partial(audio.examine, path, "mp3"))
        peaks, _cpu = _best(partial(audio.peaks, path, "mp3"))
        decoding = "plain decoding by PyAV in the same run"
        yield Figure(f"decode {name}, no more", plain, "s", note=f"{plain_cpu:.2f} s of CPU")
        with_print = "with" if fingerprint.library() else "without"
        note = f"in the sandbox, {with_print} fingerprint; {peaks / plain:.2f} × plain decoding"
        yield Figure(f"peaks of {name}", peaks, "s", LIMIT, False, note, decoding, peaks / plain)
        note = f"{cpu / plain_cpu:.2f} × plain decoding"
        ratio = cpu / plain_cpu
        yield Figure("CPU of it", cpu, "s", None, False, note, decoding, ratio)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench peaks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        figures = list(measure(Path(folder)))
    sandbox.stop()
    print(table(figures))
    if chosen.json:
        body = {"figures": [one.as_json() for one in figures]}
        chosen.json.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(one.held is False for one in figures) else 0
