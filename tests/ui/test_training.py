"""Retraining in the browser: what is in an upload before it is sent, the job's way, and the verdict."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from malaria import synthetic, wiring
from malaria.domain import Job, JobState, Method, Progress, RetrainOptions
from malaria.settings import Settings
from malaria.stains import washed_out
from tests.flow.sites import make_site
from tests.ui import browser as chromium
from tests.ui.conftest import Files, Open
from tests.ui.screen import Screen, zipped
from tests.ui.serving import Server

LONG = 10 * 60_000
"""Milliseconds that a training may take where machines are slow."""


@pytest.fixture(scope="session")
def site(real_cells: Path, models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A ZIP of real cells of another stain, with a file that is none and a picture that is broken."""
    path = tmp_path_factory.mktemp("site") / "site.zip"
    made = make_site(real_cells / "nih-cells-part1.zip", models_dir / "roles.json", washed_out)
    made.zip(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "taken on a Monday")
        archive.writestr("Parasitized/broken.png", b"no picture")
    return path.read_bytes()


@pytest.fixture(scope="session")
def labelled() -> Files:
    """Three dozen made cells in the folders of their classes."""
    return {f"{cell.label.text}/{cell.name}": cell.png() for cell in synthetic.generate(36, seed=4)}


@pytest.fixture(scope="module")
def trainer(ui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that launches trainings, for all tests of this file."""
    made = Server(tmp_path_factory.mktemp("trainer"), supervised=True).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def waiting(ui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that launches nothing: jobs wait there."""
    made = Server(tmp_path_factory.mktemp("waiting")).start()
    yield made
    made.stop()


def _open(visit: Open, server: Server, **context: object) -> Screen:
    return visit(server.url, path="/training", **context).ready()


def _send(screen: Screen) -> None:
    screen.press("Send and retrain")
    screen.page.wait_for_url(re.compile(r"\?job=\w+"))


def _standing(page: Page, wanted: str, timeout: float = LONG) -> None:
    """Until the job that is shown stands so."""
    expect(page.get_by_test_id("standing")).to_have_attribute("data-standing", wanted, timeout=timeout)


def _job(server: Server, page: Page) -> dict[str, Any]:
    """The job that is shown, as the server tells it."""
    told = httpx.get(f"{server.url}/retrain/status/{page.url.rpartition('=')[2]}", timeout=60)
    found: dict[str, Any] = told.raise_for_status().json()
    return found


def test_a_zip_is_shown_sent_and_followed_until_its_verdict(
    visit: Open, trainer: Server, site: bytes, ui: Path
) -> None:
    screen = _open(visit, trainer)
    page = screen.page
    screen.choose({"site.zip": site})
    expect(page.get_by_test_id("count-Parasitized")).to_have_text("181")
    expect(page.get_by_test_id("count-Uninfected")).to_have_text("180")
    content = page.get_by_test_id("content")
    expect(content).to_contain_text("by the names of the files")
    expect(content).to_contain_text("One file is no picture and is set aside: notes.txt")
    expect(content.get_by_alt_text("The picture", exact=False)).to_have_count(16)
    assert httpx.get(f"{trainer.url}/retrain/tasks", timeout=60).json() == {"tasks": []}, (
        "nothing is sent before it is asked for"
    )

    page.get_by_role("radio", name="Adapt").check()
    page.get_by_label("Note").fill("a paler stain")
    _send(screen)
    expect(page.get_by_test_id("stage-ingest")).to_have_attribute("data-reached", "done", timeout=LONG)
    expect(page.get_by_test_id("verdict")).to_be_visible(timeout=LONG)
    job = _job(trainer, page)
    assert (job["name"], job["options"]["method"], job["options"]["note"]) == (
        "site.zip",
        "adapt",
        "a paler stain",
    )
    _standing(page, job["verdict"])
    _receipt_is_read(page, job)
    _aside_is_told(page)
    assert chromium.axe(page, ui / "node_modules/axe-core/axe.min.js") == []

    page.get_by_role("link", name="All retrainings").click()
    listed = page.get_by_test_id("jobs").get_by_role("link").filter(has_text="site.zip")
    expect(listed).to_contain_text(job["verdict"].capitalize())
    page.get_by_role("button", name=re.compile("^" + job["verdict"].capitalize())).click()
    expect(page).to_have_url(re.compile(f"state={job['verdict']}"))
    listed.click()
    expect(page.get_by_test_id("verdict")).to_be_visible()


def _receipt_is_read(page: Page, job: dict[str, Any]) -> None:
    """Each rule with its outcome, and both models side by side."""
    outcomes = {True: "passed", False: "broken", None: "open"}
    rules = job["receipt"]["criteria"]
    assert len(rules) > 5
    for rule in rules:
        line = page.get_by_test_id("rule-" + rule["name"].replace(" ", "-"))
        expect(line).to_have_attribute("data-outcome", outcomes[rule["passed"]])
        expect(line.locator("[lang=en]")).to_have_count(0)  # in the page's words, not in the server's
    labels = next(rule["value"] for rule in rules if rule["name"] == "labels")
    expect(page.get_by_test_id("rule-labels")).to_contain_text(f"as your labels do (AUC {labels:.3f})")
    expect(page.get_by_test_id("why").get_by_role("listitem").first).to_be_visible()
    both = job["receipt"]["site"]
    rows = page.get_by_test_id("both-site").get_by_test_id("figure-sensitivity")
    expect(rows).to_have_count(2)
    for row, who in zip(rows.all(), ("champion", "challenger"), strict=True):
        low, high = both[who]["intervals"]["sensitivity"]
        expect(row).to_contain_text(f"{both[who]['sensitivity']:.1%} {low:.1%} – {high:.1%}")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Receipt (JSON)").click()
    taken = Path(coming.value.path()).read_text(encoding="utf-8")
    assert "Research use only" in taken and job["receipt"]["reason"] in taken


def _aside_is_told(page: Page) -> None:
    report = page.get_by_test_id("ingest")
    expect(report).to_contain_text("Parasitized/broken.png")
    with page.expect_download() as coming:
        report.get_by_role("button", name="Table (CSV)").click()
    lines = Path(coming.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith('"# Research use only.')
    assert lines[1] == "what,name,class,code,reason"
    assert {line.split(",")[1] for line in lines[2:]} == {"notes.txt", "Parasitized/broken.png"}


def test_a_folder_is_packed_and_what_ingest_refuses_is_told(
    visit: Open, trainer: Server, tmp_path: Path, labelled: Files
) -> None:
    for name, data in labelled.items():
        path = tmp_path / "laboratory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no picture" if name.startswith("Parasitized") else data)
    screen = _open(visit, trainer)
    screen.choose_folder(tmp_path / "laboratory")
    expect(screen.page.get_by_test_id("count-Uninfected")).to_have_text("18")
    expect(screen.page.get_by_test_id("content")).to_contain_text("18 of them cannot be read by this browser")
    _send(screen)
    _standing(screen.page, "failed")
    expect(
        screen.page.get_by_text("None of the 18 files under Parasitized/ can be used", exact=False)
    ).to_be_visible()
    expect(screen.page.get_by_test_id("stage-ingest")).to_have_attribute("data-reached", "stopped")
    assert _job(trainer, screen.page)["name"] == "laboratory.zip"


def test_a_running_job_is_cancelled_only_when_it_is_confirmed(
    visit: Open, trainer: Server, site: bytes
) -> None:
    screen = _open(visit, trainer)
    page = screen.page
    more = io.BytesIO(site)
    with zipfile.ZipFile(more, "a") as archive:
        archive.writestr("Uninfected/one-more.png", next(synthetic.generate(1, seed=77)).png())
    screen.choose({"again.zip": more.getvalue()})
    _send(screen)
    _standing(page, "running")
    expect(page.get_by_test_id("progress")).to_contain_text("%")
    page.get_by_role("button", name="Cancel this retraining").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Let it run").click()
    expect(dialog).to_be_hidden()
    assert _job(trainer, page)["state"] == "running"
    page.get_by_role("button", name="Cancel this retraining").click()
    dialog.get_by_role("button", name="Cancel it").click()
    _standing(page, "cancelled")
    expect(page.get_by_role("button", name="Cancel this retraining")).to_have_count(0)
    expect(page.get_by_text("Cancelled by a person while it ran", exact=False)).to_be_visible()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"Parasitized": True}, "There are no pictures of the class Uninfected"),
        ({"other": True}, "No pictures lie in folders named Parasitized or Uninfected. It has: other"),
    ],
)
def test_a_zip_that_cannot_be_used_is_told_of_before_it_is_sent(
    visit: Open, labelled: Files, chosen: dict[str, bool], said: str
) -> None:
    screen = visit(path="/training").ready()
    folder = next(iter(chosen))
    screen.choose({"bad.zip": zipped({f"{folder}/{n.rpartition('/')[2]}": d for n, d in labelled.items()})})
    expect(screen.page.get_by_test_id("findings")).to_contain_text(said)
    expect(screen.page.get_by_role("button", name="Send and retrain")).to_have_count(0)
    screen.press("Bring another")
    screen.choose({"bad.zip": b"PK\x03\x04 and no more"})
    expect(screen.page.get_by_test_id("findings")).to_contain_text("bad.zip cannot be opened")


