"""Set up for my microscope: from cells of another laboratory, not labelled, to a verdict."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from playwright.sync_api import Page, expect

from malaria import synthetic
from malaria.domain import Label
from tests.ui import browser as chromium
from tests.ui import other_labs
from tests.ui.conftest import Files, Open
from tests.ui.other_labs import Lab
from tests.ui.screen import Screen
from tests.ui.serving import Server

Start = Callable[..., Server]
TRAINING = 6 * chromium.PATIENCE
LOT = 200
"""Cells that are asked about, where there are as many: what the gate's defaults want, twice over."""


@pytest.fixture(scope="module")
def bbbc041(real_cells: Path) -> Lab:
    return other_labs.bbbc041(real_cells / "smears_bbbc041", 60)


def shown(page: Page) -> str:
    """The name of the cell that is asked about."""
    alt = page.get_by_role("img", name="The picture").get_attribute("alt") or ""
    return alt.removeprefix("The picture ")


def seen(page: Page, done: int, of: int) -> None:
    expect(page.get_by_test_id("labelled")).to_have_text(f"{done} of {of} seen")


def label(page: Page, lab: Lab, start: int, end: int, of: int) -> list[str]:
    """Press what each cell is, from the `start`-th offered to the `end`-th; their names."""
    names = []
    for number in range(start, end):
        seen(page, number, of)
        names.append(shown(page).partition("/")[2] if "smear/" in shown(page) else shown(page))
        page.keyboard.press(lab.key(names[-1]))
    return names


def begun(visit: Open, url: str | None, lab: Lab, folder: Path, **context: object) -> Screen:
    """The screen with cells brought and the first one asked about."""
    screen = visit(url, path="/setup", **context).ready()
    expect(screen.page.get_by_test_id("wanted")).to_contain_text("about 7 parasitized and 7 uninfected")
    screen.choose_folder(lab.write(folder / "smear"))
    seen(screen.page, 0, min(LOT, len(lab.cells)))
    return screen


def job_of(server: Server) -> dict[str, object]:
    """The newest job, with all that is known of it."""
    newest = httpx.get(f"{server.url}/retrain/tasks", timeout=30).json()["tasks"][0]
    return dict(httpx.get(f"{server.url}{newest['links']['self']}", timeout=30).json())


def served(server: Server) -> str:
    return str(httpx.get(f"{server.url}/model/info", timeout=30).json()["version"])


def test_from_sixty_cells_of_another_lab_to_a_verdict(
    visit: Open, own_server: Start, bbbc041: Lab, tmp_path: Path
) -> None:
    server = own_server(supervised=True)
    before = served(server)
    screen = begun(visit, server.url, bbbc041, tmp_path)
    page = screen.page
    names = label(page, bbbc041, 0, 30, 60)
    seen(page, 30, 60)  # told once it is kept, as the step back is
    page.keyboard.press("z")  # the last one is taken back, and asked about again
    seen(page, 29, 60)
    assert shown(page).endswith(names[-1])
    page.reload()  # in the middle
    seen(page, 29, 60)
    names[-1:] = label(page, bbbc041, 29, 50, 60)
    assert len(set(names)) == 50
    seen(page, 50, 60)
    screen.press("These are enough")
    wrong = {"p": 0, "u": 0}
    for name in names:
        wrong[bbbc041.key(name)] += 1
    expect(page.get_by_test_id("needs")).to_contain_text(
        f"{wrong['p']} parasitized, {wrong['u']} uninfected."
    )
    expect(page.get_by_role("switch")).to_be_checked()  # each folder is another slide
    expect(page.get_by_role("note")).to_contain_text("too few will be kept apart to decide by")
    expect(page.get_by_role("note")).to_contain_text("about 100 labels with 25 of each; 200 of 10 patients")
    expect(page.get_by_role("note")).to_contain_text("these are kept, and count together with the next")
    screen.press("Adapt the model")
    expect(page.get_by_test_id("adapting")).to_be_visible()
    page.reload()  # in the middle of the training
    verdict = page.get_by_test_id("verdict")
    expect(verdict).to_be_visible(timeout=TRAINING)
    job = job_of(server)
    assert job["state"] == "succeeded" and job["options"]["method"] == "adapt"  # type: ignore[index]
    _told_as_the_receipt_has_it(page, job)
    screen.press("Leave it")
    expect(page.get_by_role("status")).to_contain_text(f"{before} answers as before.")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text(f"{before} answers as before.")
    assert served(server) == before


