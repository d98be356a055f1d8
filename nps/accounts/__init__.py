"""Accounts: who the companies and the people who sign in are, and what each may do.

Nouns: Account, User, Membership, LoginSession, ApiKey, TeamInvite, AuditEntry. Promises: every door is one of
`guards`, every right stands in one table (`rules.MAY`), a session is a row and dies with it.
"""
