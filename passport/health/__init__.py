"""Whether this process can serve: its database is there and is of the revision that this version needs."""
