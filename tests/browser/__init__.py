"""Pages in a real Chromium; a package, so that its browser is closed before other tests begin."""
