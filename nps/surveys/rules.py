"""What may be written in a survey and what may not: the locked question, limits, placeholders, leading words, versions.

Pure functions over values. A wording is one dictionary of plain text; everything that shows or mails a survey reads it.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nps.core import placeholders
from nps.core.errors import Invalid

QUESTION = "How likely are you to recommend {product} to {whom}?"
LOW, HIGH = "not at all likely", "extremely likely"
WHOM = ("a friend or colleague", "another business owner", "someone in your trade")
POINTS = range(11)

LIMITS = {
    "product": 60,
    "why_detractor": 140,
    "why_passive": 140,
    "why_promoter": 140,
    "one_tap_question": 140,
    "subject": 78,
    "preview": 140,
    "intro": 300,
    "closing": 200,
    "from_name": 80,
    "sender_name": 80,
    "sender_role": 80,
    "thanks_promoter": 500,
    "thanks_passive": 500,
    "thanks_detractor": 500,
    "reminder_subject": 78,
    "reminder_text": 300,
}
OPTION_MAX, OPTIONS_LEAST, OPTIONS_MOST = 60, 2, 8

DEFAULTS: dict[str, Any] = {
    "why_detractor": "What is the main reason for your score?",
    "why_passive": "What is the main reason for your score?",
    "why_promoter": "What would you tell a friend about us?",
    "one_tap_question": "What would have made it a 9 or a 10?",
    "one_tap_options": ["Lower price", "Fewer faults", "Quicker support", "Easier to use", "Something it cannot do yet"],
    "subject": '{{ contact.first_name | default: "Hello" }}, how are we doing?',
    "preview": "Pick a number from 0 to 10. It takes about 20 seconds, and a person reads every answer.",
    "intro": "",
    "closing": "If you would rather write, reply to this email. It comes to me.",
    "reminder_subject": "Still one number short of hearing from you",
    "reminder_text": "We asked you a question a few days ago. If you have 20 seconds, your answer would help.",
}

# What the question, the labels and everything else that is asked may never say in place of these words.
ALWAYS_THERE = frozenset({"product", "sender.name", "sender.role", "account.name"})
MAY_BE_EMPTY = ("contact.first_name", "contact.name", "contact.company")
NAMES = (*MAY_BE_EMPTY, "product", "sender.name", "sender.role", "account.name")

WITH_PLACEHOLDERS = ("subject", "preview", "intro", "closing", "reminder_subject", "reminder_text")
"""Texts of the mail, filled per person. Every other text is the same for all."""

ONE_LINE = frozenset(LIMITS) - {"intro", "closing", "thanks_promoter", "thanks_passive", "thanks_detractor", "reminder_text"}
NEEDED = {
    "product": "Write what customers know you by. It stands in the question.",
    "subject": "Write a subject. Mail without one is not opened.",
    "from_name": "Write whose name the mail comes from.",
    "why_detractor": "Write what is asked after a 0 to 6.",
    "why_passive": "Write what is asked after a 7 or 8.",
    "why_promoter": "Write what is asked after a 9 or 10.",
}
LABELS = {
    "product": "Product",
    "whom": "Question",
    "why_detractor": "After 0 to 6",
    "why_passive": "After 7 or 8",
    "why_promoter": "After 9 or 10",
    "one_tap_question": "One-tap question",
    "one_tap_options": "One-tap answers",
    "subject": "Subject",
    "preview": "Preview line",
    "intro": "Intro",
    "closing": "Closing line",
    "from_name": "From name",
    "sender_name": "Signed by",
    "sender_role": "Role",
    "thanks_promoter": "Thanks after 9 or 10",
    "thanks_passive": "Thanks after 7 or 8",
    "thanks_detractor": "Thanks after 0 to 6",
    "reminder_subject": "Reminder subject",
    "reminder_text": "Reminder text",
    "brand_color": "Color",
}
TEXTS = tuple(LIMITS)
FIELDS = (*TEXTS, "whom", "one_tap_options", "brand_color")

LEADING = "This asks for a good score, so the answers will not tell you the truth."

_BREAKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_LINE_ENDS = re.compile("[\n\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_HIGH = r"(?:9|10|nine|ten)"
_LEADING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # "a 9 or 10", "9/10", "nine or a ten", but not "from 0 to 10" and not "a 9 to 5 job"
        r"(?<![\d.])(?:9|nine)\s*(?:or|and|/|-|–)\s*(?:an?\s+)?(?:10|ten)\b",
        r"\b(?:10|ten)\s*(?:/|out\s+of)\s*(?:10|ten)\b",
        r"\b(?:give|gave|giving|leave|pick|choose|press|click|select|score|rate|vote|hope\s+for|deserve|earn(?:ed)?|worth)\b(?:\s+\w+){0,3}?\s+(?:an?\s+|the\s+)?"
        + _HIGH
        + r"\b(?!\s*(?:minutes?|seconds?|days?|weeks?|years?|customers?|people))",
        r"\b(?:5|five)[\s-]*stars?\b|[★⭐🌟]",
        r"\b(?:top|best|highest|high|perfect|full|great|good)\s+(?:score|scores|rating|ratings|marks?|points)\b",
        r"\b(?:bonus|discount|voucher|gift\s*card|coupon|prize|reward|rebate|free\s+month|credit)s?\b[^.!?]{0,80}\b(?:score|rating|answer(?:ing)?|review|9|10)\b",
        r"\b(?:score|rating|answer(?:ing)?|9|10)\b[^.!?]{0,80}\b(?:bonus|discount|voucher|gift\s*card|coupon|prize|reward|rebate|free\s+month)s?\b",
        r"\b(?:job|pay|bonus|salary|commission)\b[^.!?]{0,40}\bdepends?\s+on\b",
    )
)
_SCALE = re.compile(r"\b(?:from|between)\s+(?:0|zero)\s+(?:to|and|through|–|-)\s*(?:10|ten)\b|\b0\s*(?:to|–|-)\s*10\b", re.IGNORECASE)


@dataclass(frozen=True)
class Draft:
    """The texts of a survey as a member may write them, plus kind and language."""

    product: str
    whom: str
    why_detractor: str
    why_passive: str
    why_promoter: str
    one_tap_question: str
    one_tap_options: tuple[str, ...]
    subject: str
    preview: str
    intro: str
    closing: str
    from_name: str
    sender_name: str
    sender_role: str
    thanks_promoter: str
    thanks_passive: str
    thanks_detractor: str
    reminder_subject: str
    reminder_text: str
    brand_color: str | None
    kind: str = "nps"
    language: str = "en"


def question(product: str, whom: str) -> str:
    """The question, always in these words. Source: Reichheld, "The One Number You Need to Grow", HBR 12/2003, with both ends labelled."""
    return QUESTION.format(product=product, whom=whom)


def allowed_names(property_keys: Iterable[str] = ()) -> tuple[str, ...]:
    """Every placeholder of this account's texts."""
    return (*NAMES, *(f"property.{key}" for key in property_keys))


