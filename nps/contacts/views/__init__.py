"""Pages about contacts, one blueprint a door."""

from nps.contacts.views.imports import imports
from nps.contacts.views.people import contacts
from nps.contacts.views.segments import segments

# Rights that differ from the door's: (read, write) by endpoint.
RIGHTS = {
    "new": ("contacts.write", "contacts.write"),
    "edit": ("contacts.write", "contacts.write"),
    "download": ("contacts.write", "contacts.write"),
    "properties": ("contacts.write", "contacts.write"),
    "lift": ("contacts.erase", "contacts.erase"),
    "erase": ("contacts.erase", "contacts.erase"),
}

__all__ = ["RIGHTS", "contacts", "imports", "segments"]
