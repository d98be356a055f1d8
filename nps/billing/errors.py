"""Refusals of this feature."""

from nps.core.errors import Conflict, Invalid


class NotForSale(Invalid):
    """No active price stands for the plan and interval."""

    code = "not_for_sale"

    def __init__(self) -> None:
        super().__init__("This plan cannot be bought here yet. Nothing was charged. Write to us and we set it up.")


class AlreadyPaying(Conflict):
    """A live subscription is changed on the provider's page, not bought a second time."""

    code = "already_paying"

    def __init__(self) -> None:
        super().__init__("This account has a plan already. Nothing was charged. Use “Change plan”, so that you do not pay twice.")


class NothingToChange(Conflict):
    """There is no customer or subscription at the provider yet."""

    code = "nothing_to_change"

    def __init__(self) -> None:
        super().__init__("This account has never paid for a plan, so there is nothing to change. Choose a plan first.")
