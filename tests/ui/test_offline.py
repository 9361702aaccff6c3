"""Without a line: the page opens, says so, and does what needs no server."""

from playwright.sync_api import expect

from tests.ui.conftest import Files, Open
from tests.ui.serving import Server

KEPT = """async () => {
  const ready = await navigator.serviceWorker?.ready;
  if (ready?.active?.state !== 'activated') return false;
  for (const name of await caches.keys()) {
    const held = (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname);
    if (held.includes('/index.html') && held.some((path) => /assets\\/index-.*js/.test(path))) return true;
  }
  return false;
}"""


def test_the_page_opens_without_a_line_and_takes_cells(
    visit: Open, server: Server, made_cells: Files
) -> None:
    screen = visit(server.url).ready()
    page = screen.page
    screen.wait(f"({KEPT})()")
    page.reload()
    screen.ready()
    page.get_by_role("link", name="Data").click()
    page.get_by_role("heading", name="Data", level=2).wait_for()
    page.context.set_offline(True)
    expect(page.get_by_text("There is no connection.", exact=False)).to_be_visible()
    page.goto(f"{server.url}/diagnose")
    screen.ready()
    screen.choose(made_cells)
    screen.state("stalled")
    assert screen.thumbnails.count() == len(made_cells)
    page.context.set_offline(False)
    expect(page.get_by_text("There is no connection.", exact=False)).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    screen.done()
    assert screen.count("infected") + screen.count("clear") + screen.count("review") == len(made_cells)


def test_answers_of_the_server_are_never_kept(visit: Open, server: Server) -> None:
    screen = visit(server.url).ready()
    screen.wait(f"({KEPT})()")
    screen.page.reload()
    screen.page.get_by_role("link", name="Monitor").click()
    screen.page.get_by_role("region", name="Now").wait_for()
    held = screen.page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys())
            for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
          return found;
        }"""
    )
    assert held
    own = ("/assets/", "/index.html", "/icon.svg", "/scheme.js")
    assert [path for path in held if not path.startswith(own)] == []
