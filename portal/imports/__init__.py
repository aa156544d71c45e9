"""Import a workbook: upload, check, confirm, take. What is the same for every kind of list."""
