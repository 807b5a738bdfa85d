"""Dictionaries lie in the database: an installation gets them at its start, and a process asks for what it lacks."""

from datetime import UTC, datetime
from functools import partial

import psycopg
import pytest

from fhirstore.bodies import ZSTD, Address, Bodies, CodecNumber
from fhirstore.errors import UnknownCodec
from fhirstore.parse import serialise
from fhirstore.trained import TRAINED, codec_for, content
from fhirstore.trained.store import keep_trained, look_up
from fhirstore.types import TypeNumber
from passport.database import open_pool
from tests import resources as made
from tests.databases import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY, NONCE = bytes(32), bytes(12)
ADDRESS = Address(7, TypeNumber(10), "x", 1)
PRESSURE = made.pressure("Patient/p")
CODEC = codec_for(PRESSURE)


async def keep(database: Database) -> dict[CodecNumber, bytes]:
    async with open_pool(database.service_url, size=1) as pool, pool.connection() as connection:
        return await keep_trained(connection, NOW)


async def test_a_new_database_gets_the_dictionaries_of_the_product(database: Database) -> None:
    held = await keep(database)
    assert held == {each.number: content(each) for each in TRAINED}
    assert await keep(database) == held


async def test_what_a_database_holds_under_a_number_stays(database: Database) -> None:
    with psycopg.connect(database.service_url) as connection:
        connection.execute("INSERT INTO dictionary VALUES (%s, 'old', 1, 'words', now())", [CODEC])
    assert (await keep(database))[CODEC] == b"words"


async def test_the_service_cannot_change_a_dictionary(database: Database) -> None:
    await keep(database)
    with psycopg.connect(database.service_url) as connection:
        for statement in ("DELETE FROM dictionary", "UPDATE dictionary SET content = ''"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


async def test_a_process_asks_the_database_for_a_dictionary_that_it_lacks(database: Database) -> None:
    writer, reader = Bodies(await keep(database)), Bodies()
    plain = serialise(PRESSURE)
    sealed = writer.seal(plain, KEY, ADDRESS, nonce=NONCE, codec=writer.known(CODEC))
    with pytest.raises(UnknownCodec):
        reader.open(sealed, KEY, ADDRESS)
    reader.ask(partial(look_up, database.service_url))
    assert reader.open(sealed, KEY, ADDRESS) == plain


async def test_a_codec_that_nobody_has_is_named(database: Database) -> None:
    assert look_up(database.service_url, CodecNumber(999)) is None


def test_without_its_dictionary_a_body_is_written_plainly() -> None:
    assert Bodies().known(CODEC) == ZSTD


def test_a_dictionary_makes_a_blood_pressure_less_than_half_of_what_it_was() -> None:
    bodies = Bodies({each.number: content(each) for each in TRAINED})
    plain = serialise(PRESSURE)
    plainly = bodies.seal(plain, KEY, ADDRESS, nonce=NONCE)
    assert len(bodies.seal(plain, KEY, ADDRESS, nonce=NONCE, codec=CODEC).body) < len(plainly.body) / 2
