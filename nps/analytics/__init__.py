"""What the answers say: the score with its doubt, its trend, its segments, and the overview that puts them together.

Nouns: delta (one change of what counts), daily sum (deltas folded by day), figure (counts with their doubt).
Promises one function per figure for page, JSON and API; sums that can be thrown away and made again; and nothing
shown that too few answers do not carry.
"""
