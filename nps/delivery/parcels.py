"""A claimed message as plain values, and the letter made of it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from nps.core import ids
from nps.delivery import addresses, compose
from nps.delivery.letters import Letter
from nps.delivery.rules import Fate, provider


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the sender needs of a message; the fields are the columns of `models.Message`."""

    account_id: UUID
    id: UUID
    kind: str
    priority: int
    reason: str
    to_email: str
    to_key: str
    contact_id: UUID | None
    batch_id: UUID | None
    template_id: UUID | None
    slots: Mapping[str, str]
    subject: str | None
    body_text: str | None
    body_html: str | None
    from_name: str | None
    from_email: str | None
    reply_to: str | None
    ref_kind: str
    ref_id: UUID | None
    sending_domain: str
    in_reply_to: str | None
    lapses_at: datetime | None
    tries: int
    first_try_at: datetime | None

    @property
    def rfc_message_id(self) -> str:
        return f"{self.id.hex}@{self.sending_domain}"

    @property
    def provider(self) -> str:
        return provider(self.to_email)

    def fate(self, reason: str = "") -> Fate:
        return Fate(self.id, self.ref_kind, self.ref_id, self.contact_id, self.kind, reason)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where links, replies and bounces go."""

    base_url: str
    mail_domain: str


class Printer:
    """Makes letters. Keeps the last compiled wordings; safe for several threads."""

    def __init__(self, hosts: Hosts, keep: int = 200) -> None:
        self._hosts = hosts
        self._keep = keep
        self._templates: OrderedDict[tuple[UUID, UUID], compose.Template] = OrderedDict()
        self._lock = Lock()

    def knows(self, account_id: UUID, template_id: UUID) -> bool:
        return (account_id, template_id) in self._templates

    def learn(self, account_id: UUID, template_id: UUID, wording: compose.Wording) -> None:
        with self._lock:
            self._templates[account_id, template_id] = compose.compile(wording)
            while len(self._templates) > self._keep:
                self._templates.popitem(last=False)

    def letter(self, parcel: Parcel, date: datetime) -> Letter:
        """Envelope and bytes. Date, Message-ID and tokens are the same in every try.

        Raises ValueError (UnsafeValue, UnsafeAddress) or KeyError for a message that cannot be made into a mail.
        """
        domain = self._hosts.mail_domain
        stop_token = ids.sign("stop", parcel.account_id, parcel.id)
        reply_to = parcel.reply_to or f"{addresses.local_part('reply', parcel.id)}@{domain}"
        stop_url = f"{self._hosts.base_url}/u/{stop_token}"
        stop_mailto = f"{addresses.local_part('stop', parcel.id)}@{domain}"
        references = parcel.in_reply_to.split() if parcel.in_reply_to else ()
        date = parcel.first_try_at or date
        if parcel.template_id is not None:
            template = self._templates[parcel.account_id, parcel.template_id]
            data = template.splice(
                compose.Values(
                    to=parcel.to_email,
                    date=date,
                    message_id=parcel.rfc_message_id,
                    message=str(parcel.id),
                    reply_to=reply_to,
                    stop_url=stop_url,
                    stop_mailto=stop_mailto,
                    references=references,
                    slots=_with_tokens(template, parcel, stop_token),
                )
            )
        else:
            stops = "stop_headers" in parcel.slots
            data = compose.single(
                subject=parcel.subject or "",
                text=parcel.body_text or "",
                html=parcel.body_html or "",
                from_name=parcel.from_name or "",
                from_email=parcel.from_email or "",
                to=parcel.to_email,
                reply_to=reply_to,
                date=date,
                message_id=parcel.rfc_message_id,
                message=str(parcel.id),
                references=references,
                stop_url=stop_url if stops else "",
                stop_mailto=stop_mailto,
            )
        return Letter(parcel.id, f"{addresses.local_part('bounce', parcel.id)}@{domain}", parcel.to_email, data)


def _with_tokens(template: compose.Template, parcel: Parcel, stop_token: str) -> dict[str, Any]:
    slots: dict[str, Any] = {**parcel.slots, "token:stop": stop_token}
    for name in template.purposes:
        if parcel.ref_id is None:
            raise KeyError(f"token:{name}")
        slots[f"token:{name}"] = ids.sign(name, parcel.account_id, parcel.ref_id)
    return slots
