"""Ways out: the built-in dev mailbox and SMTP. Each speaks in letters and settled letters."""
