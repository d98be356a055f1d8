"""The main job, through HTTP and the mailbox only: a CRM export comes in, everybody is asked once, some answer, the counts are right."""

import csv
import email
import html
import io
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.policy import default
from typing import Any

import pytest

TUESDAY = datetime(2026, 10, 6, 13, 0, tzinfo=UTC)  # 09:00 in New York
PEOPLE, BAD = 1200, 7
PLANS = ("Starter", "Growth", "Scale")


def crm_export() -> bytes:
    """What a CRM gives out: its own headings, a few broken addresses, one person who has unsubscribed, one row twice."""
    rows = [["Contact ID", "Email Address", "First Name", "Last Name", "Account Name", "Plan", "Opted Out"]]
    for n in range(PEOPLE):
        rows.append(
            [f"C-{n:05d}", f"person{n}@customer{n % 90}.example", f"Dana{n}", "Whitfield", f"Customer {n % 90}", PLANS[n % 3], "no"]
        )
    for n in range(BAD):
        rows.append([f"B-{n}", f"no-at-sign-{n}.example", "Bad", "Row", "", "", "no"])
    rows[11][-1] = "yes"
    rows.append(rows[1])
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(answer.get_data(as_text=True))).split())


def fields_of(answer: Any, marker: str = "<form") -> dict[str, Any]:
    """The fields of the first form after `marker`, as a browser would send them back untouched."""
    page = answer.get_data(as_text=True)
    page = page[page.index(marker) :]
    form = page[: page.index("</form>")]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        known = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" not in known or known["name"] == "csrf_token" or (known.get("type") in ("checkbox", "radio") and " checked" not in tag):
            continue
        name, value = known["name"], html.unescape(known.get("value", ""))
        found[name] = [*_many(found[name]), value] if name in found else value
    for name, body in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(body).lstrip("\r\n")
    for name, body in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r"<option[^>]* selected[^>]*>", body) or re.search(r"<option[^>]*>", body)
        value = re.search(r'value="([^"]*)"', chosen[0]) if chosen else None
        found[name] = html.unescape(value[1]) if value else ""
    return found


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def import_everybody(member: Any, run_jobs: Any) -> None:
    sent = member.form("/larkfield/imports", {"file": (io.BytesIO(crm_export()), "crm-export.csv")}, content_type="multipart/form-data")
    assert sent.status_code == 303, text_of(sent)
    columns = member.get(sent.headers["Location"])
    chosen = fields_of(columns, '<form method="post" novalidate')
    # the plan becomes a property, made in place
    plan = re.search(r'name="c5".*?<optgroup label="New property"><option value="([^"]+)"', columns.get_data(as_text=True), re.S)
    assert plan is not None
    started = member.form(sent.headers["Location"], {**chosen, "c5": html.unescape(plan[1]), "do": "start"})
    assert started.status_code == 303, text_of(started)
    run_jobs()
    page = text_of(member.get(started.headers["Location"]))
    assert "Added 1,200" in page
    assert f"To fix {BAD}" in page


def start_campaign(member: Any) -> str:
    """Through all steps of the editor; over a thousand people, so their number is typed."""
    where = member.form("/larkfield/campaigns", {"name": "Autumn relationship survey"}).headers["Location"]
    step = where
    for _ in ("who", "message"):
        page = member.get(step)
        saved = member.form(where, {**fields_of(page, '<form class="form"'), "do": "next"})
        assert saved.status_code == 303, text_of(saved)
        step = saved.headers["Location"]
    saved = member.form(where, {**fields_of(member.get(step), '<form class="form"'), "hours": "at_once", "do": "next"})
    check = member.get(saved.headers["Location"])
    said = text_of(check)
    assert "Every contact, 1,200" in said
    assert "1 has stopped survey emails" in said
    assert "Type 1,199 to start" in said
    fields = fields_of(check, f'<form class="form" method="post" action="{where}/launches"')
    refused = member.form(f"{where}/launches", {**fields, "typed": "12"})
    assert refused.status_code == 422
    assert "You typed “12”, but 1,199 people will be asked." in text_of(refused)
    started = member.form(f"{where}/launches", {**fields, "typed": "1,199"})
    assert started.status_code == 303, text_of(started)
    return where


