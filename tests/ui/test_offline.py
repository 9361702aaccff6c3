"""Without a line: the page opens, says so, and does what needs no server."""

import time

from playwright.sync_api import expect

from tests.ui import browser as chromium
from tests.ui.conftest import Files, Open
from tests.ui.screen import Screen
from tests.ui.serving import Server

HELD = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
  return found;
}"""


def kept(screen: Screen, *parts: str) -> list[str]:
    """What the browser keeps, once it keeps these."""
    deadline = time.monotonic() + chromium.PATIENCE / 1000
    while True:
        held: list[str] = screen.page.evaluate(HELD)
        if all(any(part in path for path in held) for part in parts):
            return held
        assert time.monotonic() < deadline, held
        screen.page.wait_for_timeout(200)


def test_the_page_opens_without_a_line_and_takes_cells(
    visit: Open, server: Server, made_cells: Files
) -> None:
    screen = visit(server.url).ready()
    page = screen.page
    kept(screen, "/index.html", "/assets/index-")
    page.reload()
    kept(screen.ready(), "/assets/Many-", "/assets/Single-")  # what comes after the drop is fetched ahead
    page.get_by_role("link", name="Data").click()
    page.get_by_role("heading", name="Data", level=2).wait_for()
    page.context.set_offline(True)
    expect(page.get_by_text("There is no connection.", exact=False)).to_be_visible()
    page.goto(f"{server.url}/diagnose")
    screen.ready()
    screen.choose(made_cells)
    screen.state("stalled")
    expect(screen.thumbnails).to_have_count(len(made_cells))
    page.context.set_offline(False)
    expect(page.get_by_text("There is no connection.", exact=False)).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    screen.done()
    assert screen.count("infected") + screen.count("clear") + screen.count("review") == len(made_cells)


def test_answers_of_the_server_are_never_kept(visit: Open, server: Server) -> None:
    screen = visit(server.url).ready()
    kept(screen, "/index.html", "/assets/index-")
    screen.page.reload()
    screen.page.get_by_role("link", name="Monitor").click()
    screen.page.get_by_role("region", name="Now").wait_for()
    held = kept(screen, "/assets/Monitor-")
    own = ("/assets/", "/index.html", "/icon.svg", "/scheme.js")
    assert [path for path in held if not path.startswith(own)] == []
