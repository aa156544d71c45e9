"""The import's background work: checking a file, and taking it."""

from __future__ import annotations

from portal.cases.imports.service import FLOW
from portal.imports.jobs import register

register(FLOW)
