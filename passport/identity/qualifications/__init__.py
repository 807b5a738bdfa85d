"""Qualifications: what a certificate of the health-care PKI says that its holder may do."""
