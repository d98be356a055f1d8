"""What rewards refuse."""

from nps.core.errors import Conflict, Invalid, NotFound


class NoSuchReward(NotFound):
    code = "no_such_reward"


class WrongStep(Conflict):
    """The reward's state does not allow this. Nothing was changed."""

    code = "wrong_step"


class SecondPersonNeeded(Conflict):
    """Another member must confirm; the first confirmation is kept."""

    code = "second_person_needed"


class ReasonNeeded(Invalid):
    code = "reason_needed"
