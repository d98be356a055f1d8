"""Pure decisions of referrals, one module a noun. No database, no clock, no ids."""