def _told_as_the_receipt_has_it(page: Page, job: dict[str, object]) -> None:
    """Before and after are the gate's own counts, on cells that nothing was learnt from."""
    site = job["receipt"]["site"]  # type: ignore[index]
    for place, who in enumerate(("champion", "challenger")):
        counts = site[who]["confusion"]
        rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))
        cells = [rows.nth(row).get_by_role("cell").nth(place) for row in range(3)]
        expect(cells[0]).to_contain_text(f"{counts['tp']} of {counts['tp'] + counts['fn']}")
        expect(cells[1]).to_contain_text(f"{counts['tn']} of {counts['tn'] + counts['fp']}")
        expect(cells[2]).to_contain_text(re.compile(r"95% interval [\d.]+% to [\d.]+%"))
    assert site["champion"]["cells"] == job["ingest"]["gate_cells"]  # type: ignore[index]
    expect(page.get_by_test_id("apart")).to_contain_text(f"Judged on {site['champion']['cells']} cells")
    expect(page.get_by_text("a difference of one or two cells may be chance", exact=False)).to_be_visible()


def _adapted(visit: Open, server: Server, real_cells: Path, folder: Path, *, wrong: int = 0) -> Screen:
    """At the verdict, after a few cells. wrong: of so many one is labelled wrongly."""
    lab = other_labs.stained(real_cells / "nih-cells-part1.zip", patients=10, each=3)
    for name in sorted(lab.truth)[::wrong] if wrong else ():
        lab.truth[name] = Label(1 - lab.truth[name])
    screen = begun(visit, server.url, lab, folder)
    label(screen.page, lab, 0, 50, len(lab.cells))
    seen(screen.page, 50, len(lab.cells))
    screen.press("These are enough")
    screen.press("Adapt the model")
    screen.page.get_by_test_id("verdict").wait_for(timeout=TRAINING)
    return screen


def _sign(page: Page, button: str, reason: str) -> None:
    """What changes what is served needs a name and a reason."""
    expect(page.get_by_role("button", name=button, exact=True)).to_be_disabled()
    page.get_by_label("Your name or initials").fill("ada")
    page.get_by_role("textbox", name="Reason").fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def _newest(server: Server) -> tuple[str, str, str]:
    """Of the log: what was served last, by whom and why."""
    newest = httpx.get(f"{server.url}/models", timeout=30).json()["promotions"][0]
    return newest["version"], newest["actor"], newest["reason"]


def test_the_cells_asked_for_let_the_gate_decide_and_what_it_accepts_can_be_left(
    visit: Open, own_server: Start, real_cells: Path, tmp_path: Path
) -> None:
    """With the gate as it comes. Fewer may not be enough, which is told before anything is sent."""
    server = own_server(supervised=True)
    before = served(server)
    lab = other_labs.stained(real_cells / "nih-cells-part1.zip", patients=10, each=15)
    screen = begun(visit, server.url, lab, tmp_path)
    page = screen.page
    label(page, lab, 0, 150, LOT)
    seen(page, 150, LOT)
    expect(page.get_by_test_id("reached")).to_contain_text("Perhaps enough for a decision")
    screen.press("These are enough")
    expect(page.get_by_role("note")).to_contain_text(
        "With 200 labels, 50 of each, they nearly always suffice"
    )
    screen.press("Label the rest")
    label(page, lab, 150, LOT, LOT)
    expect(page.get_by_role("button", name="Adapt the model")).to_be_visible()
    expect(page.get_by_role("note")).to_have_count(0)
    screen.press("Adapt the model")
    page.get_by_test_id("verdict").wait_for(timeout=TRAINING)
    receipt = cast("dict[str, Any]", job_of(server)["receipt"])
    assert {rule["name"]: rule["passed"] for rule in receipt["criteria"]}["site size"] is True
    expect(page.get_by_test_id("verdict")).to_have_text("The new model is better")
    after = str(job_of(server)["version"])
    expect(page.get_by_role("region", name="Use it or leave it")).to_contain_text(
        f"{after} is served already"
    )
    assert served(server) == after != before
    _sign(page, "Leave it: go back", "it misses rings")
    expect(page.get_by_role("status")).to_contain_text(f"{before} answers as before.")
    assert _newest(server) == (before, "ada", "it misses rings")


