"""Personal data at rest (rule C4.1): AES-GCM under one data key per tenant, and blind indexes.

The data keys are wrapped by the master key, which never enters the database. What a value is
bound to (tenant, table, column, row) is authenticated with it, so that a ciphertext moved to
another row, column or tenant does not open.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from tenants.models import TenantKey

_NONCE = 12


class SealBroken(ValueError):
    """A stored value does not open: wrong key, or it was changed or moved."""


def _derive(secret: bytes, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)


class DataKey:
    """One tenant's data key: seals, opens and indexes that tenant's values."""

    def __init__(self, tenant_id: UUID, version: int, secret: bytes) -> None:
        """`secret` is the unwrapped 32-byte key."""
        self.tenant_id = tenant_id
        self.version = version
        self._cipher = AESGCM(_derive(secret, "field"))
        self._index_key = _derive(secret, "blind-index")

    def _aad(self, place: str, row_id: UUID) -> bytes:
        return f"{self.tenant_id}|{place}|{row_id}".encode()

    def seal(self, place: str, row_id: UUID, text: str) -> bytes:
        """Encrypt `text` for `place` ("table.column") of row `row_id`."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), self._aad(place, row_id))
        return bytes([self.version]) + nonce + sealed

    def open(self, place: str, row_id: UUID, blob: bytes) -> str:
        """Decrypt what `seal` made for the same place and row; raises `SealBroken`."""
        try:
            return self._cipher.decrypt(
                blob[1 : 1 + _NONCE], blob[1 + _NONCE :], self._aad(place, row_id)
            ).decode()
        except InvalidTag as error:
            raise SealBroken(f"{place} of {row_id} does not open") from error

    def index(self, field: str, text: str) -> bytes:
        """The blind index of a normalised value: equal values of one tenant and field meet, and
        nothing else can be told from it (16 bytes)."""
        mac = hmac.HMAC(self._index_key, hashes.SHA256())
        mac.update(f"{field}|{text}".encode())
        return mac.finalize()[:16]


class Vault:
    """Unwraps data keys with the master key and keeps them for the life of the process."""

    def __init__(self, master_key: bytes) -> None:
        """`master_key` is 32 bytes from the settings."""
        self._wrap = AESGCM(_derive(master_key, "wrap-data-keys"))
        self._master = master_key
        self._keys: dict[UUID, DataKey] = {}
        self._lock = threading.Lock()

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for another purpose than personal data (journal heads, signed URLs)."""
        return _derive(self._master, purpose)

    def add_key(self, session: Session, tenant_id: UUID, at: datetime) -> DataKey:
        """Make and store a tenant's first data key (when the tenant is created)."""
        secret = AESGCM.generate_key(256)
        nonce = os.urandom(_NONCE)
        wrapped = nonce + self._wrap.encrypt(nonce, secret, f"{tenant_id}|1".encode())
        session.add(TenantKey(tenant_id=tenant_id, version=1, wrapped=wrapped, created_at=at))
        session.flush()
        return DataKey(tenant_id, 1, secret)

    def key(self, session: Session, tenant_id: UUID) -> DataKey:
        """The tenant's data key, as far as the session's scope may see it; raises `LookupError`.

        The cache cannot leak: in a vendor's scope a foreign tenant id is refused before it.
        """
        scope_tenant = session.info.get("vendor_tenant")
        if scope_tenant is not None and scope_tenant != tenant_id:
            raise LookupError("no data key of that tenant in this scope")
        found = self._keys.get(tenant_id)
        if found is None:
            found = self._unwrap(session, tenant_id)
            with self._lock:
                self._keys[tenant_id] = found
        return found

    def _unwrap(self, session: Session, tenant_id: UUID) -> DataKey:
        row = session.execute(
            sa.select(TenantKey.version, TenantKey.wrapped)
            .where(TenantKey.tenant_id == tenant_id)
            .order_by(TenantKey.version.desc())
            .limit(1)
        ).first()
        if row is None:
            raise LookupError("the tenant has no data key")
        nonce, sealed = row.wrapped[:_NONCE], row.wrapped[_NONCE:]
        try:
            secret = self._wrap.decrypt(nonce, sealed, f"{tenant_id}|{row.version}".encode())
        except InvalidTag as error:
            raise SealBroken("the master key does not open this tenant's data key") from error
        return DataKey(tenant_id, row.version, secret)


_installed: list[Vault] = []


def install(vault: Vault) -> None:
    """Make `vault` this process's vault (the application, the worker and commands do it once)."""
    _installed[:] = [vault]


def installed() -> Vault:
    """This process's vault; raises `LookupError` before `install`."""
    if not _installed:
        raise LookupError("no vault is installed in this process")
    return _installed[0]
