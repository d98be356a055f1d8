"""Reads of answers: links, rows, lists. `from nps.responses import queries as responses`."""

from nps.responses.queries.links import MOST_HITS, Link, Standing, crowd_of, open_link, recent_hits, wording
from nps.responses.queries.lists import (
    Filters,
    Tally,
    count_matching,
    export_rows,
    neighbours,
    page_responses,
    place_in_check,
    tally,
    waiting_at_domain,
    waiting_attempts,
)
from nps.responses.queries.rows import (
    find_answer,
    find_response,
    get_response,
    last_version,
    list_answers,
    list_hits,
    list_of_contact,
    list_versions,
)

__all__ = [
    "MOST_HITS",
    "Filters",
    "Link",
    "Standing",
    "Tally",
    "count_matching",
    "crowd_of",
    "export_rows",
    "find_answer",
    "find_response",
    "get_response",
    "last_version",
    "list_answers",
    "list_hits",
    "list_of_contact",
    "list_versions",
    "neighbours",
    "open_link",
    "page_responses",
    "place_in_check",
    "recent_hits",
    "tally",
    "waiting_at_domain",
    "waiting_attempts",
    "wording",
]
