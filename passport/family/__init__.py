"""Family: proxies whom a person invites, and guardians who act for a child until it is of age."""
