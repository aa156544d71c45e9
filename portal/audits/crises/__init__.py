"""The crisis record (危机处理) of what went to the general manager's office at once (A5)."""
