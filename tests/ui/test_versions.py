"""The kept models in the browser: figures, comparison, card, and changing what is served."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from malaria import shipped, wiring
from malaria.settings import Settings
from tests.ui import browser as chromium
from tests.ui.conftest import Open
from tests.ui.screen import Screen
from tests.ui.serving import Server

WHY = {"actor": "ada", "reason": "to be quicker"}


@pytest.fixture(scope="module")
def two(ui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps two of the versions that ship, and serves the second: compact_cnn."""
    made = Server(tmp_path_factory.mktemp("two"))
    registry, models = wiring.local(made.home, Settings(home=made.home)).registry, shipped.folder()
    shipped.install_shipped(registry, models)
    shipped.choose_network(registry, models, "compact_cnn", "ada")
    made.start()
    yield made
    made.stop()


def _open(visit: Open, server: Server, path: str = "/versions", **context: object) -> Screen:
    screen = visit(server.url, path=path, **context)
    screen.page.get_by_role("heading", level=2).wait_for()
    return screen


def _versions(server: Server) -> tuple[str, str]:
    """The served version, and the other."""
    told = httpx.get(f"{server.url}/models", timeout=60).raise_for_status().json()
    served = told["served"]
    return served, next(one["version"] for one in told["models"] if one["version"] != served)


def _change(page: Page, button: str, reason: str) -> None:
    """Fill the dialog in, and confirm."""
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name=button)
    expect(confirm).to_be_disabled()
    dialog.get_by_label("Your name").fill("ana")
    dialog.get_by_label("Reason").fill(reason)
    confirm.click()
    expect(dialog).to_be_hidden()


def test_figures_stand_with_their_intervals(visit: Open, two: Server) -> None:
    page = _open(visit, two).page
    told = httpx.get(f"{two.url}/models", timeout=60).raise_for_status().json()
    for model in told["models"]:
        gate = model["metrics"]["gate"]
        low, high = gate["intervals"]["sensitivity"]
        row = page.get_by_test_id(f"version-{model['version']}")
        expect(row).to_contain_text(f"{gate['sensitivity']:.1%}{low:.1%} – {high:.1%}")
    expect(page.get_by_test_id("overtime").locator(".recharts-line")).to_have_count(3)
    page.get_by_role("combobox", name="Figure").click()
    page.get_by_role("option", name="ROC AUC").click()
    expect(page.get_by_test_id("overtime")).to_contain_text("ROC AUC")


def test_a_version_is_rolled_back_and_promoted_with_a_reason(visit: Open, two: Server) -> None:
    served, other = _versions(two)
    page = _open(visit, two).page
    expect(page.get_by_test_id("served-version")).to_have_text(served)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it as it is").click()
    assert _versions(two) == (served, other), "nothing changes before it is confirmed"

    page.get_by_role("button", name="Roll back").click()
    _change(page, "Roll back", "misses rings")
    expect(page.get_by_test_id("served-version")).to_have_text(other)
    assert _versions(two) == (other, served)
    expect(page.get_by_test_id("history")).to_contain_text("misses rings")
    expect(page.get_by_test_id("history")).to_contain_text(f"Rolled back to: {other}")

    page.get_by_role("button", name=f"Serve this one: {served}").click()
    expect(page.get_by_role("dialog").get_by_label("Your name")).to_have_value("ana")
    page.get_by_role("dialog").get_by_label("Your name").fill("")
    _change(page, "Serve this one", "better after all")
    expect(page.get_by_test_id("served-version")).to_have_text(served)
    newest = httpx.get(f"{two.url}/models", timeout=60).json()["promotions"][0]
    assert (newest["verdict"], newest["actor"], newest["reason"]) == ("manual", "ana", "better after all")


