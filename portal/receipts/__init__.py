"""Receipts (回款): imported by finance, read by scores and fees (C3.4, C7)."""
