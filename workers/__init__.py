"""Celery app, tasks, relay and supervisor: what happens after a request was answered."""