def check(values: Mapping[str, Any], property_keys: Iterable[str] = ()) -> dict[str, str]:
    """What is wrong, field → sentence; empty when all is well. Looks at every field of `FIELDS` that `values` has."""
    names = allowed_names(property_keys)
    wrong: dict[str, str] = {}
    for field, value in values.items():
        sentence = _check_text(field, value or "", names) if field in LIMITS else _check_other(field, value)
        if sentence:
            wrong[field] = sentence
    options = values.get("one_tap_options")
    if "one_tap_question" in values and values["one_tap_question"] and options is not None and not options:
        wrong.setdefault("one_tap_options", f"Write at least {OPTIONS_LEAST} answers, one a line, or empty the question.")
    return wrong


def _check_text(field: str, text: str, names: Sequence[str]) -> str | None:
    if not text:
        return NEEDED.get(field)
    if len(text) > LIMITS[field]:
        return f"{LABELS[field]} is {len(text)} characters long, {LIMITS[field]} fit. Shorten it by {len(text) - LIMITS[field]}."
    if (_LINE_ENDS if field in ONE_LINE else _BREAKS).search(text):
        return f"{LABELS[field]} has a line break or a control character. Write it on one line."
    return check_placeholders(text, names if field in WITH_PLACEHOLDERS else ())


def check_placeholders(text: str, names: Sequence[str]) -> str | None:
    """The sentence about the first placeholder that cannot stand, or None.

    With no `names` the text is the same for everybody, so nothing in braces is taken.
    """
    try:
        template = placeholders.parse(text)
        if not names and template.names:
            return f"“{sorted(template.names)[0]}” cannot be filled in here; this text is the same for everybody. Write it out."
        placeholders.check(text, names)
    except Invalid as refused:
        return refused.message
    for part in template.segments:
        if isinstance(part, placeholders.Slot) and part.name not in ALWAYS_THERE and not part.default:
            return f'Some people have no {part.name}. Say what stands there then: {{{{ {part.name} | default: "there" }}}}.'
    return None


def _check_other(field: str, value: Any) -> str | None:
    if field == "whom" and value not in WHOM:
        return f"Choose one of: {'; '.join(WHOM)}. The rest of the question is fixed, so that scores stay comparable."
    if field == "brand_color" and value and not _COLOR.fullmatch(value):
        return f"“{str(value)[:40]}” is not a color. Write it like #14574a."
    if field == "one_tap_options":
        return _check_options(list(value or ()))
    return None


def _check_options(options: list[str]) -> str | None:
    if not options:
        return None
    if not OPTIONS_LEAST <= len(options) <= OPTIONS_MOST:
        return f"There are {len(options)} answers; write {OPTIONS_LEAST} to {OPTIONS_MOST}, one a line."
    for option in options:
        if len(option) > OPTION_MAX:
            return f"“{option[:39]}…” is longer than {OPTION_MAX} characters. Shorten it."
        problem = check_placeholders(option, ())
        if problem:
            return problem
    if len({option.casefold() for option in options}) < len(options):
        return "Two answers are the same. Change one of them."
    return None


def leading(*texts: str) -> str | None:
    """The words that ask for a good score, as written, or None.

    A scale that is named from end to end ("from 0 to 10") asks for nothing.
    """
    for text in texts:
        plain = _SCALE.sub(" ", text)
        for pattern in _LEADING:
            found = pattern.search(plain)
            if found:
                return " ".join(found.group().split())[:60]
    return None


def wording(draft: Draft) -> dict[str, Any]:
    """The words of a survey as they are frozen: every field by its name, plus the question and its labels as they are shown."""
    words = {**asdict(draft), "one_tap_options": list(draft.one_tap_options)}
    return {**words, "question": question(draft.product, draft.whom), "low": LOW, "high": HIGH}


def content_hash(words: Mapping[str, Any]) -> str:
    """Equal for equal wordings, whatever the order of keys. SHA-256, hex."""
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def question_hash(words: Mapping[str, Any]) -> str:
    """Equal while scores stay comparable: kind, language, question and the labels of both ends. A change is a break in the trend."""
    return content_hash({key: words[key] for key in ("kind", "language", "question", "low", "high")})
