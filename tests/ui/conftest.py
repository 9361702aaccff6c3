"""A real server with the real model and the page as it is built; a real browser."""

import os
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from malaria import synthetic
from tests.conftest import REAL_CELLS
from tests.ui import browser as chromium
from tests.ui.screen import Screen
from tests.ui.serving import Server

HERE = Path(__file__).parent
MANY = 200
expect.set_options(timeout=chromium.PATIENCE)
Files = dict[str, bytes]
Open = Callable[..., Screen]


@pytest.hookimpl(tryfirst=True)  # before pytest picks by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is one tier."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.ui)


@pytest.fixture(scope="session")
def ui(root: Path) -> Path:
    """The folder of the page's sources, with what it needs installed, and built."""
    made = subprocess.run([root / "scripts" / "page"], capture_output=True, text=True, check=False)
    if made.returncode and "install Node.js" in made.stderr:
        pytest.skip(made.stderr.strip().splitlines()[-1])
    assert made.returncode == 0, made.stderr
    folder = root / "ui"
    if not (folder / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    path = chromium.executable()
    if path is None:
        pytest.skip("no Chromium on PATH; on Debian: apt-get install chromium")
    with chromium.launched(path) as found:
        yield found


@pytest.fixture(scope="session")
def server(ui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that leave it as it is."""
    with pytest.MonkeyPatch.context() as clean:
        for name in list(os.environ):
            if name.startswith("MALARIA_") and name != REAL_CELLS:
                clean.delenv(name)
        made = Server(tmp_path_factory.mktemp("ui")).start()
    yield made
    made.stop()


@pytest.fixture
def own_server(ui: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Servers of the test's own, by their settings; `supervised=True`: retrainings run there."""
    made: list[Server] = []

    def start(*, supervised: bool = False, **settings: str) -> Server:
        made.append(Server(tmp_path / f"server-{len(made)}", supervised=supervised, **settings))
        return made[-1].start()

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def visit(chrome: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the page as somebody with such a screen would. In the end, what no page may do is looked for."""
    opened: list[Screen] = []

    def go(url: str | None = None, *, path: str = "/", **context: object) -> Screen:
        where = url or request.getfixturevalue("server").url
        fresh = chrome.new_context(**{"viewport": {"width": 1440, "height": 900}, **context})  # type: ignore[arg-type]
        page: Page = fresh.new_page()
        opened.append(Screen(page, chromium.listen(page, where)))
        page.goto(where + path)
        return opened[-1]

    yield go
    for one in opened:
        one.page.context.close()
        assert one.heard.unexpected() == []
        assert one.heard.foreign == []


@pytest.fixture(scope="session")
def cells() -> Files:
    """200 cells: real ones where they are at hand, half of them parasitized, else made ones."""
    named = os.environ.get(REAL_CELLS)
    archive = Path(named or "", "nih-cells-part1.zip")
    if named and archive.exists():
        return _real(archive)
    return {cell.name: cell.png() for cell in synthetic.generate(MANY, seed=3)}


def _real(archive: Path) -> Files:
    found: Files = {}
    with zipfile.ZipFile(archive) as cells:
        for label in ("Parasitized/", "Uninfected/"):
            names = sorted(name for name in cells.namelist() if label in name and not name.endswith("/"))
            found |= {Path(name).name: cells.read(name) for name in names[:: len(names) // 100][:100]}
    return found


@pytest.fixture(scope="session")
def infected() -> bytes:
    """A made cell with a parasite."""
    return next(synthetic.generate(1, seed=5)).png()


@pytest.fixture(scope="session")
def made_cells() -> Files:
    """A dozen made cells, of both classes in turn."""
    return {cell.name: cell.png() for cell in synthetic.generate(12, seed=8)}
