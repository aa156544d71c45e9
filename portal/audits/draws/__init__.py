"""The month's draws over all vendors (A3): planned, frozen, drawn, issued; each step on record."""
