"""Sentences about campaigns: reasons in lists and counts, refusals, what a start says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nps.campaigns.rules.gates import Reason

R = Reason

# reason → (for one, for many); {gap} and {age} are days of the campaign.
COUNTED: dict[str, tuple[str, str]] = {
    R.NOT_IN_AUDIENCE: ("is not in the audience", "are not in the audience"),
    R.NOT_SAMPLED: ("was not drawn in the sample", "were not drawn in the sample"),
    R.ALREADY_INVITED: ("has this wave’s invitation", "have this wave’s invitation"),
    R.ERASED: ("asked to be erased", "asked to be erased"),
    R.NO_ADDRESS: ("has no email address", "have no email address"),
    R.BAD_ADDRESS: ("has an address mail cannot be sent to", "have an address mail cannot be sent to"),
    R.DOMAIN_BLOCKED: ("is at a domain you blocked", "are at a domain you blocked"),
    R.UNSUBSCRIBED: ("has stopped survey emails", "have stopped survey emails"),
    R.COMPLAINED: ("marked a mail as spam", "marked a mail as spam"),
    R.BOUNCED: ("has an address that bounced", "have an address that bounced"),
    R.BLOCKED: ("was blocked by a member", "were blocked by a member"),
    R.NO_CONSENT: ("has not given consent", "have not given consent"),
    R.SOFT_BOUNCED: ("had mail coming back", "had mail coming back"),
    R.TOO_NEW: ("has been a customer for less than {age} days", "have been customers for less than {age} days"),
    R.IMPORT_HOLD: ("was imported within 24 hours", "were imported within 24 hours"),
    R.OPEN_CASE: ("has an open case", "have an open case"),
    R.YEARLY_CHOICE: ("chose to be asked less often", "chose to be asked less often"),
    R.THROTTLED: ("was asked less than {gap} days ago", "were asked less than {gap} days ago"),
    R.HARD_FLOOR: ("had a survey mail within 24 hours", "had a survey mail within 24 hours"),
    R.COMPANY_LIMIT: ("waits for a colleague’s turn to pass", "wait for a colleague’s turn to pass"),
    R.DAILY_LIMIT: ("is over the daily limit", "are over the daily limit"),
    R.PLAN_LIMIT: ("is over your plan", "are over your plan"),
    R.CAMPAIGN_PAUSED: ("waits because the campaign is paused", "wait because the campaign is paused"),
    R.ACCOUNT_PAUSED: ("waits because sending is paused", "wait because sending is paused"),
    R.SENDER_NOT_READY: ("waits for the sender", "wait for the sender"),
    R.RESTORE_HOLD: ("waits until the restored data is released", "wait until the restored data is released"),
    R.OUTSIDE_WINDOW: ("waits for the sending window", "wait for the sending window"),
    R.DAY_OFF: ("waits because it is a day off", "wait because it is a day off"),
    R.PACE: ("waits for its turn", "wait for their turn"),
    R.TRANSPORT_DOWN: ("waits for the mail server", "wait for the mail server"),
    R.RETRYING: ("is tried again later", "are tried again later"),
    R.ANSWERED: ("had answered", "had answered"),
    R.PICKED: ("had picked a number", "had picked a number"),
    R.REPLIED: ("had replied", "had replied"),
    R.LAPSED: ("was not reached in time", "were not reached in time"),
    R.CANCELLED: ("was called off", "were called off"),
    R.REFUSED: ("was refused by the receiving server", "were refused by the receiving server"),
    R.GAVE_UP: ("could not be delivered in 72 hours", "could not be delivered in 72 hours"),
}

GROUPS = {"stopped": frozenset({R.UNSUBSCRIBED, R.COMPLAINED, R.BOUNCED, R.BLOCKED})}
# What a reason is called beside one person.
REASON_WORDS: dict[str, str] = {
    R.NO_CAMPAIGN: "No campaign listens to this event",
    R.DUPLICATE_EVENT: "This event came in before",
    R.EVENT_TOO_OLD: "The event came in more than 7 days late",
    **{reason: one[0].upper() + one[1:] for reason, (one, _many) in COUNTED.items()},
}


def reason_words(reason: str | None, gap_days: int = 90, age_days: int = 30) -> str:
    """A reason beside one person: "Was asked less than 90 days ago"."""
    if not reason:
        return ""
    return REASON_WORDS.get(reason, reason.replace("_", " ")).format(gap=gap_days, age=age_days)


def counted(reason: str, count: int, gap_days: int = 90, age_days: int = 30) -> str:
    """ "212 were asked less than 90 days ago"."""
    one, many = COUNTED.get(reason, (reason.replace("_", " "),) * 2)
    return f"{count:,} {(one if count == 1 else many).format(gap=gap_days, age=age_days)}"


def nobody(reasons: Mapping[str, int], gap_days: int = 90, age_days: int = 30) -> str:
    """Why a start was refused because nobody can be asked."""
    if not reasons:
        return "Nobody can be asked now: there is nobody in this audience. Nothing was sent."
    shown = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    parts = [counted(reason, count, gap_days, age_days) for reason, count in shown[:3]]
    rest = sum(count for _, count in shown[3:])
    if rest:
        parts.append(f"{rest:,} for other reasons")
    return f"Nobody can be asked now: {', '.join(parts)}. Nothing was sent."


def in_the_past(at: datetime) -> str:
    """`at` in the account's zone."""
    return f"That start lies in the past: {at.day} {at:%B}, {at:%H:%M}. Choose a later time."


def grown(confirmed: int, now: int) -> str:
    return f"You confirmed {confirmed:,} people; {now:,} match now. Nothing was sent."


def has_grown(confirmed: int, now: int) -> bool:
    """Is the audience over 20 % larger than confirmed? In integers, so that 120 of 100 is not and 121 is."""
    return now * 100 > confirmed * 120


def wrong_number(typed: str, wanted: int) -> str:
    shown = typed.strip()[:40]
    if not shown:
        return f"Type the number of people who will be asked, {wanted:,}, to start."
    return f"You typed “{shown}”, but {wanted:,} people will be asked. Nothing was sent; type {wanted:,} to start."


def read_number(typed: str) -> int | None:
    """A number as people type it: "4,069", "4.069", "4 069"; None for anything else."""
    digits = typed.strip()
    for sign in (",", ".", " ", "\u00a0", "\u202f", "'", "’"):
        digits = digits.replace(sign, "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def changed_by(name: str, ago: str) -> str:
    return f"{name or 'Somebody'} changed this campaign {ago}. What you typed is below and not saved yet."


def tests_left_out(addresses: list[str], sent: int, domain: str) -> str:
    """Which test addresses were not used and why."""
    where = f"members or to {domain}" if domain else "members of this account"
    first = addresses[0][:40]
    who = f"{first} was" if len(addresses) == 1 else f"{first} and {len(addresses) - 1} more were"
    rest = f"the {sent} other{'s were' if sent != 1 else ' was'} sent" if sent else "nothing was sent"
    return f"Tests go to {where}. {who} left out; {rest}."


def not_sent(facts: Mapping[str, Any]) -> str:
    """One sentence about counts of a wave that has ended: {"asked": 980, "skipped": 20}."""
    return ", ".join(f"{count:,} {name}" for name, count in facts.items() if count)
