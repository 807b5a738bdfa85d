"""Prescription records handed over as files."""