def mails(visitor: Any) -> list[dict[str, Any]]:
    """What the mailbox lists of mails to customers: number, envelope, subject. The member who imports gets one too."""
    found: list[dict[str, Any]] = json.loads(visitor.get("/dev/mail.json").data)
    return [mail for mail in found if mail["to"] != "ines@larkfield.example"]


def link_in(visitor: Any, number: int) -> tuple[str, Any]:
    """The survey link of a mail, and the mail."""
    mail = email.message_from_bytes(visitor.get(f"/dev/mail/{number}.eml").data, policy=default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    links = re.findall(r"http://localhost(/s/[\w-]+)\?score=(\d+)", text)
    assert [score for _, score in links] == [str(n) for n in range(11)]
    return links[0][0], mail


def answer(visitor: Any, link: str, score: int, network: str, clock: Any, reason: str = "") -> None:
    """The way a person does it: open, read, choose, send."""
    where = {"REMOTE_ADDR": network}
    page = visitor.get(f"{link}?score={score}", environ_base=where)
    assert page.status_code == 200
    clock.move(seconds=9)
    sent = visitor.post(link, data={**fields_of(page), "score": str(score), "why": reason, "hand": "1"}, environ_base=where)
    assert sent.status_code == 303, text_of(sent)
    assert sent.headers["Location"].endswith("/thanks")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_crm_export_is_imported_everybody_is_asked_once_and_the_answers_are_counted(
    signed_in: Any, client: Any, sign_in: Any, owner: Any, clock: Any, run_jobs: Any
) -> None:
    clock.at(TUESDAY)
    import_everybody(signed_in, run_jobs)
    assert mails(client) == [], "nobody gets a survey because of an import"
    where = start_campaign(signed_in)
    run_jobs()
    sent = mails(client)
    to = Counter(mail["to"] for mail in sent)
    assert len(to) == PEOPLE - 1
    assert set(to.values()) == {1}
    assert "person10@customer10.example" not in to

    numbers = {mail["to"]: mail["number"] for mail in sent}
    scores = [10] * 18 + [9] * 9 + [8] * 6 + [7] * 3 + [6] * 4 + [0] * 5
    for n, score in enumerate(scores):
        person = 20 + n
        link, mail = link_in(client, numbers[f"person{person}@customer{person % 90}.example"])
        assert mail["Subject"] == f"Dana{person}, how are we doing?"
        answer(client, link, score, f"198.51.{n}.7", clock, "It works." if n % 2 else "")
    for n in range(200, 205):
        link, _ = link_in(client, numbers[f"person{n}@customer{n % 90}.example"])
        for score in range(11):
            assert client.get(f"{link}?score={score}", headers={"User-Agent": "Scanner"}).status_code == 200
    run_jobs()

    page = text_of(signed_in.get(where))
    assert f"{PEOPLE - 1:,} of {PEOPLE:,} asked" in page
    assert f"Answered {len(scores)}" in page
    rows = list(csv.DictReader(io.StringIO(signed_in.get(f"{where}/invitations.csv").data.decode("utf-8-sig"))))
    states = Counter(row["state"] for row in rows)
    assert states == {"asked": PEOPLE - 1 - len(scores), "answered": len(scores), "skipped": 1}
    assert {row["asked.plan"] for row in rows if row["state"] == "answered"} <= set(PLANS)
    assert [row["reason"] for row in rows if row["state"] == "skipped"] == ["unsubscribed"]
    answers = list(csv.DictReader(io.StringIO(signed_in.get("/larkfield/responses.csv").data.decode("utf-8-sig"))))
    assert Counter(int(row["score"]) for row in answers) == Counter(scores)
    assert {row["state"] for row in answers} == {"verified"}

    overview = text_of(signed_in.get("/larkfield/"))
    promoters, detractors = sum(s >= 9 for s in scores), sum(s <= 6 for s in scores)
    assert f"{round(100 * (promoters - detractors) / len(scores))}" in overview

    second = signed_in.form("/larkfield/campaigns", {"name": "Too soon"}).headers["Location"]
    said = text_of(signed_in.get(second))
    assert f"{PEOPLE - 1 - detractors:,} were asked less than 90 days ago" in said
    assert f"{detractors} have an open case" in said
    clock.move(days=91)
    assert f"{PEOPLE - 1 - detractors:,} can be asked now" in text_of(sign_in(owner).get(second))
    assert clock.now() > TUESDAY + timedelta(days=90)
