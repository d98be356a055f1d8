"""Pages for members: the list of cases, one case, queues and saved replies."""

from nps.followups.views import cases, listing, queues
from nps.followups.views.base import badge, blueprint, timeline

__all__ = ["badge", "blueprint", "cases", "listing", "queues", "timeline"]
