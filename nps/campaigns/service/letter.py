"""The survey mail: a frozen wording and an account become one template with marks; a contact becomes the values of the marks."""

import html as html_lib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from nps.accounts.models import Account
from nps.contacts.models import Contact
from nps.core import placeholders, settings
from nps.core.placeholders import Slot
from nps.delivery import service as delivery
from nps.delivery.compose import Wording, compile, mark
from nps.surveys import rules as surveys
from nps.web import email_templates

GREETING = 'Hi {{ contact.first_name | default: "there" }},'
GAP = "gap"
"""The mark that says how often this person is asked at most, in days."""
GMAIL_CUTS_AT = 102 * 1024
_MARK = re.compile("\x02([^\x02-\x04\x1f]+)(?:[\x04\x1f]([^\x02-\x04\x1f]*))?\x03")
# Given by the account, so they are the same in every copy and written out once.
_FIXED = frozenset({"product", "sender.name", "sender.role", "account.name"})


@dataclass(frozen=True)
class Copy:
    """One mail as one person reads it."""

    from_name: str
    subject: str
    text: str
    html: str
    size: int
    """Bytes of both parts."""


def wording(words: Mapping[str, Any], account: Account, campaign_id: UUID, *, kind: str = "survey") -> Wording:
    """The mail of a survey version. `kind`: survey, reminder (own subject and first line) or test (subject marked)."""
    fixed = {
        "product": words["product"],
        "sender.name": words["sender_name"],
        "sender.role": words["sender_role"],
        "account.name": account.name,
    }
    base, link = settings.current().base_url, f"{settings.current().base_url}/s/{mark('token:survey')}"
    reminder = kind == "reminder"
    subject = _marked(words["reminder_subject" if reminder else "subject"], fixed)
    role = ", ".join(part for part in (words["sender_role"], account.name) if part)
    made = email_templates.render(
        "survey",
        language=words["language"],
        dir="ltr",
        subject=subject,
        preview=_marked(words["preview"], fixed),
        greeting=_marked(GREETING, fixed),
        intro=_marked(words["reminder_text" if reminder else "intro"], fixed),
        question=words["question"],
        points=list(surveys.POINTS),
        link=link,
        hidden_link=f"{link}/blank",
        stop_link=f"{base}/u/{mark('token:stop')}",
        closing="",
        sender_name=words["sender_name"],
        sender_role=role,
        account_name=account.name,
        postal_address=" ".join(account.postal_address.split()),
        brand_color=words["brand_color"] or account.brand_color,
        brand_on_dark="",
        words=_fixed_words(words, _marked(words["closing"], fixed)),
    )
    return Wording(
        subject=("[Test] " if kind == "test" else "") + subject,
        text=made.text,
        html=made.html,
        from_name=words["from_name"] or account.name,
        from_email=delivery.sender_address(account.sender_email, account.slug),
        feedback_id=f"c{campaign_id.hex[-12:]}:a{account.id.hex[-12:]}:{kind}:wordback",
    )


def _fixed_words(words: Mapping[str, Any], closing: str) -> dict[str, str]:
    return {
        "pick_from": f"Pick a number from 0 ({words['low']}) to 10 ({words['high']}):",
        "low": f"0 = {words['low']}",
        "high": f"10 = {words['high']}",
        "after_text": "You will see one short question after that. That is the whole survey.",
        "after_html": "Pick a number and you will see one short question. That is the whole survey.",
        "write_instead": closing,
        "how_often": f"We ask each customer at most once every {mark(GAP)} days.",
        "stop": "Stop survey emails",
        "buttons_not_working": "Buttons not working?",
        "open_in_browser": "Open the survey in your browser",
    }


def _marked(text: str, fixed: Mapping[str, str]) -> str:
    """A text of the account with its fixed values written in and marks for what differs per person."""
    parts = []
    for part in placeholders.parse(text).segments:
        if isinstance(part, Slot):
            parts.append(placeholders.value_of(part, fixed) if part.name in _FIXED else mark(part.name, part.default))
        else:
            parts.append(part)
    return "".join(parts)


def marks_of(*texts: str) -> frozenset[str]:
    """Names of the marks in these texts that need a value per person (tokens are the sender's)."""
    return frozenset(found[1] for text in texts for found in _MARK.finditer(text) if not found[1].startswith("token:"))


def values_for(
    contact: Contact | None, names: frozenset[str], gap_days: int, properties: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """The values of these marks for one person; "" leaves a mark to its default."""
    own = contact.gap_days or 0 if contact is not None else 0
    values = {GAP: str(max(own, gap_days))}
    if contact is not None:
        values |= {
            "contact.first_name": contact.called,
            "contact.name": contact.name or "",
            "contact.company": contact.company or "",
        }
    known = properties if properties is not None else (contact.properties if contact is not None else {})
    return {name: placeholders.clean(_shown(values, known, name)) for name in names}


def _shown(values: Mapping[str, str], properties: Mapping[str, Any], name: str) -> str:
    if not name.startswith("property."):
        return values.get(name, "")
    value = properties.get(name.removeprefix("property."))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def copy_for(words: Mapping[str, Any], account: Account, campaign_id: UUID, contact: Contact | None, gap_days: int) -> Copy:
    """The mail as this person would read it; links lead to "#"."""
    made = wording(words, account, campaign_id)
    compile(made)
    values = values_for(contact, marks_of(made.subject, made.text, made.html), gap_days)
    text, html = _filled(made.text, values), _filled(made.html, values, escape=True)
    # inside a preview the links of the mail lead nowhere
    base = settings.current().base_url
    html = re.sub(rf"{re.escape(base)}/[su]/preview", "#", html)
    return Copy(made.from_name, _filled(made.subject, values), text, html, len(text.encode()) + len(html.encode()))


def _filled(source: str, values: Mapping[str, str], *, escape: bool = False) -> str:
    def value(found: re.Match[str]) -> str:
        shown = "preview" if found[1].startswith("token:") else values.get(found[1], "") or found[2] or ""
        return html_lib.escape(shown) if escape else shown

    return _MARK.sub(value, source)
