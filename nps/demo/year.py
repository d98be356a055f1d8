"""A year at the sample company, lived through the product's own services with its clock moved: nothing is written past them.

Every month a wave goes out; people answer, machines look, detractors are written to and their cases closed, promoters share, friends
come and pay, rewards are approved and handed over. The last days leave work to do.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select

from nps.accounts.models import Account, Membership
from nps.campaigns import service as campaigns
from nps.campaigns.models import Invitation
from nps.causes import queries as causes
from nps.contacts import queries as contacts
from nps.contacts import service as contacts_service
from nps.contacts.rules.properties import Kind
from nps.contacts.service import segments
from nps.core import clock, ids, tenancy
from nps.core import db as database
from nps.core.db import db
from nps.demo import people, words
from nps.followups import queries as followups
from nps.followups import service as followups_service
from nps.followups.service import Closure
from nps.jobs import executor, schedule
from nps.referrals import queries as referrals
from nps.referrals import service as referrals_service
from nps.referrals.models import Click, Program, ProgramChange
from nps.referrals.rules.clicks import click_ref
from nps.referrals.rules.stripe_events import Keys
from nps.responses import queries as responses
from nps.responses import service as responses_service
from nps.responses.rules import Seen, Sent
from nps.rewards import queries as rewards
from nps.rewards import service as rewards_service
from nps.rewards.rules.machine import Tab
from nps.scoring.groups import nps_group

CUSTOMERS = 640
WAVES = tuple(range(342, 0, -31))  # days ago; each month a third of the customers, so that nobody is asked twice in 90 days
THIRDS = (("Maine", "Massachusetts"), ("New Hampshire", "Vermont"), ("New York",))
CHROME = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile Safari/604.1"
SCANNER = "Mozilla/5.0 (compatible; LinkGuard/2.1)"
Act = Callable[[], object]


@dataclass
class Year:
    """Events by time; each runs as one unit of work at its own moment, none after `until`."""

    account: Account
    team: list[Membership]
    say: Callable[[str], None]
    until: datetime
    _todo: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _number: "count[int]" = field(default_factory=count)
    _causes: dict[str, str] = field(default_factory=dict)
    moods: dict[UUID, people.Person] = field(default_factory=dict)
    thirds: list[UUID] = field(default_factory=list)

    def on(self, moment: datetime, act: Act) -> None:
        """Something will happen, unless it lies after the end."""
        if moment < self.until:
            heapq.heappush(self._todo, (moment, next(self._number), act))

    def live(self) -> None:
        """Everything in its order; jobs and the schedule run every five days and after each wave."""
        began = self._todo[0][0]
        rest = began + timedelta(days=5)
        month = None
        while self._todo:
            moment, _, act = heapq.heappop(self._todo)
            while moment > rest:
                self.work(rest)
                rest += timedelta(days=5)
            if (moment.year, moment.month) != month:
                month = (moment.year, moment.month)
                self.say(f"Living through {moment:%B %Y}")
            self.do(moment, act)
        self.work(self.until)

    def do(self, moment: datetime, act: Act) -> None:
        """One unit of work at this moment, in the company's scope."""
        clock.move(moment - clock.now())
        with tenancy.account_scope(self.account.id), database.unit():
            act()
        db.session.expunge_all()

    def work(self, moment: datetime) -> None:
        """What a worker would do up to this moment."""
        clock.move(moment - clock.now())
        with tenancy.unscoped("the schedule serves all accounts"), database.unit():
            schedule.tick()
        executor.drain(most=100_000)


def live(account: Account, team: list[Membership], say: Callable[[str], None]) -> None:
    """Fill the company's last year. The clock is back in the present afterwards."""
    now = clock.now()
    year = Year(account, team, say, until=now)
    first = WAVES[0] + 14
    try:
        year.do(now - timedelta(days=first + 44), lambda: _set_up(year, now))
        for number, ago in enumerate(WAVES):
            year.on(now - timedelta(days=ago, hours=3), _wave(year, number))
        for day in range(first, 6, -7):
            year.on(now - timedelta(days=day, hours=2), lambda: _decide_rewards(year))
        year.live()
    finally:
        clock.reset()


