"""The tasks: which name in the outbox means which work, and how Celery comes to it.

https://docs.celeryq.dev/en/stable/userguide/tasks.html

A message carries the key of an outbox row and nothing else. What is to be done stands in the row.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from celery import Celery

from passport.imports import carry, handover
from workers.app import celery_name
from workers.attempt import Handler, attempt
from workers.runner import Runner

HANDLERS: Final[Mapping[str, Handler]] = {handover.TASK: carry.carry_out}


def register(app: Celery, runner: Runner, handlers: Mapping[str, Handler] = HANDLERS) -> None:
    """Give `app` one Celery task per handler, each run by `runner`."""

    def carry(patient_key: int, outbox_id: str) -> None:
        runner.run(
            lambda runtime: attempt(
                runtime, handlers, patient_key, UUID(outbox_id), limit_seconds=runner.limit_seconds
            )
        )

    for task in handlers:
        app.task(carry, name=celery_name(task))
