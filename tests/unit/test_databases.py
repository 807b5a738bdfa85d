"""The databases that tests run on are what they claim to be."""

import psycopg

from tests.databases import Database, Server


def test_service_is_not_the_owner_of_what_it_uses(each_database: Database) -> None:
    with psycopg.connect(each_database.service_url) as connection:
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'resource'").fetchone()
        user = connection.execute("SELECT current_user").fetchone()
    assert (owner, user) == (("passport_owner",), ("passport_service",))


def test_two_databases_share_nothing(server: Server) -> None:
    with server.database() as first, server.database() as second:
        with psycopg.connect(first.superuser_url) as connection:
            connection.execute("CREATE TABLE only_here ()")
        with psycopg.connect(second.superuser_url) as connection:
            assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
