"""Contacts: the people an account may ask, and how they get here.

Nouns: Contact, property definition, import with its rows to fix, segment, consent change. Promises: one person is one
contact (email, phone and customer number are each unique), an import neither doubles nor skips a row whatever is
killed, can be undone for 24 hours, and never causes a survey.
"""
