"""The fee terms as shipped: "default, edit me"."""

from __future__ import annotations

from typing import Any

from portal.fees.scheme import parse_fee_scheme

_BANDS = (
    ("M1", 1, 30, "0.04"),
    ("M2", 31, 60, "0.08"),
    ("M3", 61, 90, "0.12"),
    ("M4", 91, 120, "0.16"),
    ("M5", 121, 150, "0.20"),
    ("M6", 151, 180, "0.24"),
    ("M6+", 181, 360, "0.30"),
    ("written_off", 361, None, "0.35"),
)
_TIERS = (("0", "0.90"), ("0.80", "1.00"), ("1.00", "1.10"), ("1.20", "1.15"))


def default_fee_scheme() -> dict[str, Any]:
    """The content of the shipped fee terms, a fresh copy each time."""
    return {
        "bands": [
            {"age": age, "from_days": first, "to_days": last, "rate": rate}
            for age, first, last, rate in _BANDS
        ],
        "tiers": {
            "mode": "whole",
            "steps": [{"from": start, "multiplier": times} for start, times in _TIERS],
        },
        "deduction_cap": "0.30",
        "reward": "200.00",
        "tax_rate": "0.06",
    }


DEFAULT_FEE_SCHEME = parse_fee_scheme(default_fee_scheme())
