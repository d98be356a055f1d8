"""Campaigns: who is asked, when and how often, and why somebody was not.

Nouns: Campaign, Invitation. Promises: nobody is asked twice in a wave or inside the gap, every contact of a wave's audience
has an invitation or a reason, a pause holds within seconds, a resume asks nobody twice.
"""
