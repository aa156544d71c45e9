"""Fill the database where needed, measure everything, print the table.

python -m benchmarks [--json FILE] [--seconds N] [--refill]
python -m benchmarks uploads [--json FILE] [--only STAGE …]
python -m benchmarks notices [--json FILE] [--count N]
python -m benchmarks peaks [--json FILE]
python -m benchmarks draws [--json FILE] [--refill]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import draws, notices, peaks, place, uploads
from benchmarks.fill import BUSY, COMPANY_EMAIL, PASSWORD, company_of, email, fill, vendor_ids
from benchmarks.load import Outcome, closed_loop
from benchmarks.pages import deep_page, first_case
from benchmarks.place import Place
from benchmarks.report import Figure, table
from benchmarks.serving import Browser, Cost, Meter, memory_of, serving
from benchmarks.statements import application, count, signed_in
from portal.app.factory import open_database

USERS = 50
REQUESTS_BEFORE_MEMORY = 500
LIST, HOME = "/cases/", "/"


def _cost(name: str, cost: Cost, limit: float | None = None) -> Figure:
    note = (
        f"application {cost.application:.2f}, database {cost.database:.2f};"
        f" {cost.elapsed:.1f} ms until answered"
    )
    return Figure(name, cost.total, "ms CPU", limit, note=note)


def _bare(
    here: Place, environ: dict[str, str], seconds: float
) -> tuple[list[Figure], tuple[Outcome, Outcome]]:
    """The floor: what Flask, gunicorn and PostgreSQL cost without the portal."""
    found = []
    with serving("benchmarks.bare:app", environ) as server:
        meter, browser = Meter(here, server), Browser(server.port)
        found.append(_cost("bare Flask page", meter.cost(browser, "/")))
        found.append(_cost("bare page with one bare query", meter.cost(browser, "/query")))
    with serving("benchmarks.bare:app", environ, workers=2) as server:
        page = closed_loop(server.port, [(["/"], "a=b")] * USERS, seconds)
        found.append(_rate("bare Flask page, 50 users", page))
        query = closed_loop(server.port, [(["/query"], "a=b")] * USERS, seconds)
        found.append(_rate("bare page with one bare query, 50 users", query))
    return found, (page, query)


def _rate(name: str, outcome: Outcome, floor: float | None = None) -> Figure:
    half, most = outcome.percentile(0.5), outcome.percentile(0.95)
    note = f"half within {half:.0f} ms, 95 % within {most:.0f} ms"
    return Figure(name, outcome.rate, "pages/s", floor, True, note)


def _pages(here: Place) -> Iterator[Figure]:
    """What pages cost, and how large the web process becomes."""
    with serving("wsgi:app", here.environ) as server:
        meter = Meter(here, server)
        vendor, company = Browser(server.port), Browser(server.port)
        vendor.sign_in(email(0), PASSWORD)
        company.sign_in(COMPANY_EMAIL, PASSWORD)
        deep = deep_page(here, LIST)
        yield _cost("vendor's dashboard", meter.cost(vendor, HOME), 6)
        yield _cost("vendor's list, 50 rows of 5,000 cases", meter.cost(vendor, LIST), 5)
        first = meter.cost(company, LIST)
        yield _cost("company's list, 50 rows of 1,000,000 cases", first, 5)
        last = meter.cost(company, deep)
        yield _cost("company's list, page 10,000 by cursor", last)
        ratio = last.total / first.total
        yield Figure("page 10,000 against the first page", ratio, "×", 1.3)
        mixed = [HOME, LIST, f"{LIST}{first_case(here)}"]
        for number in range(REQUESTS_BEFORE_MEMORY):
            vendor.get(mixed[number % len(mixed)])
        (worker,) = server.workers
        note = f"after {REQUESTS_BEFORE_MEMORY} more mixed requests, its share (PSS)"
        yield Figure("web process", memory_of(worker), "MB", 130, note=note)


def _statements(here: Place) -> Iterator[Figure]:
    app = application(here)
    vendor, company = signed_in(app, email(0)), signed_in(app, COMPANY_EMAIL)
    yield Figure("vendor's dashboard", count(vendor, HOME), "statements", 6)
    yield Figure("vendor's list", count(vendor, LIST), "statements")
    yield Figure("company's list", count(company, LIST), "statements")
    app.extensions["database"].dispose()


def _crowd(here: Place, bare: tuple[Outcome, Outcome], seconds: float) -> Iterator[Figure]:
    """Fifty people of fifty vendors on two workers, a mix of dashboard, list and case page."""
    with serving("wsgi:app", here.environ, workers=2) as server:
        users = []
        for number in range(USERS):
            browser = Browser(server.port)
            browser.sign_in(email(number % BUSY), PASSWORD)
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            paths = [HOME, LIST, f"{LIST}{first_case(here, number % BUSY)}"]
            turn = number % len(paths)
            users.append((paths[turn:] + paths[:turn], cookies))
        outcome = closed_loop(server.port, users, seconds)
    yield _rate("50 users: dashboard, list, case page", outcome)
    page, query = bare
    share = outcome.rate / query.rate
    yield Figure("its share of the rate of the bare page with one query", share, "×", 0.25, True)
    yield Figure("its share of the rate of the bare page without", outcome.rate / page.rate, "×")
    errors = sum(n for status, n in outcome.statuses.items() if status >= 500 or not status)
    note = ", ".join(f"{status}: {n}" for status, n in sorted(outcome.statuses.items()))
    yield Figure("its 5xx answers and broken connections", errors, "", 0, note=note)


def measure(here: Place, seconds: float) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    database = open_database(here.settings)
    company_id = company_of(database)
    vendor = vendor_ids(database, company_id)[0]
    database.dispose()
    environ = dict(here.environ)
    environ["BARE_DATABASE_URL"] = here.settings.login_urls()["owner"]
    environ["BARE_TENANT"] = str(vendor)
    figures, bare = _bare(here, environ, seconds)
    yield from figures
    yield from _pages(here)
    yield from _statements(here)
    yield from _crowd(here, bare, seconds)
    yield from draws.measured(here, company_id)


def main() -> int:
    """Run everything; 1 when a limit is missed."""
    if sys.argv[1:2] == ["uploads"]:
        return uploads.main(sys.argv[2:])
    if sys.argv[1:2] == ["notices"]:
        return notices.main(sys.argv[2:])
    if sys.argv[1:2] == ["peaks"]:
        return peaks.main(sys.argv[2:])
    if sys.argv[1:2] == ["draws"]:
        return draws.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--seconds", type=float, default=15, help="of each closed loop")
    parser.add_argument("--refill", action="store_true", help="fill the database anew")
    chosen = parser.parse_args()
    with place.opened() as here:
        if chosen.refill or not place.exists(here):
            print("==> Filling the database: 200 vendors, 1,000,000 cases (minutes, once)")
            place.forget(here)
            fill(here)
        print("==> Measuring", flush=True)
        figures = []
        for figure in measure(here, chosen.seconds):
            figures.append(figure)
            print(f"    {figure.name}: {figure.value:.2f} {figure.unit}", flush=True)
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, load {load:.1f}, {platform.machine()}\n\n{table(figures)}")
    if chosen.json:
        body = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cores": os.cpu_count(),
            "load": load,
            "figures": [figure.as_json() for figure in figures],
        }
        chosen.json.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(figure.held is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
