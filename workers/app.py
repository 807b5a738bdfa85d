"""The Celery application: one queue, options that let a killed worker lose nothing.

https://docs.celeryq.dev/en/stable/userguide/configuration.html
https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.pgmq.html
"""

from typing import Final

from celery import Celery

QUEUE: Final = "passport"

LIMIT_SECONDS: Final = 120
"""A task is cancelled after so long: the longest file takes some twenty. Its message is seen again before that, and
finds the row locked."""

BROKER_WAIT_SECONDS: Final = 5
"""How long a broken connection to the broker may keep a caller waiting."""


POLL_SECONDS: Final = 0.1
"""Between two looks into an empty queue, and two looks for rows that are due."""


def celery_name(task: str) -> str:
    """The Celery name of an outbox row's task."""
    return f"passport.{task}"


def create_app(broker_url: str, *, resend_seconds: int) -> Celery:
    """Build the application for a broker.

    `broker_url` is a PostgreSQL conninfo or `postgresql://` URL of the broker's role, or any URL that kombu
    knows (`redis://…`, `amqps://…`). A message that a worker took is seen again after `resend_seconds`.
    """
    app = Celery("passport", set_as_current=False)
    app.conf.update(
        **_broker(broker_url, resend_seconds),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_pool="solo",
    )
    return app


def _broker(url: str, resend_seconds: int) -> dict[str, object]:
    scheme, separator, _ = url.partition("://")
    if separator and scheme not in {"postgresql", "postgres"}:
        return {"broker_url": url, "broker_transport_options": {"visibility_timeout": resend_seconds}}
    return {
        "broker_url": "pgmq://localhost/",
        "broker_transport": "workers.transport:Transport",
        "broker_transport_options": {
            "conn_string": url,
            "pool_size": 2,
            "pool_timeout": BROKER_WAIT_SECONDS,
            "visibility_timeout": resend_seconds,
            # Polling in the server holds a transaction open, and with it a lock that a new relay waits for.
            "wait_time_seconds": 0,
            "polling_interval": POLL_SECONDS,
        },
    }
