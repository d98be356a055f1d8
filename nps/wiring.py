"""THE MAP: who may enter where, what follows what, what the clock starts, what the operator can type."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click
from flask import Blueprint

from nps.accounts import cli as accounts_cli
from nps.accounts import events as accounts_events
from nps.accounts import guards
from nps.accounts import tasks as accounts_tasks
from nps.accounts import views as accounts_views
from nps.accounts.guards import Door
from nps.analytics import api as analytics_api
from nps.analytics import cli as analytics_cli
from nps.analytics import service as analytics
from nps.analytics import tasks as analytics_tasks
from nps.analytics import views as analytics_views
from nps.analytics.queries import usage as analytics_usage
from nps.api import views as api_views
from nps.billing import cli as billing_cli
from nps.billing import events as billing_events
from nps.billing import service as billing_service
from nps.billing import tasks as billing_tasks
from nps.billing import views as billing_views
from nps.billing import webhook as billing_webhook
from nps.billing.queries import Count
from nps.campaigns import api as campaigns_api
from nps.campaigns import events as campaigns_events
from nps.campaigns import queries as campaigns_queries
from nps.campaigns import service as campaigns
from nps.campaigns import tasks as campaigns_tasks
from nps.campaigns import views as campaigns_views
from nps.causes import events as causes_events
from nps.causes import views as causes_views
from nps.contacts import api as contacts_api
from nps.contacts import events as contacts_events
from nps.contacts import queries as contacts_queries
from nps.contacts import service as contacts
from nps.contacts import tasks as contacts_tasks
from nps.contacts import views as contacts_views
from nps.contacts.rules.timeline import PanelSource, Source
from nps.core.events import Subscriptions, later, now
from nps.delivery import events as delivery_events
from nps.delivery import public as delivery_public
from nps.delivery import queries as delivery_queries
from nps.delivery import tasks as delivery_tasks
from nps.delivery import views as delivery_views
from nps.delivery import webhook as delivery_webhook
from nps.followups import events as followups_events
from nps.followups import public as followups_public
from nps.followups import queries as followups_queries
from nps.followups import service as followups
from nps.followups import tasks as followups_tasks
from nps.followups import views as followups_views
from nps.referrals import api as referrals_api
from nps.referrals import events as referrals_events
from nps.referrals import public as referrals_public
from nps.referrals import service as referrals
from nps.referrals import tasks as referrals_tasks
from nps.referrals import views as referrals_views
from nps.responses import api as responses_api
from nps.responses import public as responses_public
from nps.responses import service as responses
from nps.responses import tasks as responses_tasks
from nps.responses import views as responses_views
from nps.responses.events import ResponseRecounted, ResponseUncounted, ResponseUpdated, ResponseVerified
from nps.rewards import api as rewards_api
from nps.rewards import events as rewards_events
from nps.rewards import public as rewards_public
from nps.rewards import service as rewards
from nps.rewards import tasks as rewards_tasks
from nps.rewards import views as rewards_views
from nps.rewards import webhook as rewards_webhook
from nps.routing import public as routing_public
from nps.routing import service as routing
from nps.routing import views as routing_views
from nps.surveys import models as surveys_models
from nps.web.navigation import BadgeSource

# (blueprint, url prefix, door): exactly one door each.
BLUEPRINTS: list[tuple[Blueprint, str, Door]] = [
    # accounts
    (accounts_views.blueprint, "", guards.visitor_door()),
    (accounts_views.start, "", guards.signed_in_door()),
    (accounts_views.guide, "", guards.member_door("setup")),
    (accounts_views.settings, "", guards.member_door("settings.read", "settings", each={"audit_log": "audit"})),
    (accounts_views.team, "", guards.member_door("members.read", "members")),
    (accounts_views.keys, "", guards.member_door("settings.read", "settings")),
    (accounts_views.you, "", guards.member_door("overview")),
    # contacts
    (contacts_views.contacts, "", guards.member_door("contacts.read", "contacts.write", each=contacts_views.RIGHTS)),
    (contacts_views.imports, "", guards.member_door("contacts.write")),
    (contacts_views.segments, "", guards.member_door("contacts.read", "contacts.write")),
    # referrals
    (
        referrals_views.blueprint,
        "",
        guards.member_door(
            "advocates.read",
            "programs.write",
            each={"edit": "programs.write", "sales": "friends.read", "credit": "programs.write", "friend_preview": "advocates.read"},
        ),
    ),
    (referrals_public.blueprint, "", guards.resolved_door("referral_link", referrals_public.resolve)),
    # rewards
    (rewards_views.blueprint, "", guards.member_door("rewards.read", "rewards.decide", each={"stripe": "rewards.limits"})),
    (rewards_public.way_in, "", guards.token_door("portal")),
    (rewards_public.portal, "", guards.resolved_door("portal", rewards_public.resolve)),
    (rewards_webhook.blueprint, "", guards.provider_door()),
    # billing
    (billing_views.billing, "", guards.member_door("billing.read", "billing.write")),
    (billing_webhook.webhook, "/in/billing", guards.provider_door()),
    # analytics
    (analytics_views.blueprint, "", guards.member_door("overview")),
    # delivery
    (delivery_public.blueprint, "", guards.token_door("stop")),
    (delivery_views.blueprint, "", guards.dev_mail_door()),
    (delivery_webhook.blueprint, "", guards.provider_door()),
    # campaigns
    (
        campaigns_views.blueprint,
        "/campaigns",
        guards.member_door(
            "campaigns.read",
            "campaigns.write",
            each=dict.fromkeys(("launch", "back_to_draft", "pause", "resume", "stop", "archive", "resend"), ("campaigns.read", "sending")),
        ),
    ),
    # causes
    (causes_views.blueprint, "", guards.member_door("causes.read", "causes.write")),
    # followups
    (followups_public.blueprint, "", guards.token_door("solved")),
    (
        followups_views.blueprint,
        "",
        guards.member_door(
            "cases.read",
            "cases.work",
            each={
                "note": ("cases.read", "cases.note"),
                "queues": "queues.write",
                "queue": "queues.write",
                "new_queue": "queues.write",
                "delete_queue": "queues.write",
            },
        ),
    ),
    # responses
    (responses_views.blueprint, "", guards.member_door("responses.read", "responses.review", each={"download": "responses.export"})),
    (responses_public.blueprint, "", guards.token_door("survey", writes=True)),
    # routing
    (routing_views.blueprint, "", guards.member_door("routing.write")),
    (routing_public.blueprint, "", guards.token_door("survey")),
    # api
    (api_views.blueprint, "", guards.public_door()),
    (contacts_api.blueprint, "/api/v1", guards.api_key_door("contacts")),
    (campaigns_api.blueprint, "/api/v1", guards.api_key_door("campaigns")),
    (responses_api.blueprint, "/api/v1", guards.api_key_door("responses")),
    (referrals_api.blueprint, "/api/v1", guards.api_key_door("conversions")),
    (referrals_api.programs, "/api/v1", guards.api_key_door("programs")),
    (rewards_api.blueprint, "/api/v1", guards.api_key_door("rewards")),
    (analytics_api.blueprint, "/api/v1", guards.api_key_door("responses")),
]

# {Event: [now(handler), later("feature.task")]}
SUBSCRIPTIONS: Subscriptions = {
    campaigns_events.CampaignLaunched: [later("campaigns.plan")],
    delivery_events.MessagesAboutToLeave: [now(campaigns.note_leaving)],
    delivery_events.MessagesSettled: [now(campaigns.note_settled), now(followups.messages_settled)],
    delivery_events.MessageReceipt: [now(campaigns.note_receipt), now(followups.receipt_arrived)],
    delivery_events.ContactSuppressed: [now(campaigns.note_suppressed)],
    delivery_events.ReplyReceived: [now(campaigns.note_reply), now(responses.take_reply), now(followups.reply_received)],
    delivery_events.BatchPaused: [now(campaigns.note_batch_paused)],
    contacts_events.ContactErased: [now(campaigns.note_erased), now(followups.contact_erased), later("analytics.forget")],
    ResponseVerified: [now(routing.route), now(analytics.note)],
    ResponseUpdated: [now(routing.reroute), now(analytics.note), now(referrals.withdraw_for_answer)],
    ResponseUncounted: [now(analytics.note), now(referrals.withdraw_for_answer)],
    ResponseRecounted: [now(routing.route_again), now(analytics.note)],
    accounts_events.AccountOpened: [now(billing_service.begin), now(referrals.open_first)],
    referrals_events.ReferralSettled: [now(rewards.weigh)],
    referrals_events.AdvocateLeft: [now(rewards.cancel_for_removed)],
    contacts_events.ImportFinished: [later("contacts.tell_import_ended")],
    delivery_events.YearlyChosen: [now(contacts.note_yearly)],
    accounts_events.MemberRemoved: [now(followups.member_removed)],
    followups_events.CaseOpened: [now(referrals.pause_for_case)],
    followups_events.CaseReopened: [now(referrals.pause_for_case)],
    followups_events.CaseClosed: [now(referrals.resume_after_case)],
    accounts_events.RoleChanged: [now(followups.role_changed)],
    delivery_events.AutoReplyReceived: [now(followups.auto_reply_received)],
}

# Events nobody listens to, on purpose (with the reason).
SILENT: dict[type, str] = {
    campaigns_events.InvitationsPlanned: "counts are read from the invitations",
    campaigns_events.InvitationsAsked: "the clock of these people is started in the same transaction",
    campaigns_events.CampaignPaused: "the page reads the state",
    campaigns_events.CampaignResumed: "the page reads the state",
    campaigns_events.CampaignStopped: "the page reads the state",
    campaigns_events.WaveFinished: "the page reads the state",
    accounts_events.MemberJoined: "a new member starts with what everybody sees",
    delivery_events.SendingPaused: "kept in the account's sending state",
    delivery_events.SendingWarned: "kept in the account's sending state",
    delivery_events.SuppressionLifted: "the sender reads the stop itself",
    referrals_events.AdvocateEnrolled: "the thank-you page carries the link already",
    referrals_events.ShareRecorded: "figures count shares from their rows",
    referrals_events.ReferralMoved: "steps are read from their rows",
    referrals_events.ConversionRecorded: "rewards hear of it with the settled referral",
    referrals_events.ConversionAdjusted: "rewards hear of it with the settled referral",
    rewards_events.RewardMoved: "steps are read from their rows",
    rewards_events.RewardIssued: "the share page reads the ledger",
    billing_events.PlanChanged: "limits are written down in the same transaction",
    contacts_events.ContactCreated: "for the webhooks to come",
    contacts_events.ContactUpdated: "for the webhooks to come",
    contacts_events.ImportUndone: "for the webhooks to come",
    causes_events.CauseMoved: "the register shows the state; outgoing webhooks are not told about causes",
    followups_events.CaseAssigned: "the new owner is told by mail in the same transaction",
    followups_events.CaseReplied: "figures read the case itself",
    followups_events.CaseWaiting: "figures read the case itself",
    followups_events.CustomerWrote: "the owner is told by mail in the same transaction",
    followups_events.CaseOverdue: "owner and lead are told by mail in the same transaction",
    followups_events.CaseEscalated: "the people of the step are told by mail in the same transaction",
}

# (task, every)
SCHEDULE: list[tuple[str, timedelta]] = [
    ("accounts.tidy", timedelta(hours=6)),
    ("contacts.forget_files", timedelta(hours=6)),
    ("billing.look_daily", timedelta(hours=24)),
    (analytics_tasks.FOLD_ALL, timedelta(seconds=30)),
    (analytics_tasks.CHOOSE_ALL, timedelta(hours=1)),
    (analytics_tasks.PROVE_ALL, timedelta(days=1)),
    ("campaigns.tick", timedelta(seconds=30)),
    ("delivery.sweep", timedelta(minutes=5)),
    ("referrals.replay_clicks", timedelta(minutes=1)),
    ("referrals.roll_up", timedelta(minutes=5)),
    ("referrals.expire", timedelta(hours=1)),
    ("rewards.keep_time", timedelta(minutes=5)),
    ("delivery.tidy", timedelta(days=1)),
    ("followups.watch", timedelta(minutes=1)),
]

# click groups of `nps`
COMMANDS: list[click.Command] = [
    accounts_cli.account,
    accounts_cli.user,
    analytics_cli.rollups,
    billing_cli.billing,
]

# {badge name of nps/web/navigation.py: function that counts what waits, in the account's scope}
BADGES: dict[str, BadgeSource] = {"followups": followups_views.badge, "rewards": rewards_views.badge}

# {task of the set-up guide: function that says whether it is done, in the account's scope}
FACTS: dict[str, Callable[[], object]] = {
    "contacts": contacts_queries.count_contacts,
    "owner": followups_queries.somebody_answers,
    "domain": delivery_queries.verified_sender_domain,
    "survey": campaigns_queries.count_campaigns,
}

# What floors above tell the pages of answers: what counting one would start or what became of it.
ANSWER_WORDS: dict[str, Callable[..., Any]] = {"outlook": routing.outlook}

# {meter of billing: function of (start, end) that counts in the account's scope}
METERS: dict[str, Count] = {
    "answers": analytics_usage.count_for_plan,
    "emails": campaigns_queries.count_emails,
    "contacts": lambda start, end: contacts_queries.count_contacts(),
}

# Entries and panels that features above put on the page of a contact: functions of the contact's id, in the account's scope
TIMELINE: list[Source] = [campaigns_views.timeline, responses_views.timeline, followups_views.timeline, referrals_views.timeline]
CONTACT_PANELS: list[PanelSource] = [responses_views.panels, referrals_views.panels, campaigns_views.panels]

# Task modules register themselves when they are imported.
TASK_MODULES = (
    accounts_tasks,
    analytics_tasks,
    billing_tasks,
    campaigns_tasks,
    contacts_tasks,
    delivery_tasks,
    responses_tasks,
    rewards_tasks,
    referrals_tasks,
    followups_tasks,
)

# Table modules that others point at, of features whose pages are not on the map yet.
TABLE_MODULES = (surveys_models,)
