"""The published files that prescriptions and devices really send, through the public interfaces.

The files are read where they lie and never copied; `make real-inputs DATA=folder` runs them.
"""
