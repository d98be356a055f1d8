"""Referral tracking: from a promoter's link to a paid sale, with evidence.

Nouns: Program, Advocate, Link, Click, Touch, Credit, Referral, Conversion, Adjustment.
A GET records a click at most. Facts (touches, sales, refunds, disputes) are stored first,
each unique by its outside id; who is credited and in what state a referral is are derived
from the set of facts, so the order in which we hear of them never matters.
"""
