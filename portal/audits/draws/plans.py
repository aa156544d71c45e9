"""The options of a draw's plan: strata, and extra weight for risk (A3), as its record has them.

A plan without options is drawn by method /1; with any, by /2, whose hashes cover the plan's text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

MOST_LIMITS = 9
MOST_EXTRA = 9
RISK_DAYS = 180
"""An agent's confirmed findings of so many days before the freezing add weight."""


@dataclass(frozen=True, slots=True)
class Options:
    """What makes strata (the vendor's groups; ascending limits in days past due; in CNY of the
    amount entrusted) and what is added to a case's weight of 1: when its collection is suspended,
    and when its agent has a confirmed finding of the last `RISK_DAYS` days."""

    group: bool = False
    days: tuple[int, ...] = ()
    amounts: tuple[int, ...] = ()
    suspended: int = 0
    findings: int = 0

    @property
    def plain(self) -> bool:
        """Whether every case is as likely as any other."""
        return self == Options()

    @property
    def text(self) -> str:
        """The plan's text as it is recorded and hashed."""
        plan = {
            "group": self.group,
            "days_past_due": list(self.days),
            "amount": list(self.amounts),
            "extra_weight": {
                "suspended": self.suspended,
                "agent_with_findings": self.findings,
            },
        }
        return json.dumps(plan, sort_keys=True, separators=(",", ":"))

    def parts(self, number: int) -> tuple[int, int, int]:
        """A stratum's group, class of days and class of amount, by its number."""
        rest, amount = divmod(number, len(self.amounts) + 1)
        group, days = divmod(rest, len(self.days) + 1)
        return group, days, amount


def options_of(text: str | None) -> Options:
    """The options that a plan's text says; none for None."""
    if text is None:
        return Options()
    plan: dict[str, Any] = json.loads(text)
    extra = plan["extra_weight"]
    return Options(
        plan["group"],
        tuple(plan["days_past_due"]),
        tuple(plan["amount"]),
        extra["suspended"],
        extra["agent_with_findings"],
    )


def strata_text(groups: Sequence[str]) -> str:
    """The strata's text of a vendor: its groups by number, the first ("") for cases without."""
    return json.dumps(["", *groups], ensure_ascii=False, separators=(",", ":"))


def groups_of(text: str) -> list[str]:
    """The groups by number that a strata's text names."""
    return [str(name) for name in json.loads(text)]


def span(limits_: Sequence[int], number: int) -> str:
    """The values of a class as people read them: "< 30", "30–89", "≥ 90"."""
    if not limits_:
        return ""
    if number == 0:
        return f"< {limits_[0]}"
    if number == len(limits_):
        return f"≥ {limits_[-1]}"
    return f"{limits_[number - 1]}–{limits_[number] - 1}"


def limits(text: str) -> tuple[int, ...]:
    """Limits as people type them ("30, 90, 180"). Raises `Invalid` unless they are whole numbers
    above 0, ascending, `MOST_LIMITS` at most."""
    words = text.replace("，", ",").replace("、", ",").replace(" ", ",").split(",")
    parts = [word for word in words if word]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise Invalid(
            phrase("“%(text)s” are no limits.", text=text), phrase("Write them like 30, 90, 180.")
        )
    found = tuple(int(part) for part in parts)
    if list(found) != sorted(set(found)) or 0 in found or len(found) > MOST_LIMITS:
        raise Invalid(
            phrase("Limits ascend, are above 0, and are %(most)s at most.", most=MOST_LIMITS),
            phrase("Write them like 30, 90, 180."),
        )
    return found


def checked(options: Options) -> Options:
    """The options; `Invalid` for an extra weight that is none."""
    if not all(0 <= extra <= MOST_EXTRA for extra in (options.suspended, options.findings)):
        raise Invalid(
            phrase("Extra weight is 0 to %(most)s.", most=MOST_EXTRA),
            phrase("2 makes a case three times as likely as one without risk."),
        )
    return options
