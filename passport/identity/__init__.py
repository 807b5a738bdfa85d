"""Who is asking: clients, sessions, tokens."""
