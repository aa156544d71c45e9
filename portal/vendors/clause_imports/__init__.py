"""The import of penalty clauses from a workbook: check, confirm, a new version of the catalogue."""