def test_patients_and_few_cells_are_told_of(visit: Open, labelled: Files) -> None:
    screen = visit(path="/training").ready()
    names = list(labelled)
    table = (
        "file;patient\n"
        + "".join(f"{name};p{at % 4}\n" for at, name in enumerate(names[:-1]))
        + "gone.png;p9\n"
    )
    screen.choose({"small.zip": zipped({**labelled, "patients.csv": table.encode()})})
    content = screen.page.get_by_test_id("content")
    expect(content).to_contain_text("by patients.csv; one cell names none")
    expect(content).to_contain_text(
        "36 cells are few: a fifth is kept apart to compare on, so bring 100 or more"
    )
    expect(content).to_contain_text("One row of patients.csv names no picture")
    expect(content).to_contain_text("One of 36 cells names no patient")


def test_what_the_server_refuses_is_told_and_may_be_mended(
    visit: Open, waiting: Server, labelled: Files
) -> None:
    screen = visit(waiting.url, path="/training").ready()
    page = screen.page
    screen.choose({"cells.zip": zipped({**labelled, "retrain.json": b'{"method": "magic"}'})})
    expect(page.get_by_test_id("content")).to_contain_text("a retrain.json of its own")
    screen.press("Send and retrain")
    expect(page.get_by_role("alert")).to_contain_text("method must be one of adapt, full, auto")
    screen.press("Back to what is in it")
    expect(page.get_by_test_id("count-Uninfected")).to_have_text("18")


