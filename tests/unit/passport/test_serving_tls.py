"""TLS by the service itself: what a client and the certificate of a city agree on, and nothing older.

https://www.rfc-editor.org/rfc/rfc9325
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from passport.serving import options
from passport.settings import Settings
from tests.unit.passport.test_serving import tell_address

pytestmark = pytest.mark.anyio

LOOPBACK = "127.0.0.1"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for the loopback address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "passport.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, private


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[int]:
    """The port of a server that speaks as the service does."""
    with socket.create_server((LOOPBACK, 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(tell_address, lifespan="off", **options(settings)))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        yield bound.getsockname()[1]
        server.should_exit = True
        await serving


async def test_the_service_speaks_tls_by_itself_and_nothing_old(tmp_path: Path) -> None:
    chain, private = certificate(tmp_path)
    environ = {"PASSPORT_TLS_CERTIFICATE": f"{chain}", "PASSPORT_TLS_KEY": f"{private}"}
    settings = Settings.load(tmp_path, environ=environ)
    async with listening(settings) as port:
        address = f"https://{LOOPBACK}:{port}/"
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trusting = ssl.create_default_context(cafile=f"{chain}")
            trusting.minimum_version = trusting.maximum_version = version
            async with httpx.AsyncClient(verify=trusting) as http:
                assert (await http.get(address)).text == LOOPBACK
        old = ssl.create_default_context(cafile=f"{chain}")
        old.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(verify=old) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(address)
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.HTTPError):
                await http.get(f"http://{LOOPBACK}:{port}/")
