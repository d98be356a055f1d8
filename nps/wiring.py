"""THE MAP: who may enter where, what follows what, what the clock starts, what the operator can type."""

from datetime import timedelta

import click
from flask import Blueprint

from nps.accounts import guards
from nps.accounts import views as accounts_views
from nps.accounts.guards import Door
from nps.api import views as api_views
from nps.core.events import Subscriptions
from nps.web.navigation import BadgeSource

# (blueprint, url prefix, door): exactly one door each.
BLUEPRINTS: list[tuple[Blueprint, str, Door]] = [
    # accounts
    (accounts_views.blueprint, "", guards.visitor_door()),
    (accounts_views.start, "", guards.signed_in_door()),
    # api
    (api_views.blueprint, "", guards.public_door()),
]

# {Event: [now(handler), later("feature.task")]}
SUBSCRIPTIONS: Subscriptions = {}

# Events nobody listens to, on purpose (with the reason).
SILENT: dict[type, str] = {}

# (task, every)
SCHEDULE: list[tuple[str, timedelta]] = []

# click groups of `nps`
COMMANDS: list[click.Command] = []

# {badge name of nps/web/navigation.py: function that counts what waits, in the account's scope}
BADGES: dict[str, BadgeSource] = {}
