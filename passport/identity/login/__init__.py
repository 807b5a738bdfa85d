"""Browser sessions: who is signed in at the passport's own pages."""
