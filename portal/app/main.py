"""The application of this process, made from the environment's settings."""

from __future__ import annotations

import os
import sys

from portal.app import memory
from portal.app.factory import create_app
from portal.kernel.settings import Settings, SettingsError

try:
    app = create_app(Settings.from_env(os.environ))
except SettingsError as error:
    sys.exit(str(error))

memory.settle()
