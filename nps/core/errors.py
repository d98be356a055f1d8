"""What a service says when it refuses. One handler turns these into a page, a fragment or problem+json."""


class DomainError(Exception):
    """A refusal with a stable `code`, a sentence for people and an HTTP `status`.

    The sentence says what happened, what was kept and what to do.
    """

    status = 400
    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.fields = fields or {}


class NotFound(DomainError):
    """No such thing in this account (a rival's thing answers the same)."""

    status, code = 404, "not_found"

    def __init__(self, message: str = "There is nothing at this address.", **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]


class Gone(DomainError):
    """It was here and is over."""

    status, code = 410, "gone"


class Refused(DomainError):
    """The member or key may not do this."""

    status, code = 403, "forbidden"


class Conflict(DomainError):
    """Someone else was faster, or the state does not allow it. What was typed is kept."""

    status, code = 409, "conflict"


class Invalid(DomainError):
    """Input that cannot be taken; `fields` maps field names to sentences."""

    status, code = 422, "invalid"


class TooMany(DomainError):
    """A limit on tries. `retry_after` is in whole seconds."""

    status, code = 429, "too_many"

    def __init__(self, message: str, *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Away(DomainError):
    """The database does not answer now. `retry_after` is in whole seconds."""

    status, code = 503, "unavailable"
    retry_after = 10

    def __init__(self) -> None:
        super().__init__("")
