"""`python -m passport.demo.provider`: a mock provider on a socket that is handed to it, for one client.

https://www.uvicorn.org/settings/
"""

import socket
from argparse import ArgumentParser
from pathlib import Path

import orjson
import uvicorn

from passport.demo.provider.app import provider
from passport.demo.provider.keeping import Client, Mock


def main() -> None:
    """Serve until the process is ended."""
    reading = ArgumentParser(prog="passport.demo.provider", description="A mock, and no real provider.")
    reading.add_argument("--issuer", required=True)
    reading.add_argument("--client", type=Path, required=True)
    reading.add_argument("--socket", type=int, required=True)
    asked = reading.parse_args()
    client = Client(**orjson.loads(asked.client.read_bytes()))
    mock = Mock(asked.issuer, clients={client.client_id: client})
    server = uvicorn.Server(uvicorn.Config(provider(mock), log_level="warning", access_log=False))
    server.run(sockets=[socket.socket(fileno=asked.socket)])


if __name__ == "__main__":
    main()
