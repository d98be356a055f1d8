"""What an advocate's share page shows: dates and states of friends, never who they are or what they pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from nps.accounts import queries as accounts
from nps.contacts.models import Contact
from nps.core import clock, tenancy
from nps.core.money import Money, format_money
from nps.referrals import queries as referrals
from nps.referrals.models import Advocate, Program, ProgramVersion, Referral, ReferralLink, ReferralVerdict
from nps.referrals.queries.people import spoken_words
from nps.referrals.rules import checks, qr, sharing
from nps.referrals.rules.journeys import ReferralState
from nps.rewards.models import Reward
from nps.rewards.queries.ledger import amounts, standing
from nps.rewards.queries.rewards import declined_words, rewards_of_referrals
from nps.rewards.rules.machine import RewardState

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
TRAIL_MIN, TRAIL_MAX = 5, 12


@dataclass(frozen=True)
class Pal:
    """One friend, by date: state is "good", "warn", "bad" or ""."""

    when: str
    state: str
    icon: str
    text: str
    sub: str


@dataclass(frozen=True)
class Goal:
    """One step of the trail; `extra` is what comes on top."""

    text: str
    extra: str


@dataclass(frozen=True)
class Share:
    """Everything on the page."""

    advocate: Advocate
    contact: Contact
    program: Program
    version: ProgramVersion
    link: ReferralLink
    address: str
    ways: list[sharing.Way]
    words: str
    words_waiting: bool
    qr_side: int
    qr_path: str
    heading: str
    done: int
    goals: list[Goal]
    on_top: str
    credited: str
    on_its_way: str
    visits: int
    pals: list[Pal]
    questions: list[tuple[str, str]]


def share_page(advocate_id: UUID) -> Share:
    """The share page of one advocate, as it stands now. Raises NotFound."""
    now = clock.now()
    advocate = referrals.get_advocate(advocate_id)
    program = referrals.get_program(advocate.program_id)
    version = referrals.version_at(program.id, now)
    link = referrals.link_of(advocate.id)
    address = referrals.link_address(link)
    words = spoken_words(advocate, version)
    side, path = qr.path(f"{address}/qr")
    friends = referrals.friends_of_advocate(advocate.id)
    done = sum(r.state in (ReferralState.QUALIFIED, ReferralState.REWARDED, ReferralState.CLOSED) for r in friends)
    sums = standing(advocate.id)
    account = accounts.get_account(tenancy.current())
    zero = format_money(0, account.currency)
    contact = referrals.contact_of(advocate)
    return Share(
        advocate=advocate,
        contact=contact,
        program=program,
        version=version,
        link=link,
        address=address,
        ways=sharing.ways(address, version.share_subject, words, tuple(program.channels) or sharing.DEFAULT_WAYS),
        words=advocate.words or version.share_words,
        words_waiting=advocate.words_state == "waiting",
        qr_side=side,
        qr_path=path,
        heading=_heading(done, version),
        done=done,
        goals=_goals(version, account.currency),
        on_top=_on_top(version),
        credited=" + ".join(str(s.credited) for s in sums if s.credited.minor) or zero,
        on_its_way=" + ".join(str(s.on_its_way) for s in sums if s.on_its_way.minor) or zero,
        visits=referrals.visits_of([advocate.id])[advocate.id],
        pals=_pals(friends, version, ZoneInfo(account.time_zone)),
        questions=_questions(version, contact, account.name, account.currency),
    )


def _flat(version: ProgramVersion, currency: str) -> int:
    """The flat amount per friend, 0 where the reward is of another kind."""
    return next((int(r.get("amounts", {}).get(currency, 0)) for r in version.rules if r.get("kind", "flat") == "flat"), 0)


def _heading(done: int, version: ProgramVersion) -> str:
    """ "One friend away from a free month", else how many friends there are."""
    for count, what in sorted(version.milestones):
        if done < count:
            away = count - done
            number = NUMBERS[away] if away < len(NUMBERS) else str(away)
            return f"{number} friend{'' if away == 1 else 's'} away from {what}"
    if not done:
        return "Your first friend is one message away"
    return f"{NUMBERS[done] if done < len(NUMBERS) else done} friend{'' if done == 1 else 's'} so far"


def _goals(version: ProgramVersion, currency: str) -> list[Goal]:
    """The trail: what the first friends add up to. Empty for rewards that are not a flat amount."""
    flat = _flat(version, currency)
    extras = {int(count): str(what) for count, what in version.milestones}
    if not flat and not extras:
        return []
    steps = min(TRAIL_MAX, max([TRAIL_MIN, *extras]))
    return [
        Goal(format_money(flat * n, currency) if flat else str(n), f"{extras[n]} and " if n in extras and flat else extras.get(n, ""))
        for n in range(1, steps + 1)
    ]


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def _on_top(version: ProgramVersion) -> str:
    """ "Your third and fifth friend each add a free month on top of the credit."."""
    if not version.milestones:
        return ""
    names = [_ORDINALS[int(n) - 1] if int(n) <= len(_ORDINALS) else f"{n}th" for n, _ in sorted(version.milestones)]
    what = {str(w) for _, w in version.milestones}
    top = "on top of the credit" if "credit" in version.advocate_words.lower() else "on top"
    if len(what) == 1 and len(names) > 1:
        return f"Your {', '.join(names[:-1])} and {names[-1]} friend each add {what.pop()} {top}."
    return " ".join(f"Your {name} friend adds {w} {top}." for name, (_, w) in zip(names, sorted(version.milestones), strict=True))


def _pals(friends: Sequence[Referral], version: ProgramVersion, zone: ZoneInfo) -> list[Pal]:
    rewards: dict[UUID, list[Reward]] = {}
    for reward in rewards_of_referrals([r.id for r in friends]):
        rewards.setdefault(reward.referral_id, []).append(reward)
    sums = amounts([r.id for rows in rewards.values() for r in rows])
    verdicts = referrals.list_verdicts([r.id for r in friends])
    return [_pal(r, rewards.get(r.id, []), sums, verdicts[r.id], version, zone) for r in friends]


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    if at is None:
        return ""
    local = at.astimezone(zone)
    year = "" if local.year == clock.now().astimezone(zone).year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"


def _pal(
    referral: Referral,
    rewards: list[Reward],
    sums: dict[UUID, int],
    verdicts: list[ReferralVerdict],
    version: ProgramVersion,
    zone: ZoneInfo,
) -> Pal:
    """One friend in words. `when` never names a person, `sub` never names an amount of theirs."""
    joined = referral.signed_up_at or referral.claimed_at or referral.created_at
    when = f"{'Joined' if referral.signed_up_at else 'Invited'} {_day(joined, zone)}"
    event = f"{version.qualify_noun} {_day(referral.qualified_at, zone)}." if referral.qualified_at else ""
    if referral.state == ReferralState.VOIDED:
        return Pal(when, "bad", "x", "Does not count", _rule_words(referral.void_reason))
    if referral.state == ReferralState.EXPIRED:
        return Pal(when, "", "clock", "Did not go on", "The time for this offer has passed.")
    if referral.state == ReferralState.CLAIMED:
        return Pal(when, "", "mail", "Invited", "Took your offer and has not signed up yet.")
    if referral.state == ReferralState.SIGNED_UP:
        return Pal(when, "", "user", "Trying it", f"Counts when they {version.qualify_verb}.")
    if referral.state == ReferralState.REVERSED:
        return Pal(when, "bad", "x", "Does not count", f"{event} They got their money back.".strip())
    return _rewarded(when, event, referral, rewards, sums, verdicts, zone)


def _rewarded(
    when: str, event: str, referral: Referral, rewards: list[Reward], sums: dict[UUID, int], verdicts: list[ReferralVerdict], zone: ZoneInfo
) -> Pal:
    declined = next((r for r in rewards if r.state == RewardState.CANCELLED and r.because in ("declined", "removed", "lapsed")), None)
    open_ = [r for r in rewards if r.state in (RewardState.PENDING, RewardState.APPROVED, RewardState.ISSUING)]
    given = [r for r in rewards if r.state in (RewardState.ISSUED, RewardState.REDEEMED)]
    if open_:
        if referral.review == "open" and verdicts:
            met = next((v for v in verdicts if v.points), verdicts[0])
            words = checks.RULES[met.rule].words if met.rule in checks.RULES else checks.CHECKING
            sub = f"{event} {words}. Answer by {_day(open_[0].answer_by, zone)}."
            return Pal(when, "warn", "clock", f"{_sum(open_, sums)} being checked", sub)
        return Pal(when, "warn", "clock", f"{_sum(open_, sums)} on its way", f"{event} Checked by {_day(open_[0].answer_by, zone)}.")
    if given:
        return Pal(when, "good", "check", f"{_sum(given, sums)} credited", f"{event} Credited {_day(given[-1].issued_at, zone)}.")
    if declined:
        return Pal(when, "bad", "x", "Does not count", f"{event} {declined_words(declined)}.".strip())
    capped = next((r for r in rewards if r.because == "cap"), None)
    if capped is not None:
        return Pal(when, "", "check", "Counts", f"{event} Over your yearly limit: {Money(capped.over_cap, capped.currency)}.")
    return Pal(when, "good", "heart", "Thank you", event)


def _sum(rewards: list[Reward], sums: dict[UUID, int]) -> str:
    """ "$50", "$50 and a free month"."""
    money: dict[str, int] = {}
    for reward in rewards:
        if not reward.label:
            money[reward.currency] = money.get(reward.currency, 0) + sums.get(reward.id, 0)
    parts = [format_money(minor, currency) for currency, minor in sorted(money.items()) if minor]
    parts += [r.label for r in rewards if r.label]
    return " and ".join(parts) or "A reward"


def _rule_words(rule: str) -> str:
    if rule in checks.RULES:
        return f"{checks.RULES[rule].words}."
    return {"rejected": "We looked at it and it does not count.", "already_referred": "Someone else told them first."}.get(rule, "")


def _questions(version: ProgramVersion, contact: Contact, company: str, currency: str) -> list[tuple[str, str]]:
    """The four questions people ask, answered from the rules in force."""
    found = []
    if version.advocate_words:
        handed = "credit your next invoice" if version.method in ("manual", "stripe_credit") else "hand it over"
        found.append(
            (
                f"When exactly do I get the {version.advocate_words.removesuffix(' credit')}?",
                f"When a friend who joined with your link has done the following: {version.qualify_noun.lower()}. "
                f"We check it within {max(14, version.hold_days)} days, then {handed}.",
            )
        )
    limits = [c for c in version.caps if c.get("currency") == currency and c.get("amount")]
    if limits:
        period = {"year": "in a calendar year", "month": "in a calendar month", "all": "in all"}[limits[0]["period"]]
        found.append(
            (
                "Is there a limit?",
                f"Up to {format_money(int(limits[0]['amount']), currency)} {period}. "
                "After that, write to us and we will work something out.",
            )
        )
    else:
        found.append(("Is there a limit?", "No."))
    found.append(
        (
            "What does my friend see about me?",
            "Your first name, your business name and your words above. Nothing about your account or what you pay.",
        )
    )
    if version.disclosure:
        found.append(("Do I have to say I get a reward?", "Yes, please do. The page your friend lands on says it too."))
    return found
