"""Appeals (申诉) of findings: raised by the vendor, decided by others, with what follows (A5)."""
