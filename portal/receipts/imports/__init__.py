"""The import of receipts from a workbook: check, confirm, take (C3.4)."""
