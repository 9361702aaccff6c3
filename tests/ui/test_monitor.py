"""The Monitor screen: figures of a real server, through its restart and its absence."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui import browser as chromium
from tests.ui.conftest import Files, Open
from tests.ui.serving import Server

EMPTY = "Nothing came in this window."


@pytest.fixture(scope="module")
def busy(ui: Path, tmp_path_factory: pytest.TempPathFactory, made_cells: Files) -> Iterator[Server]:
    """A server that has answered a dozen cells, refused one, and been told what the cells were. All of this
    file ask it; what it has told outlives its restart."""
    server = Server(tmp_path_factory.mktemp("busy")).start()
    sent = [("files", (name, data, "image/png")) for name, data in made_cells.items()]
    answers = httpx.post(f"{server.url}/predict/batch", files=sent, timeout=120).raise_for_status().json()
    for one in answers["results"]:
        told = {"prediction_id": one["prediction_id"], "label": "Uninfected", "by": "ada", "site": "Kisumu"}
        httpx.post(f"{server.url}/feedback", json=told, timeout=60).raise_for_status()
    refused = httpx.post(f"{server.url}/predict", files={"file": ("x.png", b"none")}, timeout=60)
    assert refused.status_code == 422
    yield server
    server.stop()


def dashes(lines: Locator) -> list[str]:
    """Of three lines, once they are drawn: a chart is measured first."""
    expect(lines).to_have_count(3)
    return [line.get_attribute("stroke-dasharray") or "" for line in lines.all()]


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True).get_by_test_id("value")


def test_the_figures_of_a_busy_server(visit: Open, busy: Server) -> None:
    page = visit(busy.url, path="/monitor?window=1h").page
    expect(page.get_by_role("radio", name="1 hour")).to_be_checked()
    expect(page.get_by_role("region", name="Cells answered")).to_contain_text("12")
    expect(page.get_by_role("region", name="Errors of the server")).to_contain_text("and 1 request refused")
    expect(tile(page, "Now")).to_have_text("Well")
    expect(tile(page, "Latency, 95 in 100")).to_have_text(re.compile(r"^[1-9][\d.,]* (ms|sec)$"))
    latency = page.get_by_role("region", name="Latency", exact=True)
    assert dashes(latency.locator(".recharts-line-curve")) == dashes(
        latency.get_by_role("list").locator("path")
    )
    assert len(set(dashes(latency.get_by_role("list").locator("path")))) == 3
    called = page.get_by_role("region", name="What cells were called")
    keys = called.get_by_role("list").locator("rect")
    expect(keys).to_have_count(3)
    fills = [key.get_attribute("fill") for key in keys.all()]
    assert len(set(fills)) == 3 and [fill for fill in fills if fill and fill.startswith("url(#")] == fills[1:]
    for fill in fills[1:]:
        assert fill
        expect(page.locator(f"pattern[id='{fill[5:-1]}']")).to_have_count(1)
    expect(page.get_by_role("region", name="What cells were called")).not_to_contain_text(EMPTY)
    expect(page.get_by_role("region", name="Uploads and retrainings")).to_contain_text(EMPTY)
    confirmed = page.get_by_role("region", name="Right or wrong, on confirmed cells").first
    expect(confirmed).to_contain_text("Laboratory Kisumu")
    expect(confirmed).to_contain_text("0 parasitized, 12 uninfected")
    expect(page.get_by_role("region", name="Versions served").first).to_contain_text("now")


def test_a_window_is_chosen_and_stands_in_the_address(visit: Open, server: Server) -> None:
    page = visit(server.url, path="/monitor").page
    expect(page.get_by_role("radio", name="24 hours")).to_be_checked()
    page.get_by_text("7 days").click()
    expect(page.get_by_text("in steps of 2 hr")).to_be_visible()
    assert page.url.endswith("?window=7d")
    page.reload()
    expect(page.get_by_role("radio", name="7 days")).to_be_checked()


def test_the_figures_are_taken_away_as_a_table(visit: Open, busy: Server) -> None:
    page = visit(busy.url, path="/monitor?window=1h").page
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the figures (CSV)").click()
    lines = Path(coming.value.path()).read_text(encoding="utf-8").splitlines()
    assert "Research use only" in lines[0]
    columns = lines[1].split(",")
    assert len(lines) == 62
    pictures = [row.split(",")[columns.index("pictures")] for row in lines[2:]]
    assert sum(map(int, pictures)) == 12


def test_history_survives_a_restart_and_an_absence_is_told(visit: Open, busy: Server) -> None:
    screen = visit(busy.url, path="/monitor?window=1h")
    page = screen.page
    expect(page.get_by_role("region", name="Cells answered")).to_contain_text("12")
    busy.stop()
    page.get_by_text("6 hours").click()
    expect(page.get_by_text("The server does not answer").first).to_be_visible()
    busy.start()
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_role("region", name="Cells answered")).to_contain_text("12")
    expect(page.get_by_text("The server does not answer")).to_have_count(0)


def test_it_fits_and_axe_finds_nothing_serious(visit: Open, busy: Server, ui: Path) -> None:
    page = visit(busy.url, path="/monitor?window=1h").page
    expect(page.get_by_role("region", name="Right or wrong", exact=False).first).to_be_visible()
    expect(page.get_by_role("region", name="Latency", exact=True)).to_be_visible()
    assert chromium.faults(page, ui) == []
