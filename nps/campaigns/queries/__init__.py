"""Reads of campaigns and invitations. `from nps.campaigns import queries as campaigns`."""

from nps.campaigns.queries.reads import (
    count_campaigns,
    find_campaign,
    find_invitation,
    find_wave,
    get_campaign,
    get_invitation,
    get_wave,
    list_campaigns,
)

__all__ = [
    "count_campaigns",
    "find_campaign",
    "find_invitation",
    "find_wave",
    "get_campaign",
    "get_invitation",
    "get_wave",
    "list_campaigns",
]
