"""One service and one Chromium for all tests of pages, and a watched page for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from hatch_build import toolchain
from tests.browser.chromium import MISSING, downloaded, of_machine
from tests.browser.people import Village, village
from tests.browser.relying import Relying, relying
from tests.browser.watching import Watched
from tests.clients.npm import installed
from tests.databases import Server
from tests.loopback import loopback

NODE: Final = Path(__file__).parent / "node"
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}
PATIENCE_MS: Final = 60_000


@pytest.fixture(scope="package")
def town(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """The service, reached by a name: a passkey is for a name, and no number."""
    state = tmp_path_factory.mktemp("installation")
    with server.database() as database, loopback(database, state, name="localhost") as served:
        yield village(served)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; without one the tests fail, here and wherever changes are taken."""
    path = of_machine() or downloaded()
    if path is None:
        pytest.fail(MISSING)
    # As long as a test may wait for a page on a machine that is busy with others.
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Root has no sandbox; the pages are our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What npm installed for these tests."""
    return installed(NODE, toolchain(), tmp_path_factory.getbasetemp().parent) / "node_modules"


@pytest.fixture(scope="package")
def relying_page(packages: Path) -> Iterator[Relying]:
    """An app of somebody else, on a port of its own."""
    with relying({"/fhir-client.js": packages / "fhirclient/build/fhir-client.min.js"}) as serving:
        yield serving


@pytest.fixture
def person(chromium: Browser, town: Village, packages: Path, relying_page: Relying) -> Iterator[Watched]:
    """A resident's phone, in Japanese; whatever a test does, everybody can use the page that it ends on."""
    context = chromium.new_context(
        locale="ja-JP", timezone_id="Asia/Tokyo", viewport=PHONE, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    watched = watch(context.new_page(), town, packages, relying_page)
    yield watched
    if urlsplit(watched.page.url).netloc == urlsplit(town.served.base_url).netloc:
        watched.accessible()
        watched.fits()
    watched.clean()
    context.close()


def watch(page: Page, town: Village, packages: Path, relying_page: Relying) -> Watched:
    """Put a page under watch."""
    axe = (packages / "axe-core/axe.min.js").read_text("utf-8")
    base_url = town.served.base_url
    return Watched(page, base_url, axe, {base_url, relying_page.origin})
