"""Commands on campaigns and invitations. `from nps.campaigns import service as campaigns`, then `campaigns.launch(…)`."""

from nps.campaigns.service.drafting import check_unchanged, copy, create, discard, edit, reply_addresses
from nps.campaigns.service.launch import launch, start_scheduled, unschedule
from nps.campaigns.service.planning import plan, wake_writer
from nps.campaigns.service.writing import write_due

__all__ = [
    "check_unchanged",
    "copy",
    "create",
    "discard",
    "edit",
    "launch",
    "plan",
    "reply_addresses",
    "start_scheduled",
    "unschedule",
    "wake_writer",
    "write_due",
]
