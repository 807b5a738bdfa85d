"""The transport after a connection that broke, and the application's options for other brokers."""

from collections.abc import Iterator

import psycopg
import pytest
from celery import Celery

from tests.databases import Database
from workers.app import QUEUE, create_app

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE usename = 'passport_broker' AND datname = current_database()
"""


@pytest.fixture
def app(broker_url: str) -> Iterator[Celery]:
    made = create_app(broker_url, resend_seconds=60)
    yield made
    made.close()


def test_a_failed_acknowledgement_does_not_keep_its_place(app: Celery, database: Database) -> None:
    with app.connection_for_read() as broker, broker.SimpleQueue(QUEUE) as queue:
        queue.put({"row": 1})
        qos = queue.channel.qos
        qos.prefetch_count = 1
        message = queue.get(timeout=5)
        assert not qos.can_consume()
        with psycopg.connect(database.superuser_url) as connection:
            connection.execute(TERMINATE)
        with pytest.raises(psycopg.OperationalError):
            message.ack()
        assert qos.can_consume()


def test_the_connection_string_is_used_as_it_is_written(broker_url: str) -> None:
    app = create_app(f"{broker_url} application_name=relay", resend_seconds=60)
    with app.connection_for_read() as broker:
        broker.connect()
        with broker.transport._get_pgmq_client().pool.connection() as connection:
            assert connection.info.get_parameters()["application_name"] == "relay"
    app.close()


@pytest.mark.parametrize("url", ["redis://broker.example/0", "amqps://broker.example//"])
def test_another_broker_is_taken_by_its_url(url: str) -> None:
    app = create_app(url, resend_seconds=60)
    assert app.conf.broker_url == url
    assert app.conf.broker_transport_options == {"visibility_timeout": 60}


def test_nothing_but_json_is_accepted_and_nobody_controls_a_worker_from_afar(broker_url: str) -> None:
    conf = create_app(broker_url, resend_seconds=60).conf
    assert conf.accept_content == ["json"]
    assert conf.task_acks_late
    assert not conf.worker_enable_remote_control
