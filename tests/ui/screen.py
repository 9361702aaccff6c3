"""The page as a person meets it: what they bring, press and read."""

import base64
import io
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page

from tests.ui.browser import PATIENCE, Heard

_BRING = """async ([files, how]) => {
  const moved = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    moved.items.add(new File([bytes], name, { type: 'image/png' }));
  }
  if (how === 'paste') {
    window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: moved }));
    return;
  }
  for (const type of ['dragenter', 'dragover', 'drop']) {
    const under = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
    under.dispatchEvent(new DragEvent(type, { dataTransfer: moved, bubbles: true, cancelable: true }));
    await new Promise((done) => setTimeout(done, 300));
  }
}"""
"""A drop is in the middle of the window, on whatever lies there by then."""


@dataclass
class Screen:
    page: Page
    heard: Heard

    def ready(self) -> "Screen":
        self.page.get_by_test_id("files").wait_for(state="attached")
        return self

    def choose(self, files: Mapping[str, bytes]) -> None:
        """By the button for files."""
        given = [FilePayload(name=name, mimeType=_kind(name), buffer=data) for name, data in files.items()]
        self.page.get_by_test_id("files").set_input_files(given)

    def choose_folder(self, folder: Path) -> None:
        self.page.get_by_test_id("folder").set_input_files(folder)

    def drop(self, files: Mapping[str, bytes]) -> None:
        self._bring(files, "drop")

    def paste(self, files: Mapping[str, bytes]) -> None:
        self._bring(files, "paste")

    def _bring(self, files: Mapping[str, bytes], how: str) -> None:
        coded = [[name, base64.b64encode(data).decode()] for name, data in files.items()]
        self.page.evaluate(_BRING, [coded, how])

    @property
    def verdict(self) -> Locator:
        return self.page.get_by_test_id("verdict")

    @property
    def headline(self) -> Locator:
        return self.page.get_by_test_id("headline")

    @property
    def thumbnails(self) -> Locator:
        return self.page.locator("button[id^=cell-]")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def done(self) -> None:
        """Until all cells are answered."""
        self.headline.wait_for()
        self.page.get_by_test_id("progress").wait_for(state="detached", timeout=2 * PATIENCE)

    def state(self, wanted: str) -> None:
        """Until the run is `wanted`: running, paused, stalled or cancelled."""
        self.page.locator(f"[data-testid=progress][data-state={wanted}]").wait_for()

    def count(self, standing: str) -> int:
        """Of the summary; 0 where it does not tell."""
        found = self.page.get_by_test_id(f"count-{standing}")
        return int(found.inner_text().replace(",", "")) if found.count() else 0

    def wait(self, expression: str) -> None:
        """Until it is true. Playwright's own waiting has the page evaluate text, which its policy forbids."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(20)

    def download(self, kind: str) -> str:
        """The text of an export: "Table (CSV)" or "JSON"."""
        self.page.get_by_role("button", name="Download").click()
        with self.page.expect_download() as coming:
            self.page.get_by_role("menuitem", name=kind).click()
        return Path(coming.value.path()).read_text(encoding="utf-8-sig")


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _kind(name: str) -> str:
    return {"zip": "application/zip", "txt": "text/plain"}.get(name.rpartition(".")[2], "image/png")
