"""The demo's commands; settings come from the environment, as for the portal itself.

python -m demo data        fill an empty, migrated database (repeatable)
python -m demo sign-ins    print one sign-in of each role
"""

from __future__ import annotations

import argparse
import os
import sys

from demo import database as demo_database
from demo.database import State
from demo.sign_ins import table
from portal.kernel import settings as settings_module
from portal.kernel.settings import Environment, Settings, SettingsError


def _settings() -> Settings:
    loaded = Settings.from_env(os.environ)
    if loaded.env is Environment.PRODUCTION:
        raise SettingsError(["The demo is refused where PORTAL_ENV is production."])
    settings_module.install(loaded)
    return loaded


def _fill(settings: Settings) -> int:
    state = demo_database.state_of(settings)
    if state is State.COMPLETE:
        print("The demo company is there already.")
        return 0
    if state is State.FOREIGN:
        print("This database holds a company that is not the demo's: nothing is changed.")
        return 1
    if state is State.HALF:
        print("A build was interrupted: starting over with an empty database.", flush=True)
        demo_database.start_over(settings)
    demo_database.fill(settings)
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The demo company.")
    parser.add_argument("command", choices=("data", "sign-ins"))
    chosen = parser.parse_args(arguments)
    try:
        settings = _settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    if chosen.command == "data":
        return _fill(settings)
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
