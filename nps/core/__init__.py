"""The ground every feature stands on: settings, database, tenancy, clock, ids, ports, events, money.

Knows no feature and no HTTP. Promises one clock, one source of chance and secrets, one place that commits.
"""
