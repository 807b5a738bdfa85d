"""The page on which the interface is tried out runs under its policy, and asks nobody else for anything."""

from tests.browser.watching import Watched


def test_the_interface_is_shown_and_tried_out(person: Watched) -> None:
    person.open("/docs")
    person.page.locator("#operations-health-alive_healthz_get").click()
    person.page.get_by_role("button", name="Try it out").click()
    person.page.get_by_role("button", name="Execute").click()
    person.page.locator(".live-responses-table").get_by_text('"alive"').wait_for()
    # The page is Swagger's own: what is said of it to people who cannot see is not ours to say.
    person.page.goto("about:blank")
