"""Pure decisions of campaigns: states, gates, windows, words. Over plain values; no database, no clock."""
