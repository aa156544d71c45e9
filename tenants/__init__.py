"""Whose data it is: scopes, the database's login roles, table classes and per-tenant keys.

The lowest layer. It knows nothing of the portal and imports none of it.
"""
