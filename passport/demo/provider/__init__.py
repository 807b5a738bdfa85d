"""A mock of an identity provider, for the demo and for tests: its people are made up, and it asks nobody who they are.

It speaks OpenID Connect as a real one does, and is none: `passport serve` neither holds nor starts it.
"""
