"""Delivery: every mail is a row with a state, and a row is never sent twice by itself.

Nouns: Message (one mail to one person), Batch (what can be paused or stopped together), Template (a wording compiled once),
Suppression (an address that must not be mailed), InboundMail (what came back).
Promises: nothing leaves without a committed row; an outcome nobody knows is kept as `unknown` and never repeated by itself;
a suppressed address is not mailed; a mail that arrives is stored once before anything is done with it.
It knows no campaigns, surveys or cases: a message says what it belongs to by `ref_kind` and `ref_id`, and others listen.
"""
