"""Workbooks of draws: the list, and the record of one, enough to recompute it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.audits.draws import queries
from portal.audits.models import Draw
from portal.files.export import ExportColumn, ExportSheet, xlsx


def listed(lines: Sequence[queries.DrawLine], states: Mapping[str, str]) -> ExportSheet:
    """The list of draws."""
    return ExportSheet(
        _("Draws"),
        [
            ExportColumn(_("Draw"), width=24),
            ExportColumn(_("Month")),
            ExportColumn(_("In hand"), "integer"),
            ExportColumn(_("Drawn"), "integer"),
            ExportColumn(_("Population hash"), width=66),
            ExportColumn(_("Planned"), "datetime"),
            ExportColumn(_("By")),
            ExportColumn(_("State")),
        ],
        [
            (
                line.name,
                line.period,
                line.population if line.population_hash else None,
                line.total if line.rate is None else f"{line.rate.normalize():f}%",
                line.population_hash or "",
                line.planned_at,
                line.by,
                states[line.shown],
            )
            for line in lines
        ],
    )


def workbook(session: Session, draw: Draw) -> bytes:
    """Two sheets: the vendors with hashes, seeds and quotas; the drawn cases with positions."""
    shares = queries.shares_of(session, draw)
    vendors = ExportSheet(
        _("Vendors"),
        [
            ExportColumn(_("Vendor")),
            ExportColumn(_("Vendor id"), width=38),
            ExportColumn(_("In hand"), "integer"),
            ExportColumn(_("Quota"), "integer"),
            ExportColumn(_("Population hash"), width=66),
            ExportColumn(_("Vendor's seed"), width=66),
            ExportColumn(_("Request"), width=18),
        ],
        [
            (
                line.vendor,
                str(line.tenant_id),
                line.in_hand,
                line.quota,
                line.population_hash,
                line.vendor_seed or "",
                line.request_number or "",
            )
            for line in shares
        ],
        notes=[
            f"{draw.name} · {draw.method}",
            f"{_('Population hash')}: {draw.population_hash}",
            f"{_('Seed')}: {draw.seed}",
        ],
    )
    return xlsx([vendors, _case_sheet(session, draw, shares)])


def _case_sheet(session: Session, draw: Draw, shares: tuple[queries.ShareLine, ...]) -> ExportSheet:
    return ExportSheet(
        _("Drawn cases"),
        [
            ExportColumn(_("Vendor")),
            ExportColumn(_("Position"), "integer"),
            ExportColumn(_("Case number"), width=24),
            ExportColumn(_("Project"), width=20),
            ExportColumn(_("Age band")),
            ExportColumn(_("Case id"), width=38),
        ],
        _cases(session, draw, shares),
    )


def _cases(
    session: Session, draw: Draw, shares: tuple[queries.ShareLine, ...]
) -> Iterator[tuple[Any, ...]]:
    for line in shares:
        share = queries.get_share(session, draw.id, line.tenant_id)
        for first in range(0, line.drawn, queries.SAMPLE_SIZE):
            for case in queries.sample(session, share, first):
                yield (
                    line.vendor,
                    case.position,
                    case.case_no,
                    case.project,
                    case.age_band,
                    str(case.case_id),
                )
