"""What follow-ups refuse."""

from nps.core.errors import Conflict, Invalid


class MoveRefused(Conflict):
    """The move is not listed for the state the case is in. Nothing was changed."""

    code = "case_state"


class RepliedMeanwhile(Conflict):
    """Somebody wrote while this reply was being typed. The text is kept; it can be sent all the same."""

    code = "replied_meanwhile"


class HasLeft(Conflict):
    """Too late to undo: the mail is on its way, or something else happened on top."""

    code = "cannot_undo"


class CloseIncomplete(Invalid):
    """Fields a close needs are missing, or a wish for a reply is unmet."""

    code = "close_incomplete"


class MayNotWrite(Conflict):
    """This customer must not be mailed: a complaint, an address that does not exist, or an erasure."""

    code = "may_not_write"
