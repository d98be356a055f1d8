"""The demo: an installation under `var/` with a believable company in it, started and stopped as one.

Promises: nothing but Python is needed, a second start takes seconds, Ctrl-C leaves no process behind.
"""
