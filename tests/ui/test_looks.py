"""How it looks and for whom: themes, languages, small and large screens, keyboard and screen reader."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui import browser as chromium
from tests.ui.conftest import Files, Open
from tests.ui.screen import Screen
from tests.ui.serving import Server

HEADER = (("heading", "Cellules et paludisme"), ("button", "Langue"))


def test_on_a_phone_a_cell_opens_over_the_grid(visit: Open, made_cells: Files) -> None:
    screen = visit(viewport={"width": 360, "height": 740}).ready()
    screen.choose(made_cells)
    screen.done()
    screen.thumbnails.first.click()
    dialog = screen.page.get_by_role("dialog", name="The chosen cell")
    expect(dialog.get_by_test_id("verdict")).to_be_visible()
    dialog.get_by_role("button", name="Uninfected").click()
    screen.press("Back to the cells")
    expect(screen.page.get_by_role("button", name="Judged by you")).to_be_visible()


def test_on_a_phone_the_navigation_shows_where_one_is(visit: Open) -> None:
    """The first and the last of the screens, whose links do not fit beside the others."""
    page = visit(viewport={"width": 360, "height": 740}, locale="fr-FR").ready().page
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links.first).to_be_in_viewport(ratio=0.99)
    expect(links.last).not_to_be_in_viewport()
    links.last.click()
    expect(links.last).to_be_in_viewport(ratio=0.99)
    page.reload()
    expect(links.last).to_be_in_viewport(ratio=0.99)
    tops = [page.get_by_role(role, name=name).bounding_box() for role, name in HEADER]  # type: ignore[arg-type]
    assert all(box and box["y"] < 40 for box in tops), "the name and the tools stand in one row"


@pytest.mark.parametrize("language", ["en", "fr", "es", "pt", "sw"])
def test_the_header_is_one_row_in_every_language(visit: Open, language: str) -> None:
    page = visit(locale=language).ready().page
    for width in (1366, 1440, 3840):
        page.set_viewport_size({"width": width, "height": 900})
        height = page.locator("header").bounding_box()
        first, *others = [link.bounding_box() for link in page.locator("header nav a").all()]
        assert height and first and height["height"] < 2 * first["height"], f"{width} pixels: rows"
        assert {one["y"] for one in others if one} == {first["y"]} and len(others) == 6
        assert chromium.clipped(page) == []


def test_dark_follows_the_system_and_may_be_chosen(visit: Open) -> None:
    page = visit(color_scheme="dark").ready().page
    scheme = page.locator("html")
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    page.get_by_role("menuitem", name="Light").click()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "light")
    page.reload()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "light")


def test_the_page_speaks_french(visit: Open, infected: bytes) -> None:
    screen = visit(locale="fr-FR").ready()
    expect(screen.page.locator("html")).to_have_attribute("lang", "fr")
    expect(screen.page).to_have_title("Diagnostic · Cellules et paludisme")
    screen.choose({"a.png": infected})
    expect(screen.verdict).to_have_text("Semble parasitée")
    expect(screen.page.get_by_role("contentinfo")).to_contain_text("Pour la recherche uniquement")


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("Español", "Examinar glóbulos rojos"),
        ("Português", "Examinar glóbulos vermelhos"),
        ("Kiswahili", "Chunguza seli nyekundu za damu"),
    ],
)
def test_another_language_is_chosen_and_kept(visit: Open, language: str, title: str) -> None:
    page = visit().ready().page
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitem", name=language).click()
    expect(page.get_by_role("heading", level=2)).to_have_text(title)
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text(title)


def _start(screen: Screen, cells: Files) -> None: ...


def _single(screen: Screen, cells: Files) -> None:
    long = "a-name-as-long-as-those-of-microscopes-are-2026-01-02-0001.png"
    screen.choose({long: next(iter(cells.values()))})
    screen.page.get_by_role("slider").wait_for()


def _many(screen: Screen, cells: Files) -> None:
    screen.choose(cells | {"bad.png": b"no picture"})
    screen.done()
    screen.thumbnails.nth(1).click()
    screen.page.keyboard.press("p")
    screen.page.get_by_role("slider").wait_for()


@pytest.mark.parametrize("act", [_start, _single, _many])
def test_it_fits_and_axe_finds_nothing_serious(
    visit: Open, ui: Path, made_cells: Files, act: Callable[[Screen, Files], None]
) -> None:
    screen = visit().ready()
    act(screen, made_cells)
    widths = () if act is not _many else (1440, 3840)  # on a phone the chosen cell covers the rest
    assert chromium.faults(screen.page, ui, *widths) == []


def test_many_cells_fit_a_phone(visit: Open, ui: Path, made_cells: Files) -> None:
    screen = visit(viewport={"width": 360, "height": 740}).ready()
    screen.choose(made_cells)
    screen.done()
    assert chromium.faults(screen.page, ui, 360, 768) == []


def test_it_fits_and_axe_finds_nothing_serious_when_a_key_is_asked_for(
    visit: Open, own_server: Callable[..., Server], ui: Path, infected: bytes
) -> None:
    screen = visit(own_server(access="keys").url).ready()
    screen.choose({"a.png": infected})
    screen.page.get_by_role("dialog").wait_for()
    assert chromium.faults(screen.page, ui) == []


def test_all_of_the_start_is_reached_by_tab(visit: Open) -> None:
    page = visit().ready().page
    reached = []
    for _ in range(17):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel"))
    screens = ["Diagnose", "Review", "My microscope", "Retrain", "Models", "Data", "Monitor"]
    assert reached[:8] == ["Skip to the content", *screens]
    assert reached[8:11] == ["Language", "Light or dark", "Choose files"]
    assert {
        "Choose a folder",
        "Paste",
        "Draw a synthetic cell",
        "Draw 48 synthetic cells",
        "HTTP interface",
    } <= set(reached)
