"""The hosted pages: Checkout and the billing portal, plain HTML that works with no network and no script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from tests.doubles.stripe import billing, checkout, objects
from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.pricing import money
from tests.doubles.stripe.rules import ApiError
from tests.doubles.stripe.state import Obj, Store

CARDS = (
    ("works", "Card that works (4242)"),
    ("declined", "Card that is declined (0002)"),
    ("later", "Bank payment that works later"),
    ("fails_later", "Bank payment that fails later"),
)


class Pages:
    def __init__(self, store: Store, base_url: Callable[[], str], wake: Callable[[], None]) -> None:
        self.store, self.base_url, self.wake = store, base_url, wake

    def register(self, app: Flask) -> None:
        app.add_url_rule("/c/pay/<id>", "checkout_page", self.checkout, methods=["GET", "POST"])
        app.add_url_rule("/p/session/<id>", "portal_page", self.portal, methods=["GET", "POST"])
        app.add_url_rule("/i/<id>", "invoice_page", self.invoice, methods=["GET", "POST"])
        app.add_url_rule("/shop", "shop_page", self.shop, methods=["GET", "POST"])

    def _open(self, kind: str, id_: str) -> tuple[Desk, Obj] | None:
        found = self.store.find(id_)
        return (Desk(self.store, found[0], base_url=self.base_url()), found[2]) if found and found[1] == kind else None

    def _page(self, desk: Desk | None, title: str, template: str, status: int = 200, **values: object) -> Response:
        seller = (self.store.account(desk.account) or {})["business_profile"]["name"] if desk else ""
        body = render_template(template, title=title, seller=seller, cards=CARDS, **values)
        return Response(body, status, {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})

    # -- the web shop of the company whose customers are asked -----------------------------------

    def shop(self) -> AnyResponse:
        """Stands in for the company's own site: what a referral link leads to, with a Checkout that carries the click."""
        desk = Desk(self.store, self.store.accounts()[1]["id"], base_url=self.base_url())
        product = desk.find("product", "prod_demo_shop")
        if product is None:
            return self._page(None, "Nothing is for sale yet", "base.html", 404)
        if request.args.get("paid"):
            return self._page(desk, "Thank you", "shop.html", paid=True, product=product, price="")
        price = next(p for p in desk.all("price") if p["product"] == product["id"])
        if request.method == "GET":
            return self._page(
                desk, product["name"], "shop.html", paid=False, product=product, price=money(price["unit_amount"], price["currency"])
            )
        click = request.args.get("wb_click", "")
        wanted: Obj = {
            "mode": "payment",
            "line_items": [{"price": price["id"], "quantity": 1}],
            "success_url": self.base_url() + "/shop?paid=1",
        }
        if click:
            wanted |= {"client_reference_id": click, "metadata": {"wb_click": click}}
        with self.store.transaction():
            session = checkout.create(desk, wanted)
        return redirect(session["url"], 303)

    # -- checkout --------------------------------------------------------------------------------

    def checkout(self, id: str) -> AnyResponse:
        with self.store.transaction():
            answer = self._checkout(id)
        self.wake()
        return answer

    def _checkout(self, id_: str) -> AnyResponse:
        opened = self._open("checkout.session", id_)
        if opened is None:
            return self._page(None, "No such checkout", "base.html", 404)
        desk, session = opened
        form, error = request.form, None
        if session["status"] == "open" and request.method == "POST":
            typed = form.get("promotion_code", "").strip()
            if form.get("action") == "apply" or (typed and typed.upper() != self._code(desk, session).upper()):
                error = checkout.apply_code(desk, session, typed)
            card = form.get("card", "works")
            email = form.get("email", "").strip()
            if form.get("action") == "pay" and error is None:
                if "@" not in email:
                    error = "Enter an email address."
                elif card not in objects.CARDS:
                    error = "Choose a card."
                else:
                    country = form.get("country", "").strip().upper()
                    checkout.complete(
                        desk,
                        session,
                        email=email,
                        name=form.get("name", "").strip() or None,
                        place={"country": country} if country else None,
                        card=card,
                    )
                    if session["status"] == "complete":
                        return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", quote(session["id"])), 303)
                    error = session["_message"]
        if session["status"] != "open":
            return self._page(desk, "Checkout", "closed.html", session=session)
        customer = desk.find("customer", session["customer"])
        fixed = session["customer_email"] or (customer or {}).get("email")
        return self._page(
            desk,
            "Checkout",
            "checkout.html",
            422 if error else 200,
            session=session,
            items=session["_items"],
            error=error,
            code=self._code(desk, session),
            typed=form.get("promotion_code", self._code(desk, session)),
            email=fixed or form.get("email", ""),
            fixed=bool(fixed),
            name=form.get("name", ""),
            country=form.get("country", "US"),
            card=form.get("card", "works"),
            money=lambda n: money(n, session["currency"]),
        )

    @staticmethod
    def _code(desk: Desk, session: Obj) -> str:
        code = desk.find("promotion_code", session["discounts"][0]["promotion_code"]) if session["discounts"] else None
        return str(code["code"]) if code else ""

    # -- portal ----------------------------------------------------------------------------------

    def portal(self, id: str) -> AnyResponse:
        with self.store.transaction():
            opened = self._open("billing_portal.session", id)
            if opened is None:
                return self._page(None, "No such portal session", "base.html", 404)
            desk, session = opened
            error = note = None
            if request.method == "POST":
                try:
                    note = self._portal_action(desk, session)
                    after = (session["flow"] or {}).get("after_completion") or {}
                    if after.get("redirect"):
                        return redirect(after["redirect"]["return_url"], 303)
                except ApiError as refused:
                    error = str(refused)
            answer = self._portal_page(desk, session, error, note)
        self.wake()
        return answer

    def _portal_action(self, desk: Desk, session: Obj) -> str:
        form = request.form
        if form.get("action") == "card":
            set_card(desk, session["customer"], form.get("card", "works"))
            return "The new card is used from now on."
        found = desk.get("subscription", form.get("subscription"))
        if found["customer"] != session["customer"]:
            raise ApiError(404, "No such subscription.")
        if form.get("action") == "cancel":
            billing.update(desk, found, {"cancel_at_period_end": True})
            return "The plan ends with the current period."
        if form.get("action") == "resume":
            billing.update(desk, found, {"cancel_at_period_end": False})
            return "The plan goes on."
        if form.get("action") == "switch" and form.get("price"):
            if form["price"] == found["items"]["data"][0]["price"]["id"]:
                return "That is the current plan."
            billing.update(
                desk,
                found,
                {"items": [{"id": found["items"]["data"][0]["id"], "price": form["price"]}], "proration_behavior": "always_invoice"},
            )
            return "The plan was switched."
        raise ApiError(400, "Choose what to do.")

    def _portal_page(self, desk: Desk, session: Obj, error: str | None, note: str | None) -> Response:
        customer = desk.get("customer", session["customer"])
        confirm = ((session["flow"] or {}).get("subscription_update_confirm") or {}).get("items") or [{}]
        rows = []
        for found in desk.all("subscription", lambda s: s["customer"] == customer["id"] and s["status"] in billing.LIVE):
            item = found["items"]["data"][0]
            current = item["price"]["id"]
            offers = desk.all("price", lambda p: p["active"] and p["recurring"])
            prices = [
                (
                    p["id"],
                    f"{desk.get('product', p['product'])['name']}, {money(p['unit_amount'], p['currency'])} a {p['recurring']['interval']}"
                    + (" (current)" if p["id"] == current else ""),
                )
                for p in sorted(offers, key=lambda p: p["unit_amount"])
                if p["currency"] == found["currency"]
            ]
            rows.append(
                {
                    "id": found["id"],
                    "names": desk.get("product", item["price"]["product"])["name"],
                    "status": found["status"],
                    "amount": item["price"]["unit_amount"] * item["quantity"],
                    "currency": found["currency"],
                    "interval": item["price"]["recurring"]["interval"],
                    "wanted": confirm[0].get("price") or current,
                    "prices": prices,
                    "ends": day(item["current_period_end"]) if found["cancel_at_period_end"] else None,
                    "renews": day(item["current_period_end"]),
                }
            )
        method = desk.find("payment_method", customer["invoice_settings"]["default_payment_method"])
        card = f"{method['type']} ending in {method[method['type']]['last4']}" if method else "No card yet."
        return self._page(
            desk,
            "Billing",
            "portal.html",
            422 if error else 200,
            session=session,
            subscriptions=rows,
            error=error,
            note=note,
            card=card,
            money=money,
            invoices=desk.all("invoice", lambda i: i["customer"] == customer["id"] and i["status"] != "draft"),
        )

    # -- invoice ---------------------------------------------------------------------------------

    def invoice(self, id: str) -> AnyResponse:
        with self.store.transaction():
            opened = self._open("invoice", id)
            if opened is None:
                return self._page(None, "No such invoice", "base.html", 404)
            desk, invoice = opened
            error = None
            if request.method == "POST" and invoice["status"] == "open" and request.form.get("card") in objects.CARDS:
                method = desk.save(
                    objects.payment_method(
                        desk, request.form["card"], invoice["customer"], invoice["customer_email"], invoice["customer_name"], None
                    )
                )
                billing.pay(desk, invoice, method)
                error = "Your card was declined." if invoice["status"] == "open" and method["_behaviour"] == "declined" else None
            answer = self._page(
                desk, "Invoice", "invoice.html", 422 if error else 200, invoice=invoice, lines=invoice["_lines"], money=money, error=error
            )
        self.wake()
        return answer


def day(moment: int) -> str:
    date = datetime.fromtimestamp(moment, UTC)
    return f"{date.day} {date:%B %Y}"


def set_card(desk: Desk, customer_id: str, card: str, number: str | None = None) -> Obj:
    """Give a customer a new default card; live subscriptions use it too."""
    if card not in objects.CARDS:
        raise ApiError(400, f"Unknown card: {card}", param="card")
    customer = desk.get("customer", customer_id)
    method = desk.created(
        objects.payment_method(desk, card, customer_id, customer["email"], customer["name"], customer["address"], number),
        "payment_method.attached",
    )
    desk.change(
        customer, {"invoice_settings": {**customer["invoice_settings"], "default_payment_method": method["id"]}}, "customer.updated"
    )
    for found in desk.all("subscription", lambda s: s["customer"] == customer_id and s["status"] in billing.LIVE):
        desk.change(found, {"default_payment_method": method["id"]}, "customer.subscription.updated")
    return method
