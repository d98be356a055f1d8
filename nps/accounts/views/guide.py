"""The set-up guide: tasks that are done when the fact is true, not when a box is ticked."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, url_for

from nps.accounts import rules, service
from nps.web import current

guide = Blueprint("guide", __name__)


def facts() -> dict[str, Any]:
    """What is true of this account, by task. Floors above tell theirs through `wiring.FACTS`."""
    account = current.account
    known = {name: tell() for name, tell in current_app.extensions["guide_facts"].items()}
    return {
        "company": bool(account.name and account.postal_address.strip()),
        "brand": account.brand_chosen_at is not None,
        **known,
        "domain": known.get("domain") or account.our_address_at is not None,
    }


@guide.get("/set-up")
def index() -> Any:
    true = facts()
    tasks = [task for task in rules.GUIDE if task.key in true and current.may(task.capability)]
    open_tasks = [task for task in tasks if not true[task.key]]
    return render_template(
        "accounts/guide.html",
        facts=true,
        tasks=tasks,
        minutes=sum(task.minutes for task in open_tasks),
        next=open_tasks[0].key if open_tasks else None,
        domain=current.account.sender_email.rpartition("@")[2] or "your domain",
    )


@guide.post("/set-up/our-address")
def our_address() -> Any:
    service.keep_our_address(current.account)
    flash("Surveys come from our address with your company’s name until your own domain is ready.", "good")
    return redirect(url_for("guide.index"), 303)