def test_what_cannot_be_decided_may_be_used_with_a_reason(
    visit: Open, own_server: Start, real_cells: Path, tmp_path: Path
) -> None:
    """Where nothing speaks against it: here too few cells are kept apart, and doubted labels are let pass."""
    server = own_server(supervised=True, max_doubted_labels="1")
    before = served(server)
    page = _adapted(visit, server, real_cells, tmp_path).page
    expect(page.get_by_test_id("verdict")).to_have_text("It cannot be told which model is better")
    after = str(job_of(server)["version"])
    assert served(server) == before != after
    _sign(page, "Use it all the same", "our stain is grey")
    expect(page.get_by_role("status")).to_contain_text(f"{after} answers from now on.")
    assert _newest(server) == (after, "ada", "our stain is grey")


def test_what_speaks_against_a_new_model_is_told_and_it_is_not_offered(
    visit: Open, own_server: Start, real_cells: Path, tmp_path: Path
) -> None:
    """Of some of these cells the served model is sure that the label is wrong."""
    server = own_server(supervised=True)
    before = served(server)
    page = _adapted(visit, server, real_cells, tmp_path, wrong=3).page
    expect(page.get_by_test_id("verdict")).to_have_text("It cannot be told which model is better")
    receipt = cast("dict[str, Any]", job_of(server)["receipt"])
    assert "doubted labels" in [rule["name"] for rule in receipt["criteria"] if rule["passed"] is None]
    expect(page.get_by_text("something speaks against", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Use it all the same")).to_have_count(0)
    page.get_by_role("button", name="Leave it", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"{before} answers as before.")
    assert served(server) == before


def test_how_many_are_asked_about_follows_from_what_the_gate_wants(visit: Open, own_server: Start) -> None:
    server = own_server(min_site_cells="4")
    screen = visit(server.url, path="/setup").ready()
    expect(screen.page.get_by_text("You will be asked what 40 of them are", exact=False)).to_be_visible()
    screen.choose({cell.name: cell.png() for cell in synthetic.generate(60, seed=4)})
    seen(screen.page, 0, 40)


def test_who_has_one_class_alone_is_told_before_anything_is_sent(
    visit: Open, made_cells: Files, tmp_path: Path
) -> None:
    lab = Lab(made_cells, {})
    screen = begun(visit, None, lab, tmp_path)
    page = screen.page
    for number in range(12):
        seen(page, number, 12)
        page.keyboard.press("u")
    expect(page.get_by_text("There are 0 of one kind", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Adapt the model")).to_be_disabled()
    screen.press("Start anew")
    screen.press("Press again to remove these cells and labels")
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_visible()


def test_a_server_that_takes_nothing_costs_no_label(visit: Open, made_cells: Files, tmp_path: Path) -> None:
    screen = begun(visit, None, Lab(made_cells, {}), tmp_path)
    page = screen.page
    page.route("**/retrain", lambda route: route.abort("connectionrefused"))
    for number in range(12):
        seen(page, number, 12)
        page.keyboard.press("p" if number % 2 else "u")
    screen.press("Adapt the model")
    expect(page.get_by_role("alert").filter(has_text="The server does not answer")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("needs")).to_contain_text("6 parasitized, 6 uninfected.")


def test_a_folder_without_pictures_is_told_of(visit: Open) -> None:
    screen = visit(path="/setup").ready()
    screen.choose({"notes.txt": b"words", "more.txt": b"words"})
    expect(screen.page.get_by_role("alert")).to_contain_text("There are no pictures in what you brought.")


def test_it_fits_and_axe_finds_nothing_serious(
    visit: Open, ui: Path, made_cells: Files, tmp_path: Path
) -> None:
    page = begun(visit, None, Lab(made_cells, {}), tmp_path).page
    assert chromium.faults(page, ui) == []
    for number in range(12):
        seen(page, number, 12)
        page.keyboard.press("p" if number % 2 else "u")
    expect(page.get_by_role("button", name="Adapt the model")).to_be_visible()
    assert chromium.faults(page, ui) == []
