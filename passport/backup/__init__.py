"""Backup and restore of an installation: its database and settings in one place, its keys in another."""
