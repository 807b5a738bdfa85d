"""Approved devices and the readings that they sign."""
