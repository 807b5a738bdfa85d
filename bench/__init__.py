"""Measurements: what consent, audit and HTTP cost, each beside a floor of the same run."""
