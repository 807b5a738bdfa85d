"""Standings that were read before: what they rest on, and how a request learns that nothing of it has changed."""
