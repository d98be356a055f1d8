"""What campaigns refuse."""

from nps.core.errors import Conflict, Invalid


class AlreadyStarted(Conflict):
    """Another start was faster, or the same one came twice. There is one run."""

    code = "already_started"


class WrongState(Conflict):
    """The campaign is in a state that does not allow this."""

    code = "wrong_state"


class ChangedMeanwhile(Conflict):
    """Another member saved the same draft after this page was opened."""

    code = "changed_meanwhile"


class NotReady(Invalid):
    """Something has to be mended before this campaign can start."""

    code = "not_ready"


class NumberNotTyped(Invalid):
    """A large start is confirmed by typing the number of people."""

    code = "number_not_typed"


class AudienceGrew(Invalid):
    """Over 20 % more people match than were confirmed."""

    code = "audience_grew"


class TooManyTests(Invalid):
    """More test mails in an hour than a person needs."""

    code = "too_many_tests"
