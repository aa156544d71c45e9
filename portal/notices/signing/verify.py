"""Judge a signed paper: who signed, and that not a byte was added, taken away or changed.

A reader's program alone (pdfsig) misses what is appended in a way that it may ignore, and a file
that was cut back to an earlier revision: so a check asks for every signature that the paper must
bear, the last one covering the whole file, and the stored hash where it is known.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from portal.notices.signing.fields import ISSUER
from portal.notices.signing.keys import as_asn1


class Problem(StrEnum):
    """Why a paper is not what was issued."""

    UNREADABLE = "unreadable"
    HASH = "hash"  # not the bytes that were stored
    UNSIGNED = "unsigned"
    COUNT = "count"  # a revision taken back, or one too many
    BROKEN = "broken"  # a signature does not hold, or its certificate is not trusted
    CHANGED = "changed"  # something was appended or changed after a signature


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature that holds: its field, whose certificate, when, why; time-stamped or not."""

    field: str
    signer: str
    at: datetime | None
    reason: str
    stamped: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found; sound when there is no problem."""

    signatures: tuple[Signature, ...]
    problem: Problem | None = None

    @property
    def sound(self) -> bool:
        """Whether the paper is what was issued."""
        return self.problem is None


def verify(
    pdf: bytes,
    *,
    roots: Sequence[x509.Certificate],
    stamp_roots: Sequence[x509.Certificate] = (),
    signatures: int | None = None,
    sha256: str | None = None,
) -> Verdict:
    """Check a paper.

    `roots` are the certificates that end a trusted chain, `stamp_roots` those of the time stamp
    server; `signatures` and `sha256` (hexadecimal) are what was stored of the paper, if known.
    """
    if sha256 is not None and not hmac.compare_digest(hashlib.sha256(pdf).hexdigest(), sha256):
        return Verdict((), Problem.HASH)
    try:
        return asyncio.run(_judge(pdf, roots, stamp_roots, signatures))
    except (PdfError, SignatureValidationError, ValueError, KeyError, TypeError, IndexError):
        # pyHanko's parsers raise all of these on forged structure.
        return Verdict((), Problem.UNREADABLE)


async def _judge(
    pdf: bytes,
    roots: Sequence[x509.Certificate],
    stamp_roots: Sequence[x509.Certificate],
    expected: int | None,
) -> Verdict:
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if not embedded:
        return Verdict((), Problem.UNSIGNED)
    if expected is not None and len(embedded) != expected:
        return Verdict((), Problem.COUNT)
    found: list[Signature] = []
    for position, one in enumerate(embedded, start=1):
        status = await async_validate_pdf_signature(
            one,
            _trust(roots, one.self_reported_timestamp),
            ts_validation_context=_trust(stamp_roots or roots, None),
        )
        problem = _problem(one, status, first=position == 1, last=position == len(embedded))
        if problem is not None:
            return Verdict(tuple(found), problem)
        found.append(_signature(one, status))
    return Verdict(tuple(found))


def _trust(roots: Sequence[x509.Certificate], moment: datetime | None) -> ValidationContext:
    return ValidationContext(
        trust_roots=[as_asn1(one) for one in roots],
        moment=moment,
        allow_fetching=False,
        revocation_mode="soft-fail",
    )


def _problem(
    one: EmbeddedPdfSignature, status: PdfSignatureStatus, *, first: bool, last: bool
) -> Problem | None:
    if not (status.intact and status.valid):
        return Problem.BROKEN
    whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    if last and not whole:
        return Problem.CHANGED
    if not status.docmdp_ok:
        return Problem.CHANGED
    if first and (one.field_name != ISSUER or one.docmdp_level is None):
        return Problem.BROKEN
    return None if status.bottom_line else Problem.BROKEN


def _signature(one: EmbeddedPdfSignature, status: PdfSignatureStatus) -> Signature:
    stamp = status.timestamp_validity
    return Signature(
        str(one.field_name),
        str(one.signer_cert.subject.native.get("common_name", "")),
        stamp.timestamp if stamp is not None else one.self_reported_timestamp,
        str(one.sig_object.get("/Reason", "")),
        stamp is not None,
    )
