"""Where somebody is signed in and what acts for them, for themselves to see and to end."""
