"""The catalogue of the demo: Wordback's own plans, and something its demo customer sells."""

from __future__ import annotations

from tests.doubles.stripe.desk import Desk
from tests.doubles.stripe.resources import price_create, product_create
from tests.doubles.stripe.state import Obj, Store

# Plan -> US cents a month; a year costs ten months.
PLANS = {"starter": 4900, "growth": 19900, "scale": 59900}
SHOP_PRICE = 12000


def seed(store: Store, base_url: str = "", *, company: str = "Larkfield") -> Obj:
    """Make (or find again) products and prices of both accounts; returns their ids. Safe to repeat."""
    ours, theirs = store.accounts()[0]["id"], store.accounts()[1]["id"]
    with store.transaction():
        desk = Desk(store, ours, base_url=base_url)
        plans: Obj = {}
        for plan, month in PLANS.items():
            product = f"prod_wordback_{plan}"
            if not desk.find("product", product):
                product_create(desk, {"id": product, "name": f"Wordback {plan.capitalize()}", "metadata": {"wb_plan": plan}})
            plans[plan] = {
                "product": product,
                "month": _price(desk, product, f"wordback_{plan}_month", month, "month"),
                "year": _price(desk, product, f"wordback_{plan}_year", month * 10, "year"),
            }
        shop = Desk(store, theirs, base_url=base_url)
        if not shop.find("product", "prod_demo_shop"):
            product_create(shop, {"id": "prod_demo_shop", "name": f"{company} yearly membership"})
            product_create(shop, {"id": "prod_demo_plan", "name": f"{company} plan"})
        demo = {
            "product": "prod_demo_shop",
            "price": _price(shop, "prod_demo_shop", "demo_shop_once", SHOP_PRICE, None),
            "subscription_product": "prod_demo_plan",
            "subscription_price": _price(shop, "prod_demo_plan", "demo_plan_month", 2900, "month"),
        }
    return {
        "billing": {"account": ours, "key": key_of(store, ours), "plans": plans},
        "demo": {"account": theirs, "key": key_of(store, theirs), **demo},
    }


def key_of(store: Store, account: str) -> str:
    """The first unrestricted key of an account."""
    with store.lock:
        return str(
            store.db.execute("select key from api_key where account = ? and rights is null order by rowid limit 1", (account,)).fetchone()[
                0
            ]
        )


def _price(desk: Desk, product: str, lookup: str, amount: int, interval: str | None) -> str:
    found = desk.all("price", lambda o: o["lookup_key"] == lookup)
    if found:
        return str(found[0]["id"])
    made = price_create(
        desk,
        {
            "product": product,
            "currency": "usd",
            "unit_amount": amount,
            "lookup_key": lookup,
            "recurring": {"interval": interval} if interval else None,
        },
    )
    return str(made["id"])
