"""Review and label: what is said on Diagnose is kept, looked through, taken away, sent and told."""

import io
import random
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from malaria import ingest
from tests.ui import browser as chromium
from tests.ui.conftest import Files, Open
from tests.ui.screen import Screen
from tests.ui.serving import Server

Start = Callable[..., Server]
WIDTHS = [360, 3840]


@pytest.fixture(scope="module")
def told(ui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be told of labels and sent jobs, which wait there."""
    made = Server(tmp_path_factory.mktemp("told")).start()
    yield made
    made.stop()


def newest(server: Server) -> dict[str, Any]:
    """The job that was asked for last."""
    job: dict[str, Any] = httpx.get(f"{server.url}/retrain/tasks", timeout=30).json()["tasks"][0]
    return job


def go(screen: Screen, name: str) -> Page:
    """To another screen, as a person does: the page is not loaded anew."""
    screen.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    return screen.page


def collecting(screen: Screen, *, by: str = "ada") -> None:
    """On Review: collect from now on, and say who says so."""
    page = go(screen, "Review")
    page.get_by_role("switch", name="Collect what I say on Diagnose").check()
    page.get_by_label("Your name or initials").fill(by)


def judge(screen: Screen, cells: Files, keys: str) -> None:
    """On Diagnose: say of each cell in turn, as the grid has them, what its key says."""
    go(screen, "Diagnose")
    screen.ready().choose(cells)
    screen.done()
    screen.thumbnails.first.focus()
    for key in keys:
        screen.page.keyboard.press(key)
        screen.page.keyboard.press("ArrowRight")


def judged(screen: Screen, cells: Files, keys: str) -> Page:
    """Review, with so many labels kept."""
    collecting(screen)
    judge(screen, cells, keys)
    page = go(screen, "Review")
    expect(page.get_by_test_id("kept")).to_contain_text(f"{len(keys)} labelled cells")
    return page


def quality(server: Server, cells: int) -> dict[str, object]:
    """Figures of confirmed cells, once there are so many."""
    deadline = time.monotonic() + chromium.PATIENCE / 1000
    while True:
        told = httpx.get(f"{server.url}/metrics/quality", timeout=30).json()
        if told["overall"]["cells"] >= cells or time.monotonic() > deadline:
            return dict(told)
        time.sleep(0.2)


def downloaded(page: Page, to: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download ZIP").click()
    coming.value.save_as(to)
    return to


def test_judgements_become_a_zip_that_ingest_accepts_and_feedback(
    visit: Open, own_server: Start, made_cells: Files, tmp_path: Path
) -> None:
    server = own_server()
    screen = visit(server.url).ready()
    collecting(screen)
    page = screen.page
    page.get_by_label("Patient", exact=True).fill('k-02, "right" arm')
    page.get_by_label("Laboratory (optional)").fill("Kisumu")
    judge(screen, made_cells, "ppppppuuuuuu")
    go(screen, "Review")
    expect(page.get_by_test_id("kept")).to_contain_text("12 labelled cells")
    path = downloaded(page, tmp_path / "labels.zip")
    with zipfile.ZipFile(path) as opened:
        assert b"Research use only" in opened.comment
    taken = ingest.ingest(
        path,
        kind="site",
        held=ingest.Held(),
        known_roles={},
        work=tmp_path / "work",
        now=datetime.now(UTC),
    )
    assert taken.report.quarantined == () and taken.report.counts["skipped"] == 0
    assert taken.report.accepted == {"Parasitized": 6, "Uninfected": 6}
    assert {cell.patient for cell in taken.shard.cells} == {'k-02, "right" arm'}
    told = quality(server, 12)
    assert told["overall"]["cells"] == 12  # type: ignore[index]
    assert [site["name"] for site in told["by_site"]] == ["Kisumu"]  # type: ignore[attr-defined]
    expect(page.get_by_test_id("told")).to_have_text("12 sent · 0 wait")


def test_labels_outlive_a_reload_until_they_are_removed_and_tabs_agree(
    visit: Open, made_cells: Files
) -> None:
    screen = visit().ready()
    page = judged(screen, made_cells, "pppuuu")
    page.reload()
    expect(page.get_by_test_id("kept")).to_contain_text("6 labelled cells")
    expect(screen.thumbnails).to_have_count(6)
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("button[id^=cell-]").first.press("x")
    expect(page.get_by_test_id("kept")).to_contain_text("5 labelled cells")
    other.get_by_role("switch", name="Collect what I say on Diagnose").uncheck()
    expect(page.get_by_role("switch", name="Collect what I say on Diagnose")).not_to_be_checked()
    screen.press("Empty")
    screen.press("Press again to remove 5 cells")
    expect(page.get_by_test_id("kept")).to_have_text("Nothing is kept.")
    expect(other.get_by_test_id("kept")).to_have_text("Nothing is kept.")
    page.reload()
    expect(page.get_by_test_id("kept")).to_have_text("Nothing is kept.")


def test_nothing_is_kept_unless_it_is_asked_for(visit: Open, made_cells: Files) -> None:
    screen = visit().ready()
    judge(screen, made_cells, "pppuuu")
    page = go(screen, "Review")
    expect(page.get_by_test_id("kept")).to_have_text("Nothing is kept.")
    page.get_by_role(
        "switch", name="Collect what I say on Diagnose"
    ).check()  # those that are open are meant, too
    expect(page.get_by_test_id("kept")).to_contain_text("6 labelled cells")


def test_what_is_taken_back_is_not_kept(visit: Open, made_cells: Files) -> None:
    screen = visit().ready()
    collecting(screen)
    judge(screen, made_cells, "pppppp")
    screen.page.keyboard.press("Home")
    screen.page.keyboard.press("p")  # once more takes it back
    screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("x")
    page = go(screen, "Review")
    expect(page.get_by_test_id("kept")).to_contain_text("4 labelled cells")


def test_labels_are_changed_taken_out_and_brought_back_by_keyboard(
    visit: Open, made_cells: Files, tmp_path: Path
) -> None:
    screen = visit().ready()
    page = judged(screen, made_cells, "pppuuu")
    screen.thumbnails.first.focus()
    for key in ("u", "ArrowRight", "x"):
        page.keyboard.press(key)
    expect(screen.thumbnails).to_have_count(5)
    expect(page.locator("button:focus")).to_have_attribute("aria-current", "true")
    page.keyboard.press("u")  # the one that has come to stand there
    screen.press("Bring back")
    expect(screen.thumbnails).to_have_count(6)
    with zipfile.ZipFile(downloaded(page, tmp_path / "labels.zip")) as opened:
        folders = [name.split("/")[0] for name in opened.namelist()]
    assert (folders.count("Parasitized"), folders.count("Uninfected")) == (1, 5)


def test_feedback_that_fails_waits_is_told_of_and_sent_later(
    visit: Open, own_server: Start, made_cells: Files
) -> None:
    server = own_server()
    screen = visit(server.url).ready()
    page = screen.page
    page.route("**/feedback", lambda route: route.abort("connectionrefused"))
    judged(screen, made_cells, "pppuuu")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.get_by_test_id("told")).to_have_text("0 sent · 6 wait")
    page.reload()
    expect(page.get_by_test_id("told")).to_have_text("0 sent · 6 wait")
    page.unroute_all(behavior="ignoreErrors")
    screen.press("Send now")
    expect(page.get_by_test_id("told")).to_have_text("6 sent · 0 wait")
    assert quality(server, 6)["overall"]["cells"] == 6  # type: ignore[index]


def test_a_label_that_the_server_does_not_take_is_told_of(
    visit: Open, told: Server, made_cells: Files
) -> None:
    screen = visit(told.url).ready()
    page = screen.page

    def spoil(route: Route) -> None:
        body = dict(route.request.post_data_json or {})
        route.continue_(post_data={**body, "prediction_id": "x" + body["prediction_id"]})

    page.route("**/feedback", spoil)
    judged(screen, made_cells, "pu")
    expect(page.get_by_test_id("told")).to_have_text("0 sent · 0 wait · 2 refused")
    screen.thumbnails.first.click()
    expect(page.get_by_test_id("panel")).to_contain_text("The server did not take the label:")


def test_nobody_says_nothing(visit: Open, told: Server, ui: Path, made_cells: Files) -> None:
    screen = visit(told.url).ready()
    collecting(screen, by="")
    judge(screen, made_cells, "pu")
    page = go(screen, "Review")
    expect(page.get_by_text("Say who you are, then labels are sent.")).to_be_visible()
    expect(page.get_by_test_id("told")).to_have_text("0 sent · 2 wait")
    assert chromium.axe(page, ui / "node_modules/axe-core/axe.min.js") == []
    page.get_by_label("Your name or initials").fill("ada")
    expect(page.get_by_test_id("told")).to_have_text("2 sent · 0 wait")


def test_labels_are_sent_to_retraining(visit: Open, told: Server, made_cells: Files) -> None:
    screen = visit(told.url).ready()
    page = judged(screen, made_cells, "ppppppuuuuuu")
    screen.press("Send 12 cells to retraining")
    expect(page.get_by_role("status").filter(has_text="Sent to retraining")).to_be_visible()
    job = newest(told)
    options = httpx.get(f"{told.url}{job['links']['self']}", timeout=30).json()["options"]
    assert options["method"] == "adapt" and "ada" in options["note"]
    page.get_by_role("link", name="Follow the retraining").click()
    expect(page).to_have_url(f"{told.url}/training?job={job['task_id']}")
    expect(page.get_by_role("heading", name="Review and label")).to_have_count(0)
    page.get_by_role("heading", level=2).first.wait_for()


def test_what_is_too_large_for_one_request_goes_where_a_form_says(visit: Open, told: Server) -> None:
    before = len(httpx.get(f"{told.url}/retrain/tasks", timeout=30).json()["tasks"])
    screen = visit(told.url).ready()
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.method + urlsplit(request.url).path))
    judged(screen, _noise(4), "ppuu")
    screen.press("Send 4 cells to retraining")
    expect(screen.page.get_by_role("status").filter(has_text="Sent to retraining")).to_be_visible()
    assert "POST/uploads" in asked and "POST/retrain" not in asked
    assert len(httpx.get(f"{told.url}/retrain/tasks", timeout=30).json()["tasks"]) == before + 1
    assert newest(told)["name"].startswith("labelled-cells-")


def _noise(count: int) -> Files:
    """Pictures that cannot be compressed, of more than a megabyte each."""
    found = {}
    for number in range(count):
        out = io.BytesIO()
        Image.frombytes("RGB", (640, 640), random.Random(number).randbytes(640 * 640 * 3)).save(out, "PNG")
        found[f"noise-{number}.png"] = out.getvalue()
    return found


def test_one_class_alone_cannot_be_sent(visit: Open, made_cells: Files) -> None:
    page = judged(visit().ready(), made_cells, "ppp")
    expect(page.get_by_role("button", name="Send 3 cells to retraining")).to_be_disabled()
    expect(page.get_by_test_id("needs")).to_contain_text(
        "3 parasitized, 0 uninfected. A retraining needs both"
    )
    expect(page.get_by_test_id("needs")).to_contain_text("about 100 cells, 25 of each")


def test_it_fits_and_axe_finds_nothing_serious(visit: Open, ui: Path, made_cells: Files) -> None:
    screen = visit().ready()
    page = judged(screen, made_cells, "pppuuu")
    assert chromium.faults(page, ui, 360) == []
    screen.thumbnails.first.click()
    assert chromium.faults(page, ui, 1440, 3840) == []
