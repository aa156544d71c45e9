"""The import's background work: checking a file, and taking it."""

from __future__ import annotations

from portal.imports.jobs import register
from portal.vendors.clause_imports.service import FLOW

register(FLOW)
