"""The three NPS groups (Reichheld 2003): promoter 9–10, passive 7–8, detractor 0–6."""

from enum import StrEnum

SCORES = range(11)


class Group(StrEnum):
    """NPS group of one answer."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"

    @property
    def short(self) -> str:
        """The three letters that style sheets and charts use: pro, pas, det."""
        return self.value[:3]

    @property
    def scores(self) -> range:
        """The scores of this group, lowest first."""
        return _SCORES_OF[self]


_SCORES_OF = {Group.DETRACTOR: range(7), Group.PASSIVE: range(7, 9), Group.PROMOTER: range(9, 11)}


def nps_group(score: int) -> Group:
    """Group of a score 0–10. ValueError for anything else; True and False are not scores."""
    if isinstance(score, bool) or score not in SCORES:
        raise ValueError(f"a score is a whole number from 0 to 10, not {score!r}")
    if score >= 9:
        return Group.PROMOTER
    return Group.PASSIVE if score >= 7 else Group.DETRACTOR


def nps_value(score: int) -> int:
    """What one answer adds to the score: +1 promoter, 0 passive, −1 detractor."""
    group = nps_group(score)
    return (group is Group.PROMOTER) - (group is Group.DETRACTOR)
