"""Jobs: a row in the business transaction is the truth, Celery executes it, the broker is one setting.

Nouns: Job, ScheduleRun, InboxEvent. Promises: a rolled-back transaction leaves no job, a killed worker loses none,
a stale delivery does nothing, a repeat of an outside event is stored once.
"""
