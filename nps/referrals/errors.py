"""What referrals refuse."""

from nps.core.errors import Conflict, Gone, Invalid, NotFound


class NoSuchLink(NotFound):
    """Unknown, withdrawn and other accounts' codes answer alike."""

    code = "no_such_link"


class OfferEnded(Gone):
    """The program is over; the visitor may go on without the offer."""

    code = "offer_ended"


class NotReady(Conflict):
    """A program cannot go live yet; `fields` says what is missing."""

    code = "not_ready"


class WrongState(Conflict):
    """The step does not exist from here. Nothing was changed."""

    code = "wrong_state"


class SameIdOtherContent(Conflict):
    """This outside id was told before with other content."""

    code = "same_id_other_content"


class BadAmount(Invalid):
    """Not an amount of money."""

    code = "bad_amount"