def _set_up(year: Year, now: datetime) -> None:
    """Customers, the referral program, the follow-up queue."""
    for label, choices in (("Plan", ("Starter", "Growth", "Scale", "Partner")), ("Region", people.REGIONS)):
        contacts_service.define_property(label, Kind.ONE_OF, choices=choices)
    for person in people.people(CUSTOMERS, now.date()):
        contact, _ = contacts_service.upsert(
            {
                "email": person.email,
                "name": person.name,
                "company": person.company,
                "external_id": f"LF-{10_000 + person.number}",
                "time_zone": person.zone,
                "country": "US",
                "customer_since": person.since.isoformat(),
                "monthly_value": {"amount": person.value_minor, "currency": "USD"},
                "properties": {"plan": person.plan, "region": person.region},
            },
            source="import",
        )
        year.moods[contact.id] = person
    for regions in THIRDS:
        rule = {"field": "p.region", "op": "one_of", "value": list(regions)}
        year.thirds.append(segments.save_segment(None, " and ".join(regions), {"match": "all", "rules": [rule]}, by="Ines Marchetti").id)
    followups_service.default_queue()
    program = referrals_service.ensure_default()
    _as_old_as_the_year(program)
    referrals_service.save_program(program, words.OFFER, "Ines Marchetti")
    referrals_service.go_live(program, "Ines Marchetti")


def _as_old_as_the_year(program: Program) -> None:
    """The company is opened today, and its program with it. Left so, the program would count as a draft again from today on."""
    now = clock.now()
    program.created_at = referrals.newest_version(program.id).created_at = now
    for change in db.session.scalars(select(ProgramChange).where(ProgramChange.program_id == program.id)):
        change.occurred_at = now
    db.session.flush()


def _wave(year: Year, number: int) -> Act:
    def launch() -> None:
        campaign = campaigns.create(f"{clock.now():%B} relationship survey", by=year.team[0].user_id)
        campaign.reminder_days = None
        campaign.send_now, campaign.spread_days = True, 1
        campaign.segment_id = year.thirds[number % len(THIRDS)]
        db.session.flush()
        campaigns.launch(campaign.id, by_name="Ines Marchetti")
        campaign_id = campaign.id
        moment = clock.now()
        year.on(moment + timedelta(minutes=1), lambda: None)
        year.on(moment + timedelta(minutes=2), lambda: _people_answer(year, campaign_id, number))

    def launch_and_send() -> None:
        launch()
        db.session.commit()
        year.work(clock.now())
        year.work(clock.now() + timedelta(seconds=30))

    return launch_and_send


