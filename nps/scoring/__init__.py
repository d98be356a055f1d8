"""The product's mathematics: groups, score, doubt, comparison. Pure: no database, no clock, no Flask.

Every figure on every surface is made by these functions from counts, so two surfaces cannot disagree.
Scores, margins and ranges are in points (−100…100) and stay unrounded; only `display` rounds, once, at the end.
"""
