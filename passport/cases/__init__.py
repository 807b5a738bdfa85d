"""Cases: for what reason, of whom and for how long an auditor sees what requests asked for."""
