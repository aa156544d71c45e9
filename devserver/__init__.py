"""What the commands in ``bin/`` need in Python: a private PostgreSQL and the demo's supervisor.

No part of the portal imports this package; a production installation does not need it.
"""
