"""A file on its way in: stored, matched, run in chunks that survive a killed worker, repaired row by row, undone."""

from nps.contacts.service.importing.files import (
    UNDO,
    forget_old,
    records_of,
    sample_of,
    store,
    store_again,
    workbook_of,
)
from nps.contacts.service.importing.matching import Preview, ask_to_stop, preview, settle, start
from nps.contacts.service.importing.repairing import fix_row
from nps.contacts.service.importing.running import Chunk, Overtaken, Run, tell
from nps.contacts.service.importing.undoing import undo, undo_step

__all__ = [
    "UNDO",
    "Chunk",
    "Overtaken",
    "Preview",
    "Run",
    "ask_to_stop",
    "fix_row",
    "forget_old",
    "preview",
    "records_of",
    "sample_of",
    "settle",
    "start",
    "store",
    "store_again",
    "tell",
    "undo",
    "undo_step",
    "workbook_of",
]
