"""The key of the device CA turns over while devices send: each is known to a proxy throughout, by its old certificate
until that ends, and by one of the new key from its next renewal on.

https://www.rfc-editor.org/rfc/rfc5280#section-6.1
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from httpx import ASGITransport, AsyncClient
from starlette.types import Receive, Scope, Send

from passport.cli import main
from passport.devices.authority import LIFE
from passport.keys import KeyRing
from passport.protocol import PEER
from passport.rotation import reread
from passport.rotation.device_ca import CA_KNOWN_AFTER
from passport.runtime import utc_now
from tests.databases import Database
from tests.http.device_town import BASE_URL, Cuff, Town, pressure, served
from tests.http.test_device_keys import PROXY, asked, certificate_in, header, renewed
from tests.unit.passport.devices.signing import DevicePen
from tests.unit.passport.test_serving_tls import certificate as of_the_proxy

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation")) as running:
        yield running


def carried_out(town: Town, *words: str) -> str:
    """What the command says, and the running service takes over what it did."""
    state = str(town.runtime.settings.state)
    result = CliRunner().invoke(main, ["device-ca", words[0], "--state", state, *words[1:]])
    assert result.exit_code == 0, result.output
    town.app.state.runtime = reread(town.app.state.runtime)
    return result.output


async def published(town: Town) -> str:
    return (await town.call(None, "GET", "/.well-known/device-ca.pem")).text


def is_let_in(folder: Path, authorities: str, pen: DevicePen, shown: x509.Certificate) -> bool:
    """Whether a proxy that trusts these lets a device through, by a real handshake with its certificate."""
    chain, private = of_the_proxy(folder)
    proxy, device = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    proxy.load_cert_chain(chain, private)
    proxy.load_verify_locations(cadata=authorities)
    proxy.verify_mode = ssl.CERT_REQUIRED
    key = pen.key.private_key
    assert key is not None
    own = folder / "device.pem"
    own.write_bytes(
        shown.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    device.load_cert_chain(own)
    device.load_verify_locations(chain)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        proxy.wrap_bio(there, back, server_side=True),
        device.wrap_bio(back, there, server_hostname="127.0.0.1"),
    )
    try:
        for _ in range(4):
            for end in ends:
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
    except ssl.SSLError:
        return False
    return ends[0].getpeercert() != {}


async def sends(town: Town, cuff: Cuff, shown: x509.Certificate) -> int:
    """What the service answers to a message whose sender's certificate a trusted proxy tells of."""

    async def from_proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await town.app({**scope, PEER: PROXY}, receive, send)

    with town.with_runtime(settings=replace(town.runtime.settings, trusted_proxies=PROXY)):
        async with AsyncClient(transport=ASGITransport(from_proxy), base_url=BASE_URL) as http:
            body = cuff.batch(pressure(cuff.counter))
            answer = await http.post(f"{cuff.path}/readings", content=body, headers=header(shown))
    return answer.status_code


async def test_devices_are_known_throughout(town: Town, tmp_path: Path) -> None:
    aoi = await town.resident("星野 葵（架空）")
    cuff = await town.approved(aoi)
    before = await published(town)
    old = certificate_in(await asked(town, cuff, cuff.pen.request()))
    assert is_let_in(tmp_path, before, cuff.pen, old)

    told = carried_out(town, "publish")
    both = await published(town)
    assert both.startswith(before)
    assert both.count("BEGIN CERTIFICATE") == 2
    # It is told to every proxy, and certifies nothing yet.
    former, following = x509.load_pem_x509_certificates(both.encode())
    assert KeyRing.load(town.runtime.settings.key_file).device_authorities[-1].kid in told
    certificate_in(await renewed(town, cuff, cuff.pen, cuff.pen)).verify_directly_issued_by(former)

    carried_out(town, "rotate", "--at-once")
    assert set(x509.load_pem_x509_certificates((await published(town)).encode())) == {former, following}
    # Whoever asks again within a day is renewed all the same.
    answer = await asked(town, cuff, cuff.pen.request())
    new = certificate_in(answer)
    new.verify_directly_issued_by(following)
    assert answer.json()["issuer"].encode() == following.public_bytes(Encoding.PEM)
    assert certificate_in(await asked(town, cuff, cuff.pen.request())) == new
    for shown in (old, new):
        assert is_let_in(tmp_path, both, cuff.pen, shown)
        assert await sends(town, cuff, shown) == 200
    # A proxy that was told nothing of the new key knows none of its devices.
    assert is_let_in(tmp_path, before, cuff.pen, old)
    assert not is_let_in(tmp_path, before, cuff.pen, new)

    over = utc_now() + LIFE + timedelta(minutes=1)
    with town.with_runtime(clock=lambda: over):
        assert x509.load_pem_x509_certificates((await published(town)).encode()) == [following]
        assert await sends(town, cuff, old) == 401


async def test_what_is_kept_of_a_former_key_certifies_nothing(town: Town) -> None:
    ring = KeyRing.load(town.runtime.settings.key_file)
    former = [key for key in ring.device_authorities if key.retired is not None]
    assert [key.key.d for key in former] == [None]


async def test_a_key_certifies_a_day_after_it_was_published(town: Town) -> None:
    state, path = str(town.runtime.settings.state), town.runtime.settings.key_file
    carried_out(town, "publish")
    for words in (["rotate"], ["publish"]):
        refused = CliRunner().invoke(main, ["device-ca", *words, "--state", state])
        assert refused.exit_code == 1
    kept, earlier = KeyRing.load(path), utc_now() - CA_KNOWN_AFTER - timedelta(minutes=1)
    kept_for = replace(kept, device_authorities=kept.device_authorities[:-1])
    kept_for.replace(path)
    KeyRing.with_another_authority(path, earlier)
    carried_out(town, "rotate")
    assert CliRunner().invoke(main, ["device-ca", "rotate", "--state", state]).exit_code == 1
    shown = CliRunner().invoke(main, ["device-ca", "show", "--state", state])
    assert shown.output == await published(town)