def _tab_to(page: Page, wanted: Locator) -> None:
    """Go on by Tab until it has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"Tab does not reach {wanted}")


def test_a_version_is_rolled_back_by_keyboard_alone(visit: Open, two: Server) -> None:
    served, other = _versions(two)
    page = _open(visit, two).page
    back = page.get_by_role("button", name="Roll back")
    _tab_to(page, back)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(back).to_be_focused()

    page.keyboard.press("Enter")
    _tab_to(page, dialog.get_by_label("Your name"))
    page.keyboard.type("ana")
    _tab_to(page, dialog.get_by_label("Reason"))
    page.keyboard.type("by hand")
    _tab_to(page, dialog.get_by_role("button", name="Roll back"))
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("served-version")).to_have_text(other)
    httpx.post(f"{two.url}/models/{served}/promote", json=WHY, timeout=60).raise_for_status()


def test_a_change_that_came_too_late_is_told_and_nothing_is_lost(visit: Open, two: Server) -> None:
    served, other = _versions(two)
    page = _open(visit, two).page
    page.get_by_role("button", name=f"Serve this one: {other}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("ana")
    dialog.get_by_label("Reason").fill("I would like it")
    httpx.post(f"{two.url}/models/{other}/promote", json=WHY, timeout=60).raise_for_status()
    dialog.get_by_role("button", name="Serve this one").click()
    expect(dialog.get_by_role("alert")).to_contain_text("served already")
    expect(dialog.get_by_label("Reason")).to_have_value("I would like it")
    httpx.post(f"{two.url}/models/{served}/promote", json=WHY, timeout=60).raise_for_status()


def test_two_versions_are_compared(visit: Open, two: Server) -> None:
    page = _open(visit, two).page
    compare = page.get_by_role("button", name="Compare two")
    expect(compare).to_be_disabled()
    for version in _versions(two):
        page.get_by_role("checkbox", name=f"Pick {version} to compare").check()
    compare.click()
    expect(page).to_have_url(re.compile("compare="))
    expect(page.get_by_test_id("compared").get_by_test_id("figure-auc")).to_have_count(2)
    told = httpx.get(f"{two.url}/models", timeout=60).json()["models"]
    tables = page.get_by_test_id("confusion")
    expect(tables).to_have_count(2)
    counts = {f"{model['metrics']['gate']['confusion']['fn']:,}" for model in told}
    text = " ".join(tables.all_inner_texts())
    assert all(re.search(rf"\b{count}\b", text) for count in counts)
    curves = page.get_by_test_id("curves")
    expect(curves.locator(".recharts-line")).to_have_count(2 + 3)
    spread = told[0]["metrics"]["gate"]["spread"]["sensitivity"]
    expect(page.get_by_test_id("patients-sensitivity")).to_contain_text(
        f"{spread['patients']} patients, median {spread['median']:.1%}, worst {spread['worst']:.1%}"
    )
    page.reload()
    expect(tables).to_have_count(2)


def test_a_version_shows_its_lineage_and_its_card(visit: Open, two: Server) -> None:
    served, _ = _versions(two)
    page = _open(visit, two).page
    page.get_by_test_id("served-version").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(served)
    expect(page.get_by_test_id("lineage")).to_contain_text("trained")
    card = page.get_by_test_id("card")
    expect(card).to_contain_text("It is research software, not a medical device.")
    card.get_by_text("Data and patients").click()
    expect(card.get_by_role("cell", name="NIH malaria cells").first).to_be_visible()
    assert "**" not in card.inner_text() and "| --- |" not in card.inner_text()
    with page.expect_download() as coming:
        card.get_by_role("button", name="Card (Markdown)").click()
    text = Path(coming.value.path()).read_text(encoding="utf-8")
    assert text.startswith("> Research use only.") and "## Limits" in text


def test_a_version_that_is_not_kept_is_told_of(visit: Open, two: Server) -> None:
    page = _open(visit, two, "/versions?version=20200101-00000000").page
    expect(page.get_by_text("This version is not kept on this server.")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("20200101-00000000")


def _list(page: Page) -> None:
    page.get_by_test_id("overtime").locator(".recharts-line").first.wait_for()


def _compare(page: Page) -> None:
    page.get_by_test_id("curves").locator(".recharts-line").first.wait_for()


def _version(page: Page) -> None:
    page.get_by_test_id("card").get_by_text("Intended use").wait_for()
    page.get_by_test_id("curves").locator(".recharts-line").first.wait_for()


VIEWS: list[tuple[str, Callable[[Page], None]]] = [
    ("/versions", _list),
    ("/versions?compare={},{}", _compare),
    ("/versions?version={}", _version),
]


@pytest.mark.parametrize(("path", "ready"), VIEWS)
def test_it_fits_and_axe_finds_nothing_serious(
    visit: Open, two: Server, ui: Path, path: str, ready: Callable[[Page], None]
) -> None:
    page = _open(visit, two, path.format(*_versions(two))).page
    ready(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert chromium.faults(page, ui, 360, 768, 3840) == []
