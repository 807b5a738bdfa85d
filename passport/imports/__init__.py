"""Prescription records handed over as files: received at once, carried into the store by a worker."""
