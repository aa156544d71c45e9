"""The application of this process, made from the environment's settings."""

from __future__ import annotations

import gc
import os
import sys

from portal.app.factory import create_app
from portal.kernel.settings import Settings, SettingsError

try:
    app = create_app(Settings.from_env(os.environ))
except SettingsError as error:
    sys.exit(str(error))

# What was loaded stays for good: looking through it again with every full collection costs a page
# in twenty. A request leaves few cycles, so the collector may come less often.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
