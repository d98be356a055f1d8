"""Rewards: what advocates get, who approves it, and the ledger that says where every cent is.

Nouns: Reward, Gate, Ledger entry and line. Amounts are a pure function of the facts
(`rules.amounts.target`); the ledger gets the difference to what is posted and is never
changed afterwards. Balances are sums of lines.
"""
