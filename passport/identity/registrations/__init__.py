"""Registering clients: one operator proposes what counts once another one has approved it."""