def _people_answer(year: Year, campaign_id: UUID, wave: int) -> None:
    """Decide who of those asked opens, answers and when; about every fourth answers, most of them soon."""
    asked = db.session.scalars(select(Invitation).where(Invitation.campaign_id == campaign_id, Invitation.asked_at.is_not(None))).all()
    sent = clock.now()
    for invitation in asked:
        person = year.moods.get(invitation.contact_id) if invitation.contact_id else None
        if person is None:
            continue
        key = f"{wave} {person.number}"
        invitation_id, contact_id = invitation.id, invitation.contact_id
        assert contact_id is not None
        if ids.bucket(f"scanned {key}", 100) < 22:
            year.on(sent + timedelta(seconds=20 + ids.bucket(f"when scanned {key}", 40)), partial(_machine_looks, invitation_id))
        if ids.bucket(f"answers {key}", 100) >= 34:
            continue
        minutes = 20 + ids.bucket(f"minutes {key}", 300) * (1 + ids.bucket(f"days {key}", 40) // 4)
        year.on(sent + timedelta(minutes=minutes), partial(_answer, year, invitation_id, contact_id, person, wave, key))


def _machine_looks(invitation_id: UUID) -> None:
    """A mail scanner opens several links. It leaves hits and nothing else."""
    link = responses.open_link(invitation_id)
    for score in (0, 5, 10):
        responses_service.look(link, Seen(clock.now(), "view", "GET", score, "203.0.113.0/24", SCANNER), timed=False)


def _answer(year: Year, invitation_id: UUID, contact_id: UUID, person: people.Person, wave: int, key: str) -> None:
    """A person opens the link and sends the form."""
    score = words.score_for(person.mood, wave, len(WAVES), key)
    theme, text = words.comment(nps_group(score), key)
    network = f"198.51.{ids.bucket(f'network {person.number}', 200)}.0/24"
    agent = PHONE if ids.bucket(f"phone {person.number}", 2) else CHROME
    now = clock.now()
    link = responses.open_link(invitation_id)
    if link.erased or not responses_service.is_open(link, now):
        return
    responses_service.look(link, Seen(now - timedelta(seconds=40), "view", "GET", score, network, agent), timed=False)
    answer = responses_service.Answer(score, text, score <= 6 and ids.bucket(f"wish {key}", 100) < 40)
    sent = Sent(now, network, agent, now - timedelta(seconds=40), "press", False, bool(text))
    responses_service.record(link, answer, sent, timed=False)
    response = responses.find_response(invitation_id)
    if response is None:
        return
    db.session.flush()
    case = followups.find_case_of_response(response.id)
    if case is not None:
        _follow_up(year, case.id, case.due_at, theme, key)
    program = referrals.default_program()
    advocate = referrals.advocate_of(program.id, contact_id) if program is not None else None
    if advocate is not None and ids.bucket(f"shares {key}", 100) < 46:
        hours = 1 + ids.bucket(f"share after {key}", 90)
        year.on(now + timedelta(hours=hours), partial(_share, year, advocate.id, key))


def _member(year: Year, case_id: UUID) -> Membership:
    owner = followups.get_case(case_id).owner_id
    return next((m for m in year.team if m.id == owner), year.team[0])


def _follow_up(year: Year, case_id: UUID, due_at: datetime | None, theme: str, key: str) -> None:
    """Somebody writes, nine times in ten in time; the case is closed some days later with what was learned."""
    now = clock.now()
    room = (due_at - now) if due_at is not None else timedelta(hours=4)
    late = ids.bucket(f"late {key}", 100) < 8
    after = room * (ids.bucket(f"reply {key}", 70) + 15) / 100
    if late:
        after = room + timedelta(minutes=25 + ids.bucket(f"by {key}", 400))
    if year.until - now < timedelta(hours=26) and ids.bucket(f"leave {key}", 100) < 75:
        return
    year.on(now + after, lambda: _reply(year, case_id, theme, key))


def _reply(year: Year, case_id: UUID, theme: str, key: str) -> None:
    case = followups.get_case(case_id)
    if not case.is_open:
        return
    actor = _member(year, case_id)
    contact = contacts.get_contact(case.contact_id)
    owner = followups.names_of_members().get(actor.id, "Larkfield").split(" ")[0]
    body = words.REPLY[ids.bucket(f"which reply {key}", len(words.REPLY))].format(first=contact.called or "there", owner=owner)
    followups_service.reply(case_id, actor, body, seen=case.last_number)
    days = 2 + ids.bucket(f"close {key}", 6)
    if ids.bucket(f"stays {key}", 100) >= 6:
        year.on(clock.now() + timedelta(days=days, minutes=ids.bucket(f"close at {key}", 300)), lambda: _close(year, case_id, theme, key))


def _close(year: Year, case_id: UUID, theme: str, key: str) -> None:
    case = followups.get_case(case_id)
    if not case.is_open:
        return
    known = {cause.name: str(cause.id) for cause in causes.list_causes()}
    name = words.CAUSES.get(theme)
    outcome = ("fixed", "fixed", "explained", "explained", "compensated", "cannot_fix")[ids.bucket(f"outcome {key}", 6)]
    closure = Closure(
        outcome=outcome,
        learning=words.LEARNING.get(theme, "Nothing new: the same cause as in earlier answers."),
        cause=known.get(name or "", "") if name else followups_service.NOT_CLEAR,
        new_cause=name if name and name not in known else "",
    )
    followups_service.close(case_id, _member(year, case_id), closure)


def _share(year: Year, advocate_id: UUID, key: str) -> None:
    advocate = referrals.get_advocate(advocate_id)
    if advocate.state not in ("invited", "active"):
        return
    channel = ("cp", "em", "wa", "wa", "tx", "li")[ids.bucket(f"channel {key}", 6)]
    referrals_service.share(advocate, channel)
    for number in range(1 + ids.bucket(f"clicks {key}", 6)):
        hours = 1 + ids.bucket(f"click {number} {key}", 150)
        year.on(clock.now() + timedelta(hours=hours), partial(_click, year, advocate_id, channel, f"{number} {key}", first=number == 0))


def _click(year: Year, advocate_id: UUID, channel: str, key: str, *, first: bool) -> None:
    """A friend, or a program that previews links, opens the referral link; every third first friend takes the offer."""
    link = referrals.link_of(advocate_id)
    bot = ids.bucket(f"bot {key}", 100) < 18
    click = Click(
        link_id=link.id,
        channel=channel,
        occurred_at=clock.now(),
        verdict="bot" if bot else "human",
        signs=1 if bot else 0,
        device="phone" if ids.bucket(f"device {key}", 2) else "desktop",
        browser="Chrome",
        visitor=ids.keyed_hash("demo visitor", key),
    )
    db.session.add(click)
    db.session.flush()
    if first and not bot and ids.bucket(f"claims {key}", 100) < 42:
        first_name = people.FIRST[ids.bucket(f"friend {key}", len(people.FIRST))]
        place = people.PLACE[ids.bucket(f"friend place {key}", len(people.PLACE))]
        email = f"{first_name.lower()}.{ids.bucket(f'friend number {key}', 10_000)}@{place.lower()}friends.example"
        year.on(clock.now() + timedelta(minutes=4), lambda: _claim(year, link.id, click.id, email, key))


def _claim(year: Year, link_id: UUID, click_id: UUID, email: str, key: str) -> None:
    link = referrals.get_link(link_id)
    advocate = referrals.get_advocate(link.advocate_id)
    program = referrals.get_program(advocate.program_id)
    if not referrals_service.open_for_friends(advocate, program):
        return
    came_by, hashes = click_ref(click_id), {"ip_hash": ids.keyed_hash("demo", email), "agent_hash": ids.keyed_hash("demo", key)}
    referrals_service.claim(link, email, click_ref=came_by, **hashes)
    if ids.bucket(f"pays {key}", 100) < 62:
        amount = (2_900, 4_900, 9_900, 19_900)[ids.bucket(f"amount {key}", 4)]
        stays = next((month for month in range(1, 13) if ids.bucket(f"leaves {key} {month}", 100) < 7), 13)
        for month in range(stays):
            days = 3 + ids.bucket(f"pays after {key}", 14) + 30 * month
            year.on(clock.now() + timedelta(days=days), partial(_pay, email, amount, f"LF-{key.replace(' ', '-')}-{month}"))


def _pay(email: str, amount: int, number: str) -> None:
    keys = Keys(email=email, country="US")
    referrals_service.convert(
        "api",
        number,
        gross=amount,
        net=amount,
        currency="USD",
        occurred_at=clock.now(),
        keys=keys,
        product="Larkfield",
        subscription=number.rpartition("-")[0],
    )


def _decide_rewards(year: Year) -> None:
    """Once a week Ines looks at the rewards: clean ones are approved, approved ones handed over."""
    now, actor = clock.now(), "Ines Marchetti"
    waiting: list[Any] = [row.reward for row in rewards.list_rows(Tab.WAIT, now)]
    ripe = [reward.id for reward in waiting if now - reward.occurred_at > timedelta(days=3)]
    rewards_service.approve_clean(ripe, year.team[0].id, actor)
    db.session.flush()
    for row in rewards.list_rows(Tab.NEXT, now):
        if row.reward.state == "approved":
            rewards_service.mark_paid(row.reward.id, actor, "credit on the next invoice")
