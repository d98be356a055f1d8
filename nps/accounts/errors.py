"""Refusals of this feature."""

from nps.core.errors import Conflict, DomainError, Gone, Invalid, Refused


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


class LinkOver(Gone):
    """A mailed link that was used, has run out, or never was."""

    code = "link_over"

    def __init__(self, message: str = "This link has been used or has run out. Ask for a new one; it takes a few seconds.") -> None:
        super().__init__(message)


class LastOwner(Conflict):
    """An account without an owner could be changed by nobody."""

    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("An account always has an owner, and this is the last one. Nothing was changed. Make somebody else owner first.")


class OwnRole(Refused):
    """Nobody changes what they may do themselves."""

    code = "own_role"

    def __init__(self) -> None:
        super().__init__("Your own role stays as it is. Nothing was changed. Another owner or admin can change it.")


class AboveYou(Refused):
    """A role above one's own is given and taken by owners only."""

    code = "above_you"

    def __init__(self) -> None:
        super().__init__("Only an owner may do that. Nothing was changed.")


class AlreadyIn(Invalid):
    """The address belongs to a member, or to the person who invites."""

    code = "already_in"

    def __init__(self, own: bool) -> None:
        words = "This is your own address." if own else "This person is a member already. Change the role in the list instead."
        super().__init__(words, fields={"email": words})


class SeatsTaken(Conflict):
    """The plan's number of members is reached."""

    code = "seats_taken"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Your plan has room for {limit} members, invitations included. Nothing was sent."
            " Withdraw an invitation or change the plan under Billing."
        )


class ResentOften(Conflict):
    """Five mails a day are enough for one invitation."""

    code = "resent_often"

    def __init__(self) -> None:
        super().__init__(
            "This invitation was sent 5 times today. Nothing was sent. Try again tomorrow, or give the person the address by hand."
        )


class SignUpClosed(Refused):
    """New companies are let in by the operator only."""

    code = "signup_closed"

    def __init__(self) -> None:
        super().__init__("New accounts are opened by the people who run this installation. Ask them for an invitation.")


class Unconfirmed(Refused):
    """Nothing leaves an account whose owner's address is not confirmed."""

    code = "unconfirmed"

    def __init__(self) -> None:
        super().__init__("Confirm your own address first: open the link we mailed you when you signed up. Nothing was sent.")
