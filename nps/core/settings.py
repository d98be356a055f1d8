"""Settings: environment variables, read once, typed. Wrong ones stop the start, all named at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

MAKE_KEY = """python3 -c 'import secrets; print("SECRET_KEYS=" + secrets.token_urlsafe(32))' >> .env"""


class BadSettings(Exception):
    """The start is refused; the text lists every reason."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("The settings do not fit, so nothing was started:\n  " + "\n  ".join(reasons))
        self.reasons = reasons


WAYS = {
    "database_url": ("sqlite", "postgresql+psycopg", "postgresql"),
    "broker_url": ("memory", "redis", "rediss", "amqp", "amqps"),
    "mail_url": ("mailbox", "smtp", "smtps"),
}
Words = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """One attribute a variable, same name in capitals (`.env.example` lists them)."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    base_url: str = Field("http://127.0.0.1:8000", description="where people reach us; every mailed link starts with it")
    trusted_hosts: Words = Field((), description="extra host names that are answered")
    trusted_proxies: int = Field(0, description="how many proxies in front are believed")
    database_url: str = Field("sqlite:///var/wordback.sqlite3", description="sqlite:///file or postgresql+psycopg://…")
    statement_seconds: int = Field(300, description="how long PostgreSQL may work on one statement; web processes always say 15")
    database_pooler: bool = Field(False, description="true behind PgBouncer: no prepared statements")
    broker_url: str = Field("memory://", description="memory://, redis://… or amqp://…")
    limiter_url: str = Field("memory://", description="where request limits are counted")
    secret_keys: Words = Field((), description="newest first, comma separated; signs links and sessions, encrypts stored secrets")
    mail_url: str = Field("mailbox://", description="mailbox:// (built-in) or smtp://user:password@host:port[?tls=required]")
    mail_domain: str = Field("mail.wordback.example", description="our own sending, reply and bounce domain")
    mail_connections: int = Field(10, description="kept SMTP connections of a worker")
    mail_pace_installation: float = Field(100, description="mails a second of a worker; 0 means no limit")
    mail_pace_account: float = Field(20, description="mails a second of one account; 0 means no limit")
    mail_pace_provider: float = Field(10, description="mails a second of one account to one mail provider; 0 means no limit")
    mail_ca_file: str = Field("", description="certificates the mail server is checked against; empty means the system's")
    mail_phase_seconds: float = Field(1.0, description="factor on the SMTP phase limits; tests shorten them")
    inbound_secret: str = Field("", description="bearer secret of POST /in/mail; empty closes it")
    files_dir: Path = Field(Path("var/files"), description="uploads, exports and the click spool")
    signup: Literal["open", "invite", "closed"] = "invite"
    billing: bool = Field(False, description="plans, limits and billing pages of our own")
    stripe_api_base: str = Field("", description="another address of Stripe's API: the double of demo and tests")
    stripe_secret_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_old_webhook_secret: str = ""
    outgoing_allow: Words = Field((), description="loopback host:port pairs that outgoing calls may reach; tests and demo")
    log_format: Literal["json", "text"] = "json"
    worker_threads: int = 8
    worker_poll_seconds: float = 0.25
    job_lease_seconds: int = 60
    demo: bool = False
    testing: bool = False
    clock_file: Path | None = Field(None, description="a file with an offset in seconds; tests and demo")

    @field_validator("trusted_hosts", "secret_keys", "outgoing_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _plain_base(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be an http or https address without a query")
        return value.rstrip("/")

    @field_validator("database_url", "broker_url", "mail_url")
    @classmethod
    def _known_way(cls, value: str, info: ValidationInfo) -> str:
        ways = WAYS[info.field_name or ""]
        if value.partition(":")[0] not in ways:
            raise ValueError(f"must begin with {' or '.join(f'{way}://' for way in ways)}")
        if info.field_name == "database_url":
            try:
                make_url(value)
            except ArgumentError:
                raise ValueError("must be written as sqlite:///file or postgresql+psycopg://user:password@host/database") from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if not self.secret_keys:
            raise ValueError(f"SECRET_KEYS is missing: a key of 32 characters or more. This puts one into .env: {MAKE_KEY}")
        short = [key for key in self.secret_keys if len(key) < 32]
        if short:
            raise ValueError("each of SECRET_KEYS needs 32 characters or more")
        live = self.stripe_secret_key.startswith(("sk_live_", "rk_live_"))
        if live and (self.testing or self.demo or self.stripe_api_base):
            raise ValueError("a live Stripe key is refused together with test, demo or another Stripe address")
        return self

    @property
    def host(self) -> str:
        """Host (and port) of `base_url`."""
        return urlsplit(self.base_url).netloc

    @property
    def secure(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load(**given: object) -> Settings:
    """Settings from the environment, overridden by `given`. Raises `BadSettings` with all reasons."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadSettings([_reason([str(part) for part in e["loc"]], e["msg"]) for e in error.errors()]) from None


def _reason(place: list[str], words: str) -> str:
    words = words.removeprefix("Value error, ")
    return f"{place[0].upper()}: {words}" if place else words


def environment(over: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process we start: ours, with `over` on top."""
    return {**os.environ, **over}


class _Current:
    settings: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process. Called once by the application factory."""
    _Current.settings = settings


def current() -> Settings:
    """The settings in force, for services and tasks (views have `web.current.settings()`)."""
    if _Current.settings is None:
        raise RuntimeError("settings are asked for before the application is made")
    return _Current.settings
