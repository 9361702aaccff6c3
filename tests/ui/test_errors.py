"""What happens when something is wrong: nothing is lost, and the page says what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Route, expect

from malaria import wiring
from malaria.domain import Scope
from malaria.keys import Keys
from malaria.settings import Settings
from tests.ui.conftest import Files, Open
from tests.ui.serving import Server

FETCHED = """(() => {
  const files = performance.getEntriesByType('resource').filter((one) => one.responseEnd > 0);
  const has = (part) => files.filter(({ name }) => part.test(name)).length;
  return has(/Single-.*[.]js/) > 0 && has(/Many-.*[.]js/) > 0 && has(/en-.*[.]js/) > 1;
})()"""
"""What the next step needs is there."""
Start = Callable[..., Server]
BATCH = "**/predict/batch"


@dataclass
class Parts:
    """The parts in which many cells were sent."""

    asked: list[Route] = field(default_factory=list)

    def count(self, route: Route) -> int:
        """Which one this is, from 1."""
        self.asked.append(route)
        return len(self.asked)


def test_a_server_that_dies_in_the_middle_costs_no_cell(visit: Open, own_server: Start, cells: Files) -> None:
    server = own_server()
    screen = visit(server.url).ready()
    parts = Parts()

    def die_at_the_third(route: Route) -> None:
        if parts.count(route) == 3:
            server.stop()
        route.continue_()

    screen.page.route(BATCH, die_at_the_third)
    screen.paste(cells)
    screen.state("stalled")
    page, navigation = screen.page, screen.page.get_by_role("navigation")
    navigation.get_by_role("link", name="Monitor").click()  # not fetched before, and now out of reach
    expect(page.get_by_role("alert")).to_contain_text("A part of the page cannot be fetched")
    navigation.get_by_role("link", name="Diagnose").click()
    screen.state("stalled")
    screen.heard.errors.clear()  # of what could not be fetched
    screen.page.unroute_all(behavior="ignoreErrors")
    expect(screen.page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(screen.page.get_by_text("Nothing is lost.", exact=False)).to_be_visible()
    left = screen.count("waiting")
    assert 0 < left < 200
    server.start()
    screen.done()  # by itself
    assert screen.count("waiting") == screen.count("unreadable") == 0
    assert sum(screen.count(name) for name in ("infected", "clear", "review")) == 200
    navigation.get_by_role("link", name="Monitor").click()
    page.get_by_role("region", name="Now").wait_for()  # and that without loading the page anew
    navigation.get_by_role("link", name="Diagnose").click()
    screen.headline.wait_for()
    assert screen.count("waiting") == 0


@pytest.mark.parametrize("name", ["notes.txt", "broken.png"])
def test_what_is_no_picture_is_refused_with_a_reason(visit: Open, name: str) -> None:
    screen = visit().ready()
    screen.choose({name: b"these are words"})
    alert = screen.page.get_by_role("alert")
    expect(alert).to_contain_text("The server cannot use this")
    expect(alert).to_contain_text("No picture that can be read")
    expect(alert).to_contain_text("choose another picture")


def test_a_zip_that_is_none_is_told_of(visit: Open) -> None:
    screen = visit().ready()
    screen.choose({"broken.zip": b"PK\x03\x04 and no more"})
    expect(screen.page.get_by_text("This ZIP cannot be opened")).to_be_visible()
    expect(screen.page.get_by_text("broken.zip")).to_be_visible()


def test_a_server_that_is_away_is_told_of_and_may_be_asked_again(
    visit: Open, own_server: Start, infected: bytes
) -> None:
    server = own_server()
    screen = visit(server.url).ready()
    screen.wait(FETCHED)
    server.stop()
    screen.choose({"a.png": infected})
    expect(screen.page.get_by_role("alert")).to_contain_text("The server does not answer")
    server.start()
    screen.press("Try again")
    expect(screen.verdict).to_have_text("Looks parasitized")


def test_a_key_is_asked_for_kept_for_the_tab_and_told_of(
    visit: Open, own_server: Start, infected: bytes
) -> None:
    server = own_server(access="keys")
    keys = Keys(wiring.local(server.home, Settings(home=server.home)).objects, wiring.SystemClock())
    text = keys.add("bench", [Scope.PREDICT])
    screen = visit(server.url).ready()
    page = screen.page
    screen.choose({"a.png": infected})
    page.get_by_role("textbox", name="Access key").fill("wrong")
    screen.press("Use this key")
    expect(page.get_by_text("does not accept this key", exact=False)).to_be_visible()
    page.get_by_role("textbox", name="Access key").fill(text)
    screen.press("Use this key")
    expect(screen.verdict).to_have_text("Looks parasitized")
    page.get_by_role("button", name="An access key is in use").click()
    may = page.get_by_role("dialog").get_by_role("listitem")
    expect(may).to_have_text(["see models, jobs and figures", "ask about cells"])
    assert page.evaluate("JSON.stringify(localStorage)").find(text) == -1
    assert text not in page.url and text not in page.content()
    screen.press("Put the key away")
    assert page.evaluate("sessionStorage.length") == 0


def test_who_declines_the_key_is_told_what_to_do(visit: Open, own_server: Start, made_cells: Files) -> None:
    screen = visit(own_server(access="keys").url).ready()
    screen.choose(made_cells)
    screen.page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    screen.state("stalled")
    expect(screen.page.get_by_role("alert")).to_contain_text("A key is needed")
    assert screen.count("waiting") == 12


def test_scripts_of_others_would_not_run(visit: Open) -> None:
    screen = visit().ready()
    screen.page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.ran = true';
          document.body.append(script);
          const style = document.createElement('style');
          style.textContent = 'body { outline: 9px solid red }';
          document.body.append(style);
        }"""
    )
    assert screen.page.evaluate("window.ran") is None
    assert screen.page.evaluate("getComputedStyle(document.body).outlineStyle") == "none"
    refused = " ".join(screen.heard.errors)
    screen.heard.errors.clear()
    assert "'script-src 'self''" in refused and "'style-src 'self''" in refused
