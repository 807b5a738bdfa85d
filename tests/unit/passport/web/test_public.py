"""Pages asked for by another name of this machine are at the public address; nothing else is led anywhere."""

import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.responses import PlainTextResponse

from passport.web.public import PublicAddress

pytestmark = pytest.mark.anyio

PUBLIC = "http://127.0.0.1:8000"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def asked(
    address: str, public: str = PUBLIC, method: str = "GET", headers: dict[str, str] = PAGE
) -> Response:
    app = PublicAddress(PlainTextResponse("here"), base_url=public)
    async with AsyncClient(transport=ASGITransport(app)) as http:
        return await http.request(method, address, headers=headers)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("http://localhost:8000/", f"{PUBLIC}/"),
        ("http://LOCALHOST:8000/sign-in", f"{PUBLIC}/sign-in"),
        ("http://[::1]:8000/home", f"{PUBLIC}/home"),
        (
            "http://localhost:8000/auth/login?to=device&x=%E8%A6%8B",
            f"{PUBLIC}/auth/login?to=device&x=%E8%A6%8B",
        ),
        ("http://localhost:8000//elsewhere.example/%0d%0aX", f"{PUBLIC}//elsewhere.example/%0D%0AX"),
    ],
)
async def test_a_page_by_another_name_of_this_machine_is_at_the_public_address(
    address: str, place: str
) -> None:
    answer = await asked(address)
    assert (answer.status_code, answer.headers["location"]) == (307, place)


async def test_a_page_at_a_number_is_at_the_public_name() -> None:
    answer = await asked("http://127.0.0.1:8000/home", "http://localhost:8000")
    assert answer.headers["location"] == "http://localhost:8000/home"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("http://127.0.0.1:8000/home", PUBLIC),
        ("http://localhost:8001/home", PUBLIC),
        ("http://elsewhere.example:8000/home", PUBLIC),
        ("http://localhost:8000/fhir/Patient", PUBLIC),
        # A proxy may call the service by a name of its machine.
        ("http://127.0.0.1:8000/home", "https://passport.example"),
        ("http://localhost:8000/home", "https://127.0.0.1:8000"),
    ],
)
async def test_what_is_asked_otherwise_is_let_through(address: str, public: str) -> None:
    assert (await asked(address, public)).text == "here"


async def test_programs_and_forms_are_let_through() -> None:
    address = "http://localhost:8000/auth/login"
    assert (await asked(address, headers={"Accept": "application/json"})).text == "here"
    assert (await asked(address, headers={"Accept": "*/*"})).text == "here"
    assert (await asked(address, method="POST")).text == "here"


@pytest.mark.parametrize("host", ["localhost:x", "[::1", "", "localhost:99999999"])
async def test_a_host_that_is_none_leads_nowhere(host: str) -> None:
    assert (await asked(f"{PUBLIC}/home", headers={**PAGE, "Host": host})).text == "here"
