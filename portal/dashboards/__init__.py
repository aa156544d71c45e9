"""The home page: what is due, for a vendor's people; what waits and for whom, for the company's."""
