"""Reads of the overview: sums and their unfolded tail, rows where sums do not reach, and the figures made of both."""

from nps.analytics.queries.deltas import (
    COLUMNS,
    SUMMED,
    TAIL,
    accounts_with_answers,
    accounts_with_waiting,
    contribution,
    folded_answers,
    kept_properties,
    latest_properties,
    month_to_prove,
    recount_of,
    responses_of,
    splitting_keys,
    standing_contributions,
    sums_of,
    waiting,
)

__all__ = [
    "COLUMNS",
    "SUMMED",
    "TAIL",
    "accounts_with_answers",
    "accounts_with_waiting",
    "contribution",
    "folded_answers",
    "kept_properties",
    "latest_properties",
    "month_to_prove",
    "recount_of",
    "responses_of",
    "splitting_keys",
    "standing_contributions",
    "sums_of",
    "waiting",
]
