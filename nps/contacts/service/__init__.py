"""Commands on contacts. Each is one change with its history; `importing` takes whole files, `segments` keeps selections."""

from nps.contacts.rules.asking import REST
from nps.contacts.service.contacts import (
    add,
    block,
    edit,
    erase,
    hold,
    mark_answered,
    mark_asked,
    note_yearly,
    release,
    set_gap,
    upsert,
)
from nps.contacts.service.properties import archive_property, define_property
from nps.contacts.service.segments import archive_segment, save_segment, use_uses

__all__ = [
    "REST",
    "add",
    "archive_property",
    "archive_segment",
    "block",
    "define_property",
    "edit",
    "erase",
    "hold",
    "mark_answered",
    "mark_asked",
    "note_yearly",
    "release",
    "save_segment",
    "set_gap",
    "upsert",
    "use_uses",
]
