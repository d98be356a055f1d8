"""What delivery refuses."""

from nps.core.errors import Conflict, Refused


class Suppressed(Refused):
    """This address must not be mailed."""

    code = "suppressed"


class NotLiftable(Refused):
    """Only the person can take this stop back."""

    code = "not_liftable"


class WrongState(Conflict):
    """The message or batch is no longer in a state in which this can be done."""

    code = "wrong_state"
