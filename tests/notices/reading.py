"""Look into a finished PDF: its text as a reader extracts it, and its attached files."""

from __future__ import annotations

import io
import json
import subprocess
from functools import cache
from typing import Any

import pikepdf

from portal.notices.render import Rendered, render
from tests.notices.samples import SAMPLES

LOCALES = ("zh_Hans_CN", "zh_Hant_TW", "en")


@cache
def sample(template: str, locale: str = "zh_Hans_CN") -> Rendered:
    """The sample of a paper, rendered once a test run."""
    return render(template, SAMPLES[template](), locale)


def text_of(pdf: bytes) -> str:
    """What pdftotext finds, pages parted by form feeds."""
    run = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return run.stdout.decode()


def flat(pdf: bytes) -> str:
    """The text without white space, for passages that run over lines."""
    return "".join(text_of(pdf).split())


def attached(pdf: bytes) -> dict[str, bytes]:
    """Attached files by name."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {
            name: opened.attachments[name].get_file().read_bytes() for name in opened.attachments
        }


def data_of(pdf: bytes, number: str) -> Any:
    """The attached content."""
    return json.loads(attached(pdf)[f"{number}.json"])
