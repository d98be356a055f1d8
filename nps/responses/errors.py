"""What a survey link says when it cannot take an answer."""

from nps.core.errors import DomainError, Gone


class SurveyClosed(Gone):
    """The window is over, or the company closed the links."""

    code = "survey_closed"

    def __init__(self) -> None:
        super().__init__("This survey has closed.")


class EditsOver(Gone):
    """The answer can be read but no longer changed."""

    code = "edits_over"

    def __init__(self) -> None:
        super().__init__("Your answer can no longer be changed here, because a person has it in hand or a week has passed.")


class NotTaken(DomainError):
    """The form comes back with what was typed and the sentence at the field."""

    status, code = 400, "answer_not_taken"
