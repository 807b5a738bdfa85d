"""What was looked at, by whom, under which grants."""
