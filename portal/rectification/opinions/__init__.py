"""Rectification opinions (整改意见) of the audit department, and what becomes of them (A10)."""
