"""The built page is served at its own addresses, and nothing of the API is hidden by it."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from malaria.api import web
from malaria.api.__main__ import main
from malaria.api.app import create_app
from malaria.api.guards import PAGE_POLICY
from tests.api.asking import good, problem
from tests.api.conftest import make
from tests.api.server import client

HOME = "<!DOCTYPE html><title>Cells</title>"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A build: the page, two addresses of its own, a file beside it and one with a name of its content."""
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(HOME)
    (built / "routes.json").write_text(json.dumps(["/", "/diagnose"]))
    (built / "scheme.js").write_text("0;")
    (built / "sw.js").write_text("0;")
    (built / "assets" / "page-1a2b3c.js").write_text("/* long */" * 1000)
    return built


@pytest.fixture
def web_page(page: Path, home: Path, models_dir: Path) -> Iterator[httpx.Client]:
    services, _ = make(home, models_dir, ui=page)
    with client(create_app(services)) as http:
        yield http


@pytest.mark.parametrize("path", ["/", "/diagnose"])
def test_the_page_stands_at_its_own_addresses_and_is_asked_for_anew(
    web_page: httpx.Client, path: str
) -> None:
    answer = web_page.get(path)
    assert answer.text == HOME
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    again = web_page.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code in (200, 304)


def test_no_script_or_style_within_the_page_may_run() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in PAGE_POLICY.split(";"))
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["default-src"] == "'none'" and rules["connect-src"] == "'self'"


def test_files_named_by_their_content_are_kept_for_ever_and_squeezed(web_page: httpx.Client) -> None:
    answer = web_page.get("/assets/page-1a2b3c.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"]
    assert web_page.get("/scheme.js").headers["cache-control"] == "no-cache"
    problem(web_page.get("/assets/page-0.js"), 404, "not-found")


def test_what_keeps_the_page_may_ask_for_its_files_and_no_more(web_page: httpx.Client) -> None:
    policy = web_page.get("/sw.js").headers["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in web_page.get("/scheme.js").headers["content-security-policy"]


def test_the_api_is_as_it_was(web_page: httpx.Client) -> None:
    good(web_page.get("/health"))
    problem(web_page.get("/nothing/here"), 404, "not-found")
    problem(web_page.post("/nothing"), 404, "not-found")
    problem(web_page.get("/predict"), 405, "method-not-allowed")
    problem(web_page.get("/routes.json"), 404, "not-found")
    problem(web_page.get("/assets/../routes.json"), 404, "not-found")
    assert web_page.get("/docs").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/diagnose/", 200), ("/no/such/screen", 404)])
def test_a_browser_that_goes_astray_is_shown_the_page(web_page: httpx.Client, path: str, status: int) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = web_page.get(path, headers=browser)
    assert (answer.status_code, answer.text) == (status, HOME)
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    problem(web_page.get(path), 404, "not-found")
    problem(web_page.post(path, headers=browser), 404, "not-found")
    problem(web_page.get("/routes.json", headers=browser), 404, "not-found")
    problem(web_page.get("/predict", headers=browser), 405, "method-not-allowed")
    problem(web_page.get("/models/20200101-deadbeef", headers=browser), 404, "unknown-version")


def test_a_folder_without_a_page_is_none(tmp_path: Path, page: Path) -> None:
    assert web.folder(tmp_path) is None
    assert web.folder(page) == page


def test_a_sample_is_made_of_cells(http: httpx.Client) -> None:
    answer = http.get("/predict/sample", params={"count": 3, "seed": 5})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as cells:
        pictures = [name for name in cells.namelist() if name.endswith(".png")]
        assert len(pictures) == 3
        assert Image.open(io.BytesIO(cells.read(pictures[0]))).width >= 48
    problem(http.get("/predict/sample", params={"count": 0}), 422, "invalid-request")


def test_the_description_that_the_page_was_made_of_is_the_servers(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main()
    kept = (root / "ui" / "src" / "api" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(capsys.readouterr().out) == json.loads(kept), "run `make ui-types`"
