"""Files that people bring: workbooks, recordings, scans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.factories import cases as case_rows
from tests.factories import receipts as receipt_rows
from tests.factories.world import World
from tests.files.samples import encoded, pcm, pdf

CASES = {"HC": 6, "RX": 3, "ZY": 3}
"""How many good cases each vendor gets."""


def cases_file(folder: Path, world: World) -> Path:
    """Twelve good cases of three vendors, and two bad rows: row 5's amount, row 9's vendor."""
    rows = [
        case_rows.case_values(vendor, number)
        for vendor in world.vendors
        for number in range(1, CASES[vendor.code] + 1)
    ]
    first = world.vendors[0]
    rows.insert(3, case_rows.case_values(first, 90, amount="一千元"))
    rows.insert(7, case_rows.case_values(first, 91, vendor="没有这家"))
    path = folder / "十一月委案.xlsx"
    path.write_bytes(case_rows.workbook(rows))
    return path


def receipts_file(folder: Path, case_numbers: Sequence[str]) -> Path:
    """November's receipts: one a case, and a reversal of part of the first."""
    rows = [
        receipt_rows.receipt(f"SK-{at:04d}", number, date(2026, 11, 5 + at), f"{800 + at * 10}.00")
        for at, number in enumerate(case_numbers)
    ]
    rows.append(
        receipt_rows.receipt(
            "SK-9001", case_numbers[0], date(2026, 11, 25), "-100.00", reverses="SK-0000"
        )
    )
    path = folder / "十一月回款.xlsx"
    path.write_bytes(receipt_rows.workbook(rows))
    return path


def recording(path: Path, seconds: float = 6) -> Path:
    """A recording that plays: WAV or MP3, by the name's ending."""
    if path.suffix == ".mp3":
        return encoded(path, "libmp3lame", "mp3", seconds=seconds, rate=16_000)
    return pcm(path, seconds)


def record_pdf(path: Path) -> Path:
    """A scanned collection record."""
    path.write_bytes(pdf())
    return path


def record_xlsx(path: Path) -> Path:
    """A collection record from the vendor's system."""
    path.write_bytes(
        receipt_rows.workbook([receipt_rows.receipt("1", "记录", date(2026, 11, 2), "1.00")])
    )
    return path


def money(text: str) -> Decimal:
    """An amount as pages show it."""
    return Decimal(text.replace("¥", "").replace(",", "").strip())
