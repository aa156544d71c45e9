"""The company's seal (公章): its picture, the papers that bear it, and its use asked and granted."""

from __future__ import annotations

import io
import math
from datetime import timedelta

import sqlalchemy as sa
from PIL import Image, ImageDraw, ImageFont

from demo.people import COMPANY, Company, Vendor
from demo.stage import Stage
from portal.files import pictures
from portal.kernel import clock
from portal.notices import fonts, seals
from portal.notices.models import SealUse
from portal.notices.rules import UseState

NAME = "公章"
BEARERS = ("rectification_notice", "fee_statement")
"""Papers that bear it."""
_SIDE, _RED, _THICK = 1000, (214, 33, 33), 255
_ARC = 250.0
"""Degrees that the company's name takes."""
_BELOW = "演示专用"


def introduce(stage: Stage, company: Company) -> None:
    """The administrator adds the seal and says which papers bear it."""
    actor = company.actor("admin")
    picture = pictures.clean(drawn(COMPANY[1]))
    with stage.company(company.id) as session:
        seal, _version = seals.add_picture(session, NAME, picture, actor=actor)
        for template in BEARERS:
            seals.set_rule(session, template, seal.id, actor=actor)


def decide(stage: Stage, company: Company, vendor: Vendor) -> None:
    """The general department grants, half an hour later, what was asked just now for papers to
    the vendor."""
    at = clock.now()

    def grant() -> None:
        with stage.company(company.id) as session:
            asked = sa.select(SealUse.id).where(
                SealUse.state == UseState.ASKED,
                SealUse.tenant_id == vendor.id,
                SealUse.asked_at == at,
            )
            for use_id in session.scalars(asked).all():
                seals.grant(session, use_id, actor=company.actor("general"))

    stage.at(at + timedelta(minutes=30), grant)


def drawn(company: str) -> bytes:
    """A round seal as PNG: ring, star, the company's name along the ring. Red throughout, and as
    thick as it is drawn: such a picture packs small."""
    mask = Image.new("L", (_SIDE, _SIDE))
    pen, middle = ImageDraw.Draw(mask), _SIDE / 2
    edge = 20
    pen.ellipse((edge, edge, _SIDE - edge, _SIDE - edge), outline=_THICK, width=30)
    pen.polygon(_star(middle, middle, _SIDE * 0.145), fill=_THICK)
    step = _ARC / max(1, len(company) - 1)
    for place, character in enumerate(company):
        _set(mask, character, 116, -_ARC / 2 + step * place, middle - 126)
    face = ImageFont.truetype(fonts.FOLDER / "sc-core-700.ttf", 78)
    pen.text((middle, _SIDE * 0.79), _BELOW, font=face, fill=_THICK, anchor="mm")
    small = mask.reduce(2).point([shade // 32 * 32 for shade in range(256)])
    seal = Image.new("RGB", small.size, _RED)
    seal.putalpha(small)
    written = io.BytesIO()
    seal.save(written, format="PNG", optimize=True)
    return written.getvalue()


def _star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    corners = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.382
        angle = math.radians(36 * corner - 90)
        corners.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return corners


def _set(mask: Image.Image, character: str, size: int, angle: float, radius: float) -> None:
    """Set a character on the ring, its foot to the middle; 0 degrees is above."""
    face = ImageFont.truetype(fonts.FOLDER / "sc-core-700.ttf", size)
    tile = Image.new("L", (size * 2, size * 2))
    ImageDraw.Draw(tile).text((size, size), character, font=face, fill=_THICK, anchor="mm")
    turned = tile.rotate(-angle, resample=Image.Resampling.BICUBIC)
    x = _SIDE / 2 + radius * math.sin(math.radians(angle))
    y = _SIDE / 2 - radius * math.cos(math.radians(angle))
    mask.paste(_THICK, (round(x) - size, round(y) - size), turned)
