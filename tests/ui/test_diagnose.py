"""Diagnose, on its main paths: one cell, many cells, and every way to bring them."""

import csv
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Files, Open
from tests.ui.screen import zipped
from tests.ui.serving import Server


def test_one_cell_is_answered_with_a_map_and_what_it_was_made_of(
    visit: Open, server: Server, infected: bytes
) -> None:
    screen = visit().ready()
    screen.choose({"thin smear 7.png": infected})
    said = httpx.post(f"{server.url}/predict", files={"file": infected}, timeout=60).json()
    model = httpx.get(f"{server.url}/model/info", timeout=60).json()
    expect(screen.verdict).to_have_text("Looks parasitized")
    page = screen.page
    bar = page.get_by_role("figure")
    share = said["probabilities"]["Parasitized"]
    expect(bar).to_have_attribute("aria-label", f"Probability of a parasite: {_percent(share)}")
    expect(bar).to_contain_text(f"Operating point {model['threshold']:.0%}")
    band = model["review"]
    expect(bar).to_contain_text(f"Review band {100 * band['low']:.1f}% to {100 * band['high']:.1f}%")
    for told in (
        "thin smear 7.png",
        f"{said['image']['width']} × {said['image']['height']} pixels",
        model["version"],
        model["digest"][:16],
    ):
        expect(page.locator("dl")).to_contain_text(told)


def _percent(share: float) -> str:
    return "> 99.9%" if share > 0.999 else f"{100 * share:.1f}%".replace(".0%", "%")


def test_the_map_fades_by_its_slider(visit: Open, infected: bytes) -> None:
    screen = visit().ready()
    screen.choose({"a.png": infected})
    overlay = screen.page.get_by_alt_text("Activation map", exact=False)
    expect(overlay).to_have_css("opacity", "1")
    screen.page.get_by_role("slider").focus()
    screen.page.keyboard.press("Home")
    expect(overlay).to_have_css("opacity", "0")
    picture, laid = screen.page.get_by_alt_text("The picture a.png").bounding_box(), overlay.bounding_box()
    assert picture == laid


def test_many_dropped_cells_are_answered_as_the_server_answers_and_taken_away_as_a_table(
    visit: Open, server: Server, cells: Files
) -> None:
    screen = visit().ready()
    screen.drop(cells)
    screen.done()
    sent = [("files", (name, data)) for name, data in cells.items()]
    said = httpx.post(f"{server.url}/predict/batch", files=sent, timeout=300).json()
    notice, *table = screen.download("Table (CSV)").splitlines()
    assert "Research use only" in notice
    rows = {row["filename"]: row for row in csv.DictReader(table)}
    assert len(rows) == len(cells) == 200
    for entry in said["results"]:
        row = rows[entry["filename"]]
        assert row["prediction"] == (entry["prediction"] or "")
        assert row["needs_review"] == str(entry["needs_review"]).lower()
        if entry["prediction"]:
            assert float(row["probability_parasitized"]) == pytest.approx(
                entry["probabilities"]["Parasitized"], abs=1e-6
            )
    counts = Counter(row["counts_as"] for row in rows.values())
    for standing in ("infected", "clear", "review"):
        assert screen.count(standing) == counts[standing]
    assert screen.count("review") == said["to_review"]
    seen = counts["infected"]
    expect(screen.headline).to_have_text(f"{seen} of {seen + counts['clear']} cells look parasitized")


def test_cells_are_judged_by_keyboard_alone(visit: Open, made_cells: Files) -> None:
    screen = visit().ready()
    screen.choose(made_cells)
    screen.done()
    before = {name: screen.count(name) for name in ("infected", "clear", "review")}
    screen.thumbnails.first.focus()
    page = screen.page
    page.keyboard.press("u")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("p")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.get_by_test_id("count-excluded")).to_have_text("1")
    told = json.loads(screen.download("JSON"))
    said = Counter(cell["decision"] for cell in told["cells"])
    assert said == {None: 9, "uninfected": 1, "parasitized": 1, "excluded": 1}
    assert told["summary"]["decided"] == 3
    assert sum(before.values()) == 12
    screen.press("Judged by you 3")
    expect(screen.thumbnails).to_have_count(3)
    screen.thumbnails.first.focus()
    page.keyboard.press("u")  # once more: taken back
    expect(screen.thumbnails).to_have_count(2)


