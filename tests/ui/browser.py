"""Debian's Chromium, driven by Playwright: whatever a test does, nothing foreign may be asked for."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # Chromium refuses to be root with one, and in a container root is who runs it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_DRAWN = """() => new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(done));
    setTimeout(done, 5000);
})"""
"""Two frames later; a browser that draws none where a machine is busy is not waited for without end."""
_MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
    const { transitionDuration, animationName, animationDuration } = getComputedStyle(one);
    const seconds = (list) => Math.max(...list.split(",").map((each) => Number.parseFloat(each)));
    return seconds(transitionDuration) > 0 || animationName !== "none" && seconds(animationDuration) > 0.001;
}).map((one) => one.outerHTML.slice(0, 200))"""
_CLIPPED = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const { overflowX, textOverflow } = getComputedStyle(one);
    const cut = one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1;
    const read = !one.closest("[aria-hidden=true]") && textOverflow !== "ellipsis";
    return cut && read && overflowX === "hidden";
}).map((one) => one.outerHTML.slice(0, 200))"""
WIDTHS = (360, 1440, 3840)
PATIENCE = 180_000
"""Milliseconds; machines that run tests may be slow."""


def executable() -> str | None:
    """Where Chromium lies; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextlib.contextmanager
def launched(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Heard:
    """What a page has said to its console, and what it has asked for elsewhere."""

    home: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(self.home).netloc:
            self.foreign.append(request.url)

    def unexpected(self) -> list[str]:
        """Errors, without those that the browser itself writes of every answer that is none."""
        return [text for text in self.errors if not text.startswith("Failed to load resource")]


def listen(page: Page, home: str) -> Heard:
    heard = Heard(home)
    page.on("console", heard.console)
    page.on("pageerror", lambda error: heard.errors.append(str(error)))
    page.on("request", heard.asked)
    page.set_default_timeout(PATIENCE)
    return heard


def axe(page: Page, source: Path) -> list[str]:
    """What axe finds wrong and calls serious or critical, a line for each place."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(source.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def faults(page: Page, ui: Path, *widths: int) -> list[str]:
    """What is wrong with how a page looks as it stands, in both themes and at these widths, or at usual ones:
    what is wider than the screen, what is cut off, what moves though asked not to, and what axe calls
    serious. The window is then as it was."""
    before, found = page.viewport_size, []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        for width in widths or WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            page.evaluate(_DRAWN)
            told = [f"{overflow(page)} pixels too wide"] if overflow(page) > 0 else []
            told += [f"cut off: {one}" for one in clipped(page)]
            told += [f"moves although asked not to: {one}" for one in page.evaluate(_MOVING)]
            told += axe(page, ui / "node_modules/axe-core/axe.min.js")
            found += [f"{scheme}, {width} pixels: {one}" for one in told]
    page.emulate_media(color_scheme=None, reduced_motion=None)
    if before:
        page.set_viewport_size(before)
    return found


def clipped(page: Page) -> list[str]:
    """What is wider than what shows it, where nobody can scroll to the rest."""
    return list(page.evaluate(_CLIPPED))


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
