"""`make screenshots`: pictures of each screen in both themes, of made cells, for the documentation."""

import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import httpx
from PIL import Image
from playwright.sync_api import Browser

from malaria import synthetic
from tests.ui import browser as chromium
from tests.ui.screen import Screen, zipped
from tests.ui.serving import Server

DESK, PHONE = (1440, 900), (360, 740)
Act = Callable[[Screen], None]


def _start(screen: Screen) -> None:
    screen.page.get_by_role("heading", level=2).wait_for()


def _single(screen: Screen) -> None:
    cell = next(synthetic.generate(1, seed=5))
    screen.choose({cell.name: cell.png()})
    screen.page.get_by_role("slider").wait_for()


def _many(screen: Screen) -> None:
    cells = {cell.name: cell.png() for cell in synthetic.generate(96, seed=2)}
    screen.choose(cells | {"notes.png": b"no picture"})
    screen.done()
    screen.thumbnails.nth(1).click()
    if screen.page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
        screen.press("Back to the cells")
        screen.page.get_by_role("dialog").wait_for(state="detached")
        return
    screen.page.keyboard.press("p")
    screen.page.get_by_role("slider").wait_for()


def _review(screen: Screen) -> None:
    """Some labels, kept on Diagnose and looked through on Review."""
    page = screen.page
    navigation = page.get_by_role("navigation")
    navigation.get_by_role("link", name="Review").click()
    page.get_by_role("switch", name="Collect what I say on Diagnose").check()
    page.get_by_label("Your name or initials").fill("ada")
    page.get_by_role("textbox", name="Patient").fill("k-0217")
    navigation.get_by_role("link", name="Diagnose").click()
    screen.ready().choose({cell.name: cell.png() for cell in synthetic.generate(24, seed=2)})
    screen.done()
    screen.thumbnails.first.focus()
    for key in "ppppppuuuuuuupppuuuuuu":
        page.keyboard.press(key)
        page.keyboard.press("ArrowRight")
    navigation.get_by_role("link", name="Review").click()
    page.get_by_test_id("told").filter(has_text="22 sent").wait_for()
    screen.thumbnails.nth(1).focus()


def _setup(screen: Screen) -> None:
    """The guided path, in the middle of labelling."""
    page = screen.page
    page.get_by_role("navigation").get_by_role("link", name="My microscope").click()
    screen.ready().choose({cell.name: cell.png() for cell in synthetic.generate(60, seed=4)})
    for number in range(18):
        page.get_by_test_id("labelled").filter(has_text=f"{number} of 60").wait_for()
        page.keyboard.press("u" if number % 3 else "p")


def _go(screen: Screen, path: str) -> None:
    screen.page.goto(urljoin(screen.page.url, path))
    screen.page.get_by_role("heading", level=2).wait_for()


def _training(screen: Screen) -> None:
    _go(screen, "/training")
    screen.choose({"laboratory.zip": _laboratory(80)})
    screen.page.get_by_alt_text("The picture", exact=False).last.wait_for()


def _verdict(screen: Screen) -> None:
    _go(screen, "/training")
    screen.page.get_by_test_id("jobs").get_by_role("link").last.click()
    screen.page.get_by_test_id("rules").wait_for()


def _versions(screen: Screen) -> None:
    _go(screen, "/versions")
    screen.page.get_by_test_id("overtime").locator(".recharts-line").first.wait_for()


def _compare(screen: Screen) -> None:
    told = httpx.get(urljoin(screen.page.url, "/models"), timeout=60).json()["models"]
    _go(screen, f"/versions?compare={told[-1]['version']},{told[0]['version']}")
    screen.page.get_by_test_id("curves").locator(".recharts-line").first.wait_for()


def _learnt(screen: Screen) -> None:
    _go(screen, "/data")
    screen.page.get_by_role("img", name="cells on the feature map").wait_for()


def _own_data(screen: Screen) -> None:
    _go(screen, "/data?of=mine")
    screen.choose({"laboratory.zip": _laboratory(80)})
    screen.page.get_by_test_id("progress").wait_for(state="detached")
    screen.page.get_by_alt_text("Activation map", exact=False).first.wait_for()


def _monitor(screen: Screen) -> None:
    _go(screen, "/monitor?window=1h")
    screen.page.get_by_role("region", name="Latency", exact=True).locator("svg").first.wait_for()


def _laboratory(count: int) -> bytes:
    """A ZIP of made cells in the folders of their classes."""
    return zipped(
        {f"{cell.label.text}/{cell.name}": cell.png() for cell in synthetic.generate(count, seed=6)}
    )


def _retrained(url: str) -> None:
    """Have a retraining come to its verdict. Raises AssertionError where it does not within ten minutes."""
    form = {"file": ("site.zip", _laboratory(360), "application/zip")}
    told = httpx.post(f"{url}/retrain", files=form, data={"method": "adapt"}, timeout=60).raise_for_status()
    deadline = time.monotonic() + 600
    while httpx.get(urljoin(url, told.json()["links"]["self"]), timeout=60).json()["verdict"] is None:
        assert time.monotonic() < deadline, "no verdict"
        time.sleep(1)


SCREENS: dict[str, tuple[Act, tuple[int, int]]] = {
    "diagnose-start": (_start, DESK),
    "diagnose-one": (_single, DESK),
    "diagnose-many": (_many, DESK),
    "diagnose-one-phone": (_single, PHONE),
    "diagnose-many-phone": (_many, PHONE),
    "review": (_review, DESK),
    "setup-label": (_setup, DESK),
    "setup-label-phone": (_setup, PHONE),
    "training": (_training, DESK),
    "training-verdict": (_verdict, DESK),
    "training-verdict-phone": (_verdict, PHONE),
    "versions": (_versions, DESK),
    "versions-compare": (_compare, DESK),
    "versions-phone": (_versions, PHONE),
    "data-learnt": (_learnt, DESK),
    "data-mine": (_own_data, DESK),
    "monitor": (_monitor, DESK),
    "monitor-phone": (_monitor, PHONE),
}


def main(folder: Path) -> None:
    """Write all of them. Raises SystemExit where there is no Chromium."""
    path = chromium.executable()
    if path is None:
        raise SystemExit("Chromium is not on PATH; on Debian: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium.launched(path) as browser:
        server = Server(Path(home), supervised=True).start()
        try:
            _retrained(server.url)
            for name, (act, size) in SCREENS.items():
                for scheme in ("light", "dark"):
                    _write(folder / f"{name}-{scheme}.webp", _picture(browser, server.url, act, size, scheme))
        finally:
            server.stop()


def _picture(browser: Browser, url: str, act: Act, size: tuple[int, int], scheme: str) -> bytes:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        device_scale_factor=2 if size == PHONE else 1,
    )
    page = context.new_page()
    screen = Screen(page, chromium.listen(page, url))
    page.goto(url)
    act(screen.ready())
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    taken = page.screenshot(full_page=size == PHONE and act is _single)
    context.close()
    return taken


def _write(path: Path, taken: bytes) -> None:
    """A tenth of the bytes of a PNG, with no difference to be seen."""
    Image.open(io.BytesIO(taken)).convert("RGB").save(path, quality=88, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
