"""The Data screen: what the model learnt from, and what a person's own labelled cells are like."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from malaria import synthetic
from malaria.domain import Label
from tests.ui import browser as chromium
from tests.ui.conftest import Open
from tests.ui.screen import Screen
from tests.ui.serving import Server

CELLS = 24


@pytest.fixture(scope="module")
def labelled() -> bytes:
    """Made cells of four patients in the layout of an upload, of which one label is mistaken."""
    out, rows = io.BytesIO(), ["file,patient"]
    with zipfile.ZipFile(out, "w") as archive:
        for place, cell in enumerate(synthetic.generate(CELLS, seed=11)):
            label = cell.label.text
            if place == 0:
                label = "Uninfected" if cell.label is Label.PARASITIZED else "Parasitized"
            archive.writestr(f"{label}/cell-{place}.png", cell.png())
            rows.append(f"cell-{place}.png,k-{place % 4}")
        archive.writestr("patients.csv", "\n".join(rows))
    return out.getvalue()


def opened(visit: Open, server: Server, zipped: bytes, **context: object) -> Screen:
    screen = visit(server.url, path="/data?of=mine", **context)
    screen.choose({"site.zip": zipped})
    screen.page.get_by_test_id("progress").wait_for(state="detached")
    expect(screen.page.get_by_role("img", name=f"{CELLS} cells on the feature map")).to_be_visible()
    return screen


def drawn(page: Page, behind: bool) -> None:
    """More than a thousand dots, once the map is fetched."""
    chosen = "[data-behind]" if behind else ":not([data-behind])"
    expect(page.locator(f"figure svg[role=img] [data-label]{chosen}").nth(1000)).to_be_attached()


def test_what_the_model_learnt_is_told_and_drawn(visit: Open, server: Server) -> None:
    page = visit(server.url, path="/data").page
    expect(page.get_by_role("img", name="cells on the feature map")).to_be_visible()
    expect(page.get_by_role("region", name="Balance of the classes")).to_contain_text("NIH cells")
    patients = page.get_by_role("region", name="Cells of each patient")
    expect(patients).to_contain_text(re.compile(r"NIH cells: \d{3} patients"))
    drawn(page, behind=False)


def test_own_cells_are_shown_from_all_sides(
    visit: Open, server: Server, labelled: bytes, tmp_path: Path
) -> None:
    page = opened(visit, server, labelled).page
    expect(page.get_by_text(f"site.zip: {CELLS} cells")).to_be_visible()
    expect(page.get_by_role("region", name="Cells of each patient")).to_contain_text("4 patients are known")
    expect(page.get_by_role("img", name=f"Colours of {CELLS} cells")).to_be_visible()
    drawn(page, behind=True)
    for name in ("Sizes", "Brightness", "Confidence by class"):
        expect(page.get_by_role("region", name=name).locator("svg.recharts-surface").first).to_be_visible()
    looked = page.get_by_role("region", name="Where the model looked")
    expect(looked.get_by_alt_text("Activation map", exact=False).first).to_be_visible()
    doubted = page.get_by_role("region", name="Labels to look at again").get_by_role("listitem")
    expect(doubted.filter(has=page.get_by_alt_text("cell-0.png", exact=False))).to_have_count(1)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download the list (CSV)").click()
    told = Path(coming.value.path()).read_text(encoding="utf-8")
    assert "Research use only" in told.splitlines()[0]
    assert "cell-0.png" in told


def test_own_cells_stay_when_another_screen_is_looked_at(
    visit: Open, server: Server, labelled: bytes
) -> None:
    page = opened(visit, server, labelled).page
    page.get_by_role("link", name="Monitor").click()
    page.get_by_role("heading", name="Monitor", level=2).wait_for()
    page.get_by_role("link", name="Data").click()
    page.get_by_text("My cells").click()
    expect(page.get_by_text(f"site.zip: {CELLS} cells")).to_be_visible()
    page.get_by_role("button", name="Other cells").click()
    expect(page.get_by_text("Choose a ZIP")).to_be_visible()


def test_what_has_no_labels_is_refused_with_the_layout(visit: Open, server: Server) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("cell.png", next(synthetic.generate(1, seed=1)).png())
    screen = visit(server.url, path="/data?of=mine")
    screen.choose({"loose.zip": out.getvalue()})
    expect(screen.page.get_by_role("alert").filter(has_text="No labelled cells were found")).to_be_visible()


def test_it_fits_and_axe_finds_nothing_serious(
    visit: Open, server: Server, labelled: bytes, ui: Path
) -> None:
    page = opened(visit, server, labelled).page
    expect(page.get_by_alt_text("Activation map", exact=False).first).to_be_visible()
    assert chromium.faults(page, ui) == []
    page.get_by_text("What the model learnt").click()
    expect(page.get_by_role("region", name="Balance of the classes")).to_contain_text("NIH cells")
    assert chromium.faults(page, ui) == []
