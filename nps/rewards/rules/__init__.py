"""Pure decisions of rewards: amounts, the reward's machine, ledger lines."""
