"""The application factory: settings, extensions, ports, wiring, error pages."""

from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Flask, g, request, url_for
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from nps import wiring
from nps.accounts import guards
from nps.accounts import queries as accounts
from nps.api import floor as api
from nps.billing import queries as billing
from nps.contacts import queries as contacts
from nps.core import clock, events, ids, log
from nps.core import db as database
from nps.core.db import db
from nps.core.ports import Ports
from nps.core.ports import use as use_ports
from nps.core.settings import Settings, load, use
from nps.jobs import outbox, schedule
from nps.referrals import redirect
from nps.web import current, errors, filters, headers, navigation, unit

database.install()
csrf = CSRFProtect()


def folder(name: str) -> Path:
    """The packaged copy of a top-level folder if there is one, else the folder itself."""
    here = Path(__file__).parent
    packaged = here / f"_{name}"
    return packaged if packaged.is_dir() else here.parent / name


def create_app(settings: Settings | None = None, ports: Ports | None = None) -> Flask:
    """One installation of the product, ready to serve or to work."""
    settings = settings or load()
    put_in_force(settings, ports or Ports())
    app = APIFlask(
        "nps",
        instance_path=str(Path.cwd()),
        static_folder="static",
        template_folder=str(folder("templates")),
        json_errors=False,
        docs_path=None,
        spec_path=None,
        enable_openapi=False,
    )
    configure(app, settings)
    app.extensions["settings"] = settings
    database.make_folder(settings)
    db.init_app(app)
    with app.app_context():
        database.prepare(db.engine)
    Migrate(app, db, directory=str(folder("migrations")), render_as_batch=True, compare_type=True)
    unit.install(app)
    csrf.init_app(app)
    sign_in(app)
    headers.install(app)
    filters.install(app)
    errors.install(app)
    api.install(app)
    app.jinja_env.globals.update(account=current.account, member=current.member, user=current.user, may=current.may, settings=settings)
    navigation.install(app, wiring.BADGES)
    app.extensions["guide_facts"] = wiring.FACTS
    app.extensions["answer_words"] = wiring.ANSWER_WORDS
    app.extensions["switched_off"] = () if settings.billing else ("billing.",)
    app.jinja_env.globals["my_accounts"] = lambda: accounts.list_accounts_of(g.user.id) if "user" in g else ()
    wire(app)
    health(app)
    stand_in_front(app, settings)
    return app


def put_in_force(settings: Settings, ports: Ports) -> None:
    """What holds for the whole process and not for one application object: settings, keys, clock, outside parts, listeners, schedule."""
    use(settings)
    ids.use_keys(list(settings.secret_keys))
    clock.follow(settings.clock_file)
    log.configure(settings.log_format)
    use_ports(ports)
    billing.use_meters(wiring.METERS)
    contacts.use_sources(wiring.TIMELINE, wiring.CONTACT_PANELS)
    events.connect(wiring.SUBSCRIPTIONS, outbox.enqueue)
    schedule.use(wiring.SCHEDULE)


def stand_in_front(app: Flask, settings: Settings) -> None:
    """What answers before Flask does: referral links, and belief in the proxies."""
    redirect.install(app, settings)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def configure(app: Flask, settings: Settings) -> None:
    """Flask's own switches."""
    hosts = {settings.host.rpartition(":")[0] if ":" in settings.host else settings.host, *settings.trusted_hosts, "127.0.0.1", "localhost"}
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(settings),
        SESSION_COOKIE_NAME="__Host-wb" if settings.secure else "wb",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        TRUSTED_HOSTS=sorted(hosts),
        MAX_CONTENT_LENGTH=210 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        TESTING=settings.testing,
    )


def sign_in(app: Flask) -> None:
    """Flask-Login over our session rows."""
    manager = LoginManager()
    # Templates know the person from the doors; a page that says the database is away must not ask it who is there.
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(guards.load_session)
    app.before_request(guards.note_presence)


def wire(app: Flask) -> None:
    """The part of the map that an application object holds: the doors."""
    for blueprint, prefix, door in wiring.BLUEPRINTS:
        path = f"/<account>{prefix}" if door.account_in_path else prefix
        app.register_blueprint(blueprint, url_prefix=path or None)
        guards.attach(app, blueprint.name, door)
    checked = {blueprint.name for blueprint, _, door in wiring.BLUEPRINTS if door.csrf}

    @app.before_request
    def _protect() -> None:
        if request.blueprint in checked:
            csrf.protect()


def health(app: Flask) -> None:
    """`/healthz`: the process answers. `/readyz`: the database does too."""

    @app.get("/healthz")
    def healthz() -> Any:
        return {"ok": True, "mark": app.config.get("MARK", "")}

    @app.get("/readyz")
    def readyz() -> Any:
        try:
            db.session.execute(text("SELECT 1 FROM account LIMIT 1")).first()
        except Exception:
            db.session.rollback()
            return {"ok": False}, 503
        return {"ok": True}

    app.jinja_env.globals["static"] = lambda name: url_for("static", filename=name)
