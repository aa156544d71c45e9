"""Sign a paper: the company's certifying signature at issue, then one for each acknowledgement.

The fields are in the paper from the start (`fields.py`), so that a receipt fills one in without
changing what the certifying signature covers.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError as PyhankoError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.stamp import BaseStampStyle

from portal.notices.signing.errors import SigningError, TimeStampError
from portal.notices.signing.keys import Identity

DIGEST = "sha256"
# What a signature takes beside the certificates in it, in bytes; a time stamp brings its own.
_ROOM, _ROOM_OF_STAMP = 2048, 12_288


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature states: why, where it was issued, when by our clock (aware)."""

    reason: str
    location: str
    at: datetime


class _Drawn(BaseStampStyle):
    """The page shows who signed already: nothing is drawn over it, PDF/UA stays whole."""

    def create_stamp(self, writer: object, box: object, text_params: object) -> None:
        """Leave the field's appearance as it is."""


class _Signer(PdfSigner):
    """A PDF signer whose signatures carry the portal's clock."""

    def __init__(
        self,
        metadata: PdfSignatureMetadata,
        identity: Identity,
        stamper: TimeStamper | None,
        at: datetime,
    ) -> None:
        super().__init__(metadata, identity.signer, timestamper=stamper, stamp_style=_Drawn())
        self._at = at

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        """As pyHanko's, at our time."""
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._at
        return session


class _Writer(IncrementalPdfFileWriter):
    """Appends what is signed and nothing else."""

    def _update_meta(self) -> None:
        """Leave the metadata: the paper was made when it was made, and PDF/A wants both agree."""


def _room(identity: Identity, stamper: TimeStamper | None) -> int:
    """Hexadecimal digits to reserve for a signature. (pyHanko would sign once more to find out,
    and ask the time stamp server once more.)"""
    certificates = (identity.certificate, *identity.chain)
    size = _ROOM + sum(len(one.public_bytes(Encoding.DER)) for one in certificates)
    return 2 * (size + (_ROOM_OF_STAMP if stamper else 0))


def sign(
    pdf: bytes,
    field: str,
    statement: Statement,
    *,
    identity: Identity,
    stamper: TimeStamper | None,
    certify: bool = False,
) -> bytes:
    """Fill the empty signature field; what was there stays, byte for byte, at the beginning.

    `certify` makes it the certifying signature: afterwards only the other fields may be filled.
    Raises `SigningError`, and `TimeStampError` when the time stamp server does not help.
    """
    identity.check(statement.at)
    metadata = PdfSignatureMetadata(
        field_name=field,
        md_algorithm=DIGEST,
        reason=statement.reason,
        location=statement.location,
        certify=certify,
        subfilter=SigSeedSubFilter.PADES,
        docmdp_permissions=MDPPerm.FILL_FORMS,
    )
    signer = _Signer(metadata, identity, stamper, statement.at)
    made = io.BytesIO()
    try:
        work = signer.async_sign_pdf(
            _Writer(io.BytesIO(pdf)),
            existing_fields_only=True,
            bytes_reserved=_room(identity, stamper),
            output=made,
        )
        asyncio.run(work)
    except TimestampRequestError as error:
        raise TimeStampError(str(error)) from None
    except (PyhankoError, PdfError) as error:
        raise SigningError(str(error)) from None
    return made.getvalue()
