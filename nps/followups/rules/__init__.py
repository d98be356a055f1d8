"""Pure decisions about cases: no database, no Flask, no clock of their own.

hours (when a queue is open) -> clock (elapsed, due) -> words (how a clock reads); states (what may follow what),
targets (how many minutes), order (what comes first), closing and snooze (what must be true first), turns (who is next),
escalation (who hears of it), holidays (days pasted or from an .ics file).
"""