def test_a_number_out_of_its_range_is_not_sent(visit: Open, labelled: Files) -> None:
    screen = visit(path="/training").ready()
    page = screen.page
    screen.choose({"cells.zip": zipped(labelled)})
    page.get_by_label("Epochs").fill("201")
    expect(page.get_by_text("A whole number from 1 to 200")).to_be_visible()
    expect(page.get_by_role("button", name="Send and retrain")).to_be_disabled()
    page.get_by_role("radio", name="Adapt").check()
    expect(page.get_by_label("Epochs")).to_have_count(0)
    expect(page.get_by_role("button", name="Send and retrain")).to_be_enabled()


def test_an_answer_that_is_lost_makes_no_second_job(visit: Open, waiting: Server, labelled: Files) -> None:
    archive, before = zipped(labelled), _count(waiting)
    screen = visit(waiting.url, path="/training").ready()
    asked: list[Route] = []

    def lose_the_first_answer(route: Route) -> None:
        """The server gets what the page sends, and the page does not hear of it."""
        asked.append(route)
        if len(asked) > 1:
            route.continue_()
            return
        key = {"Idempotency-Key": route.request.headers["idempotency-key"]}
        form = {"file": ("cells.zip", archive, "application/zip")}
        httpx.post(f"{waiting.url}/retrain", files=form, headers=key, timeout=60).raise_for_status()
        route.abort()

    screen.page.route("**/retrain", lose_the_first_answer)
    screen.choose({"cells.zip": archive})
    _send(screen)
    _standing(screen.page, "queued")
    assert len(asked) == 2
    assert _count(waiting) == before + 1


def _count(server: Server) -> int:
    """How many jobs it knows."""
    return len(httpx.get(f"{server.url}/retrain/tasks", timeout=60).json()["tasks"])


