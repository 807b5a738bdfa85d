"""How often callers may ask, each by what they asked for themselves."""
