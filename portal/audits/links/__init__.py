"""One-time links: the person responsible sees and acknowledges the own page of a form (A5)."""
