"""Responses: what came in on a survey link, by a person or a machine, and which of it counts.

Nouns: Hit, Response, ResponseVersion, ResponseAnswer. Promises: a GET keeps a hit and nothing else, one response per
invitation whatever the number of posts, a machine's attempt is kept and left out, nobody is locked out by one.
"""