def test_a_server_that_is_away_costs_no_upload(visit: Open, waiting: Server, labelled: Files) -> None:
    screen = visit(waiting.url, path="/training").ready()
    screen.choose({"cells.zip": zipped(labelled)})
    screen.page.get_by_test_id("count-Uninfected").wait_for()
    waiting.stop()
    screen.press("Send and retrain")
    upload = screen.page.get_by_role("region", name="A new upload")
    expect(upload.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(upload).to_contain_text("Your upload is kept here")
    waiting.start()
    upload.get_by_role("button", name="Try again").click()
    screen.page.wait_for_url(re.compile(r"\?job=\w+"))
    _standing(screen.page, "queued")


def test_a_job_that_waits_is_cancelled_at_once(visit: Open, waiting: Server, labelled: Files) -> None:
    screen = visit(waiting.url, path="/training").ready()
    screen.choose({"cells.zip": zipped(labelled)})
    _send(screen)
    _standing(screen.page, "queued")
    screen.press("Cancel this retraining")
    screen.page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    _standing(screen.page, "cancelled")


def test_a_training_of_the_whole_network_shows_its_curves(visit: Open, waiting: Server, ui: Path) -> None:
    epochs = tuple(
        Progress(
            "train",
            epoch=number,
            epochs=5,
            loss=0.5 / number,
            validation_loss=0.6 / number,
            accuracy=1 - 0.2 / number,
            validation_accuracy=1 - 0.3 / number,
        )
        for number in (1, 2, 3)
    )
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    job = Job("00000000000000aa", "identity", "big.zip", "uploads/big.zip", began, state=JobState.RUNNING)
    at = replace(epochs[-1], percent=55.0, eta=90.0)
    jobs = wiring.local(waiting.home, Settings(home=waiting.home)).jobs
    jobs.add(
        replace(job, options=RetrainOptions(Method.FULL, epochs=5), started=began, progress=at, epochs=epochs)
    )
    page = visit(waiting.url, path=f"/training?job={job.id}", reduced_motion="reduce").page
    expect(page.get_by_test_id("progress")).to_contain_text(
        "55% · about 1 min 30 sec left of this step · epoch 3 of 5"
    )
    expect(page.get_by_test_id("stage-train")).to_have_attribute("data-reached", "now")
    expect(page.get_by_test_id("stage-evaluate")).to_have_attribute("data-reached", "later")
    curves = page.get_by_role("region", name="How it learnt")
    expect(curves.locator(".recharts-line")).to_have_count(4)
    expect(curves.locator(".recharts-line-dot")).to_have_count(12)
    assert chromium.axe(page, ui / "node_modules/axe-core/axe.min.js") == []


def test_a_job_that_is_not_there_is_told_of(visit: Open) -> None:
    page = visit(path="/training?job=none").page
    expect(page.get_by_role("alert")).to_contain_text("none")
    page.get_by_role("link", name="All retrainings").click()
    expect(page.get_by_text("None yet.", exact=False)).to_be_visible()


def _start(screen: Screen, cells: Files) -> None: ...


def _content(screen: Screen, cells: Files) -> None:
    screen.choose({"cells.zip": zipped(cells)})
    screen.page.get_by_alt_text("The picture", exact=False).first.wait_for()
    screen.page.get_by_role("radio", name="Train the whole network").check()


@pytest.mark.parametrize("act", [_start, _content])
def test_it_fits_and_axe_finds_nothing_serious(
    visit: Open, ui: Path, labelled: Files, act: Callable[[Screen, Files], None]
) -> None:
    screen = visit(path="/training").ready()
    long = "a-name-as-long-as-those-of-microscopes-are"
    act(screen, {name.replace("cell", long): data for name, data in labelled.items()})
    assert chromium.faults(screen.page, ui) == []


def test_jobs_fit_and_axe_finds_nothing_serious(visit: Open, trainer: Server, ui: Path) -> None:
    page = _open(visit, trainer).page
    tasks = httpx.get(f"{trainer.url}/retrain/tasks", timeout=60).raise_for_status().json()["tasks"]
    for task in tasks[:3]:
        page.goto(f"{trainer.url}/training?job={task['task_id']}")
        page.get_by_test_id("timeline").wait_for()
        assert chromium.faults(page, ui) == []
