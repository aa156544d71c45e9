"""From facts to losses: one function a measure, in exact fractions of the indicator's weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from portal.scoring.facts import Complaints, Facts, Finding, Link, Miss, Recovery
from portal.scoring.scheme import Effect, Indicator, Measure, Scheme
from portal.vendors.clauses import Level

_RATIO = Decimal("0.0001")


@dataclass(frozen=True)
class Loss:
    """Points lost of the scheme's weight, exact; negative for over-fulfilment."""

    amount: Fraction
    reason: str
    params: Mapping[str, str]
    link: Link


def losses_of(indicator: Indicator, scheme: Scheme, facts: Facts) -> list[Loss] | None:
    """An indicator's losses, or None when there is nothing to measure it by.

    A finding counts under the indicator that claims its clause, else per reviewed case.
    """
    if indicator.measure is Measure.ATTAINMENT:
        return _attainment(indicator, facts.recovery)
    if indicator.measure is Measure.POINTS_PER_CASE:
        claimed = {no for other in scheme.indicators for no in other.clauses}
        own = [finding for finding in facts.findings if finding.clause not in claimed]
        return _points_per_case(indicator, facts.reviewed, own)
    own = [finding for finding in facts.findings if finding.clause in indicator.clauses]
    if indicator.measure is Measure.PER_THOUSAND:
        counted = _per_thousand(indicator, facts.complaints)
    else:
        counted = _share(indicator, facts)
    cited = list(_cited(indicator, own, counted or []))
    costs = counted is not None or any(loss.amount for loss in cited)
    return [*(counted or []), *cited] if costs else None


def _points_per_case(
    indicator: Indicator, reviewed: int, findings: list[Finding]
) -> list[Loss] | None:
    """Points x factor / reviewed cases; a red line (红线) costs its points undivided.

    At least the cases with findings were reviewed, whatever the count says.
    """
    if not reviewed and not findings:
        return None
    cases = {finding.case_id or finding.link.subject_id for finding in findings}
    divisor = max(reviewed, len(cases))
    losses = []
    for finding in findings:
        points = Fraction(finding.points)
        red = finding.level is Level.RED_LINE
        amount = points if red else points * Fraction(indicator.factor) / divisor
        params = _finding_params(finding) | {"reviewed": str(divisor)}
        losses.append(Loss(amount, "finding.red_line" if red else "finding", params, finding.link))
    return losses


def _attainment(indicator: Indicator, recovery: tuple[Recovery, ...]) -> list[Loss] | None:
    """Recovery / target of the same project and age, capped, weighted by the target amounts."""
    targets = [(r, Fraction(r.entrusted) * Fraction(r.target_rate)) for r in recovery]
    whole = sum((target for _, target in targets if target > 0), Fraction(0))
    if not whole:
        return None
    losses = []
    for band, target in targets:
        if target <= 0:
            continue
        reached = max(Fraction(0), Fraction(band.receipts) / target)
        counted = min(reached, Fraction(indicator.cap))
        if counted == 1:
            continue
        amount = Fraction(indicator.weight) * target / whole * (1 - counted)
        reason = "recovery.below" if amount > 0 else "recovery.above"
        losses.append(Loss(amount, reason, _recovery_params(band, reached), band.link))
    return losses


def _recovery_params(band: Recovery, reached: Fraction) -> dict[str, str]:
    return {
        "project": band.project,
        "age": band.age,
        "entrusted": str(band.entrusted),
        "receipts": str(band.receipts),
        "rate": _ratio(Fraction(band.receipts) / Fraction(band.entrusted)),
        "target": _ratio(Fraction(band.target_rate)),
        "attainment": _ratio(reached),
    }


def _share(indicator: Indicator, facts: Facts) -> list[Loss] | None:
    tally = facts.tally(indicator.source) if indicator.source else None
    if tally is None:
        return None
    each = Fraction(indicator.weight) / tally.total
    return [_miss(indicator, miss, each, tally.total) for miss in tally.misses]


def _miss(indicator: Indicator, miss: Miss, each: Fraction, total: int) -> Loss:
    params = dict(miss.params) | {"total": str(total)}
    if miss.working_days_late is None:
        return Loss(each, f"{indicator.source}.{miss.how}", params, miss.link)
    part = min(Fraction(1), Fraction(indicator.late_per_working_day) * miss.working_days_late)
    params["days"] = str(miss.working_days_late)
    return Loss(each * part, f"{indicator.source}.late", params, miss.link)


def _per_thousand(indicator: Indicator, complaints: Complaints | None) -> list[Loss] | None:
    if complaints is None or not complaints.cases:
        return None
    each = Fraction(indicator.points_each) * 1000 / complaints.cases
    params = {"cases": str(complaints.cases)}
    return [Loss(each, "complaint.justified", params, link) for link in complaints.justified]


def _cited(indicator: Indicator, findings: list[Finding], counted: list[Loss]) -> Iterator[Loss]:
    """The findings whose clause this indicator claims; none costs where its fact is counted."""
    known = {loss.link for loss in counted}
    for finding in findings:
        covered = indicator.clauses[finding.clause] is Effect.COVERED or finding.about in known
        amount = Fraction(0) if covered else Fraction(finding.points)
        reason = "finding.covered" if covered else "finding.undivided"
        yield Loss(amount, reason, _finding_params(finding), finding.link)


def _finding_params(finding: Finding) -> dict[str, str]:
    return {
        "clause": finding.clause,
        "level": finding.level.value,
        "points": str(finding.points),
        "case_no": finding.case_no,
    }


def _ratio(value: Fraction) -> str:
    return str((Decimal(value.numerator) / Decimal(value.denominator)).quantize(_RATIO))
