"""Refusals of this feature."""

from nps.core.errors import DomainError, Refused


class WrongCredentials(DomainError):
    """One sentence for unknown addresses and wrong passwords alike."""

    status, code = 422, "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("That address and password do not belong together. Check both, or ask for a link by email.")


class NotAllowed(Refused):
    """The member's role lacks the right."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__("Your role does not allow this. Nothing was changed. An owner or admin of the account can do it.")
