"""Passkeys: a key on a person's own device instead of a code, and the way back for who lost it."""
