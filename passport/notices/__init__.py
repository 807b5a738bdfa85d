"""Notifications: what happened to a resident's passport, in the resident's own list from that moment on."""

from passport.notices.sentences import SENTENCES, Kind
from passport.notices.telling import Notice, read, tell

__all__ = ["SENTENCES", "Kind", "Notice", "read", "tell"]
