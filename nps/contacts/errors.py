"""What the contacts feature refuses."""

from nps.core.errors import Conflict, DomainError


class TwoContacts(Conflict):
    """Two identifiers point at two contacts. Nothing was changed."""

    code = "two_contacts"


class UnusableFile(DomainError):
    """An uploaded file that cannot be read, in one sentence for the person who uploaded it."""

    status, code = 422, "unusable_file"


class WrongState(Conflict):
    """The import is not (or no longer) in a state in which this can be done."""

    code = "wrong_state"


class InUse(Conflict):
    """What is used elsewhere is not deleted."""

    code = "in_use"
