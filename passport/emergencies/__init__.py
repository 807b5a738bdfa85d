"""Emergencies: openings as their patient sees them, ends them and bars them, and as auditors review them."""
