"""The company's default fee terms as versioned data; a contract carries its own (C7)."""

from __future__ import annotations

from portal.fees.defaults import default_fee_scheme
from portal.fees.scheme import parse_fee_scheme
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, register

FEE_SCHEME = register(
    SchemeKind(
        key="fees",
        title=phrase("Fee terms"),
        default=default_fee_scheme,
        check=parse_fee_scheme,
        # A vendor sees its own contract's terms only: others' rates are not its business.
        published=False,
    )
)
