"""A tiny app of somebody else: one page that a person is sent back to, and one that is a SMART app by itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

PAGES: Final = Path(__file__).parent / "pages"
_TYPES: Final = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass
class Relying:
    """Where the app is; `visits` are the addresses that were opened."""

    origin: str
    visits: list[str] = field(default_factory=list)


@contextmanager
def relying(others: Mapping[str, Path]) -> Iterator[Relying]:
    """Serve the app's pages, and `others` by their paths, on a free port of the loopback."""
    files = {f"/{page.name}": page for page in PAGES.iterdir()} | dict(others)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            serving.visits.append(self.path)
            file = files.get(urlsplit(self.path).path)
            self.send_response(200 if file else 404)
            self.send_header("Content-Type", _TYPES[file.suffix] if file else "text/plain")
            self.end_headers()
            self.wfile.write(file.read_bytes() if file else b"")

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Relying(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield serving
        finally:
            server.shutdown()
            thread.join(timeout=30)
