"""Turning the signing keys over while the service runs: a new one is published, then signs, and old ones verify on.

https://openid.net/specs/openid-connect-core-1_0-final.html#RotateSigKeys
"""

from passport.rotation.watching import keep_signing_keys, reread

__all__ = ["keep_signing_keys", "reread"]
