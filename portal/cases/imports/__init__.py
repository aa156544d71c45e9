"""The import of entrusted cases from a workbook: check, confirm, take."""