def test_arrows_lead_from_row_to_row(visit: Open, made_cells: Files) -> None:
    screen = visit(viewport={"width": 700, "height": 900}).ready()
    screen.choose(made_cells)
    screen.done()
    first = screen.thumbnails.first
    first.focus()
    top = first.bounding_box()
    screen.page.keyboard.press("ArrowDown")
    below = screen.page.locator("button:focus")
    expect(below).not_to_have_id(first.get_attribute("id") or "")
    at = below.bounding_box()
    assert top and at and at["y"] > top["y"] + 50 and abs(at["x"] - top["x"]) < 2
    screen.page.keyboard.press("End")
    expect(screen.page.locator("button:focus")).to_have_attribute("aria-current", "true")


def test_the_chosen_cell_stands_beside_the_grid(visit: Open, made_cells: Files) -> None:
    screen = visit().ready()
    screen.choose(made_cells)
    screen.done()
    screen.thumbnails.nth(2).click()
    panel = screen.page.get_by_test_id("panel")
    expect(panel.get_by_alt_text("Activation map", exact=False)).to_be_visible()
    expect(panel.get_by_role("figure")).to_contain_text("Operating point")


def test_a_zip_is_read_here_with_what_is_wrong_in_it(visit: Open, made_cells: Files) -> None:
    packed = zipped(
        {f"deep/er/{name}": data for name, data in made_cells.items()}
        | {"bad.png": b"no picture at all", "patients.csv": b"file,patient\n", "__MACOSX/._a.png": b"x"}
    )
    screen = visit().ready()
    screen.choose({"cells.zip": packed})
    expect(screen.page.get_by_text("2 files that are no pictures were left out.")).to_be_visible()
    screen.done()
    assert screen.count("unreadable") == 1
    expect(screen.page.get_by_text("1 × No picture that can be read")).to_be_visible()
    told = json.loads(screen.download("JSON"))["cells"]
    assert len(told) == 13
    assert {cell["error_code"] for cell in told} == {None, "unreadable-image"}
    assert told[0]["filename"].startswith("deep/er/")


def test_a_folder_is_taken_with_its_paths(visit: Open, made_cells: Files, tmp_path: Path) -> None:
    for number, (name, data) in enumerate(made_cells.items()):
        place = tmp_path / "smear" / f"slide-{number % 2}" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    screen = visit().ready()
    screen.choose_folder(tmp_path / "smear")
    screen.done()
    names = {cell["filename"] for cell in json.loads(screen.download("JSON"))["cells"]}
    assert {name.rpartition("/")[0] for name in names} == {"smear/slide-0", "smear/slide-1"}


def test_a_picture_is_pasted(visit: Open, infected: bytes) -> None:
    screen = visit().ready()
    screen.paste({"image.png": infected})
    expect(screen.verdict).to_have_text("Looks parasitized")


def test_who_has_no_cells_gets_made_ones(visit: Open) -> None:
    screen = visit().ready()
    screen.press("Draw a synthetic cell")
    expect(screen.verdict).to_be_visible()
    screen.press("Other cells")
    screen.press("Draw 48 synthetic cells")
    screen.done()
    assert sum(screen.count(name) for name in ("infected", "clear", "review")) == 48


def test_ten_thousand_cells_are_a_handful_of_elements(visit: Open, infected: bytes) -> None:
    screen = visit().ready()
    screen.page.evaluate(
        """async (url) => {
          const moved = new DataTransfer();
          const data = await (await fetch(url)).blob();
          for (let n = 0; n < 10000; n += 1) moved.items.add(new File([data], `cell-${n}.png`));
          window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: moved }));
        }""",
        "/icon.svg",
    )
    screen.press("Pause")
    screen.state("paused")
    assert screen.thumbnails.count() < 400
    screen.thumbnails.first.focus()
    screen.page.keyboard.press("End")
    expect(screen.page.locator("button:focus")).to_have_attribute("id", "cell-9999")
    assert screen.thumbnails.count() < 400
    screen.press("Cancel")
    screen.state("cancelled")


def test_other_cells_ask_first_where_judgements_would_be_lost(
    visit: Open, made_cells: Files, infected: bytes
) -> None:
    screen = visit().ready()
    screen.choose(made_cells)
    screen.done()
    screen.thumbnails.first.focus()
    screen.page.keyboard.press("p")
    screen.paste({"other.png": infected})
    screen.press("Keep them")
    expect(screen.headline).to_be_visible()
    screen.paste({"other.png": infected})
    screen.press("Put them away")
    expect(screen.verdict).to_be_visible()
