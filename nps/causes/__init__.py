"""Causes: why customers are unhappy, in their own terms, with an owner, five whys and the words we answer with.

Nouns: Cause, CauseLink (an answer that raises it: suggested until a member confirms). Promises: a suggestion never counts,
a state is entered only when its facts are there, a decline carries a reason that can be published.
"""
