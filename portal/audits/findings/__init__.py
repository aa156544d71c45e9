"""Findings: the clause broken, by whom, when, and what follows (A5)."""
