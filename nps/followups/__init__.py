"""Follow-up queues: a person writes back to an unhappy customer before a promised minute.

Nouns: Queue (members, hours, targets), Case (one response being followed up), CaseEvent (append-only history),
saved reply, draft. Promises: one open case a customer, only a human contact stops the clock, a time once shown
to a customer never moves later, and every change can be read back from the events.
"""
