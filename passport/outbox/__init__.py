"""Work that a request leaves behind: written in its transaction, carried out by a worker."""
