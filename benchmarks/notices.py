"""Papers: one notice of two pages rendered and signed, and a thousand on two workers.

python -m benchmarks notices [--json FILE] [--count N]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from weasyprint import HTML

from benchmarks.report import Figure, table
from benchmarks.serving import memory_of
from demo import authority
from portal.kernel.settings import Settings
from portal.notices import render as rendering
from portal.notices.assets import QR_CODE, SCHEME, Assets
from portal.notices.drawn import QrCode
from portal.notices.render import COLOURS, Edition, render
from portal.notices.signing.desk import Desk, open_desk
from portal.notices.signing.fields import ISSUER
from portal.notices.signing.pades import Statement
from portal.notices.typeset import Typesetter
from tests.notices.samples import rectification_notice

TEMPLATE, LOCALE = "rectification_notice", "zh_Hans_CN"
ROUNDS = 25
WARM = 3
WORKERS = 2
COMPANY = "恒信消费金融有限公司"


def _desk(folder: Path) -> Desk:
    """A desk that signs with a certificate of the demo's authority (ECDSA, P-256)."""
    return open_desk(
        Settings.from_env(
            {
                "PORTAL_ENV": "test",
                "DATABASE_URL": "postgresql://nobody@localhost/none",
                "PORTAL_SECRET_KEY": "a benchmark's secret key, known to all",
                "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                **authority.settings(folder, COMPANY),
            }
        )
    )


def _paper(number: int) -> dict[str, Any]:
    return {**rectification_notice(), "number": f"ZG-HC-2026-{number:04d}"}


def _make(desk: Desk, number: int) -> bytes:
    """What the worker's job does between its reads and its commit."""
    content = _paper(number)
    made = render(TEMPLATE, content, LOCALE, Edition(signed_by=desk.signer_name))
    statement = Statement(f"签发 {content['number']}", COMPANY, datetime.now(UTC))
    return desk.sign(made.pdf, ISSUER, statement, certify=True)


def _cost(act: Callable[[int], object]) -> tuple[float, float]:
    """Least and median processor time in ms."""
    for number in range(WARM):
        act(number)
    taken = []
    for number in range(ROUNDS):
        started = time.process_time()
        act(number)
        taken.append((time.process_time() - started) * 1000)
    return min(taken), statistics.median(taken)


def _bare(number: int) -> bytes:
    """WeasyPrint as it comes: the same page, style sheet and fonts, as a plain PDF without tags,
    attachments, fields and PDF/A."""
    press, content = rendering._press(), _paper(number)
    shown = rendering.masked(TEMPLATE, content)
    page, _ = rendering._page(TEMPLATE, shown, LOCALE, Typesetter(press.coverage), Edition())
    made: bytes = HTML(string=page, url_fetcher=Assets()).write_pdf(
        font_config=press.wardrobe.fonts,
        stylesheets=[press.wardrobe.sheet],
        cache={f"{SCHEME}{QR_CODE}": QrCode(content["verify_url"])},
        color_profiles={COLOURS: press._profile()},
        output_intent=COLOURS,
    )
    return made


def _figure(name: str, cost: tuple[float, float], limit: float | None = None) -> Figure:
    least, median = cost
    return Figure(name, least, "ms CPU", limit, note=f"least of {ROUNDS}; median {median:.0f}")


@dataclass(frozen=True)
class Share:
    """What one worker of the thousand took: seconds of processor, memory in MB."""

    cpu: float
    early: float
    late: float


def _work(folder: str, numbers: range) -> Share:
    desk, early = _desk(Path(folder)), 0.0
    started = time.process_time()
    for done, number in enumerate(numbers, start=1):
        _make(desk, number)
        if done == len(numbers) // 10:
            early = memory_of(multiprocessing.current_process().pid or 0)
    cpu = time.process_time() - started
    return Share(cpu, early, memory_of(multiprocessing.current_process().pid or 0))


def _thousand(folder: Path, count: int) -> Iterator[Figure]:
    each = count // WORKERS
    ranges = [range(at * each, (at + 1) * each) for at in range(WORKERS)]
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        shares = pool.starmap(_work, [(str(folder), numbers) for numbers in ranges])
    elapsed = time.perf_counter() - started
    cpu = sum(share.cpu for share in shares)
    limit = 120.0 * count / 1000
    yield Figure(f"{count} on {WORKERS} workers", elapsed, "s", limit, note=f"CPU {cpu:.0f} s")
    yield Figure("their CPU, by two cores", cpu / WORKERS, "s", limit)
    late = max(share.late for share in shares)
    yield Figure("a worker's memory at the end", late, "MB", 120)
    growth = max(share.late - share.early for share in shares)
    yield Figure("its growth over the last nine tenths", growth, "MB", 10)


def measure(count: int) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as name:
        folder = Path(name)
        desk = _desk(folder)
        made = render(TEMPLATE, _paper(0), LOCALE)
        yield Figure("pages of the notice", made.pages, "", 2)
        yield _figure("WeasyPrint as it comes, plain PDF", _cost(_bare))
        rendered = _cost(lambda number: render(TEMPLATE, _paper(number), LOCALE))
        yield _figure("rendered: PDF/A-3a, PDF/UA-1, data, fields", rendered)
        yield _figure("rendered and signed", _cost(lambda number: _make(desk, number)), 200)
        yield from _thousand(folder, count)


def main(arguments: list[str]) -> int:
    """Run and print; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks notices")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    chosen = parser.parse_args(arguments)
    figures = list(measure(chosen.count))
    print(table(figures))
    if chosen.json:
        report = {"machine": platform.platform(), "figures": [one.as_json() for one in figures]}
        chosen.json.write_text(json.dumps(report, ensure_ascii=False, indent=1))
    return 1 if any(one.held is False for one in figures) else 0
