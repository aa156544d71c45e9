import base64
import stat
from datetime import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from portal.kernel.settings import LOGINS, Settings, SettingsError

STRONG = "kV9x2-Qm8Lr7_tWz4Yb1Nc6Hd3Js5Gf0PqAeUi"
KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION = {
    "DATABASE_URL": "postgresql://admin:x@db.example.com/portal",
    "PORTAL_SECRET_KEY": STRONG,
    "PORTAL_MASTER_KEY": KEY,
    "PORTAL_BASE_URL": "https://portal.example.com",
}
DEMO = {**PRODUCTION, "PORTAL_ENV": "demo", "PORTAL_BASE_URL": "http://127.0.0.1:8000"}


def problems(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return "\n".join(caught.value.problems)


def test_every_problem_is_told_at_once() -> None:
    told = problems(
        {
            "PORTAL_MASTER_KEY": "c2hvcnQ=",
            "PORTAL_PROXY_HOPS": "-1",
            "PORTAL_CLOSE_OF_BUSINESS": "25:00",
            "PORTAL_BASE_URL": "portal.example.com",
            "PORTAL_STORAGE": "tape",
        }
    ).splitlines()
    assert [line.split()[0] for line in told] == [
        "PORTAL_SECRET_KEY",
        "PORTAL_MASTER_KEY",
        "PORTAL_STORAGE",
        "PORTAL_BASE_URL",
        "PORTAL_PROXY_HOPS",
        "PORTAL_CLOSE_OF_BUSINESS",
    ]


def test_a_minimal_production_gets_safe_defaults() -> None:
    made = Settings.from_env(PRODUCTION)
    assert made.cookie_secure
    assert made.trusted_hosts == ("portal.example.com",)
    assert made.close_of_business == time(18)
    assert made.proxy_hops == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_SECRET_KEY", "ab" * 40),
        ("PORTAL_MASTER_KEY", base64.b64encode(bytes(32)).decode()),
        ("PORTAL_BASE_URL", "http://portal.example.com"),
        ("PORTAL_COOKIE_SECURE", "no"),
    ],
)
def test_production_refuses_what_the_demo_may(name: str, value: str) -> None:
    assert name in problems({**PRODUCTION, name: value})
    assert Settings.from_env({**DEMO, name: value}).env == "demo"


def test_what_one_setting_needs_of_others() -> None:
    assert "PORTAL_S3_BUCKET" in problems({**PRODUCTION, "PORTAL_STORAGE": "s3"})
    assert "PORTAL_MAIL_FROM" in problems({**PRODUCTION, "SMTP_URL": "smtps://mail.example.com"})
    assert "DATABASE_URL" in problems({**PRODUCTION, "DATABASE_URL": ""})


def test_secrets_come_from_files_and_stay_out_of_sight(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    file.write_text(f"{STRONG}\n")
    given = {**PRODUCTION, "PORTAL_SECRET_KEY": "", "PORTAL_SECRET_KEY_FILE": str(file)}
    made = Settings.from_env(given)
    assert made.secret_key == STRONG
    assert STRONG not in repr(made) and "admin:x" not in repr(made)
    assert "both set" in problems({**given, "PORTAL_SECRET_KEY": STRONG})
    assert "cannot be read" in problems({**given, "PORTAL_SECRET_KEY_FILE": str(tmp_path / "no")})


def test_logins_follow_from_the_administrators_address(tmp_path: Path) -> None:
    socket = "postgresql+psycopg://admin:x@/portal?host=%2Frun%2Fa%20b&port=5433"
    file = tmp_path / "keep" / "passwords.json"
    own = "postgresql://clerk%40hq:p%2Fw@10.0.0.9/portal"
    made = Settings.from_env(
        {
            **PRODUCTION,
            "DATABASE_URL": socket,
            "DATABASE_URL_COMPANY": own,
            "PORTAL_DB_PASSWORDS": str(file),
            "PORTAL_DB_ROLE_PREFIX": "pt",
        }
    )
    with pytest.raises(SettingsError, match="bootstrap-db"):
        made.login_urls()
    passwords = made.make_passwords()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.make_passwords() == passwords
    assert len(set(passwords.values())) == len(LOGINS)

    urls = made.login_urls()
    assert set(urls) == set(LOGINS)
    assert urls["company"] == own
    assert made.role("company") == "clerk@hq" and made.role("vendor") == "pt_vendor"
    # libpq and SQLAlchemy must read the same out of it.
    libpq = conninfo_to_dict(urls["vendor"])
    alchemy = sa.make_url(urls["vendor"])
    assert libpq["user"] == alchemy.username == "pt_vendor"
    assert libpq["password"] == alchemy.password == passwords["vendor"]
    assert libpq["host"] == alchemy.query["host"] == "/run/a b"
    assert libpq["dbname"] == alchemy.database == "portal"
