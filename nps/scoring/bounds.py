"""What those who did not answer could change."""

from nps.scoring.score import Counts


def bounds(counts: Counts, delivered: int) -> tuple[float, float]:
    """Lowest and highest score (points) of all who were asked: r·NPS ∓ 100(1 − r), r = answers/delivered.

    Holds whatever the silent think; sampling doubt comes on top. ValueError when more answered than were asked.
    """
    if delivered <= 0 or counts.n > delivered:
        raise ValueError("bounds need at least as many delivered as answered")
    silent = delivered - counts.n
    return 100 * (counts.surplus - silent) / delivered, 100 * (counts.surplus + silent) / delivered
