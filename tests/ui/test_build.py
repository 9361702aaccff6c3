"""The build: its weight, its types, its own tests, and that it names nobody else."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from malaria.api.guards import PAGE_POLICY
from tests.ui.conftest import Open

FIRST_LOAD = 200_000
"""Bytes of compressed script until Diagnose can be used."""


def _npm(ui: Path, script: str) -> None:
    _done(ui, "npm", "run", "--silent", script)


def _done(ui: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=ui, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


_FETCHED = """() => {
  const scripts = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'));
  const screen = scripts.find(({ name }) => name.includes('/Diagnose-'));
  return scripts
    .filter(({ startTime }) => startTime < screen.responseEnd + 1400)
    .map(({ name, encodedBodySize }) => [name, encodedBodySize]);
}"""
"""Scripts as they came over the wire, without what is fetched ahead a second and a half after the screen."""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_first_load_of_diagnose_is_light(visit: Open, language: str) -> None:
    screen = visit(locale=language, service_workers="block").ready()
    weights: dict[str, int] = dict(screen.page.evaluate(_FETCHED))
    assert len(weights) >= 20 and all(weights.values())
    assert sum(weights.values()) <= FIRST_LOAD, f"{sum(weights.values()):,} bytes"


def test_style_and_types_are_right(ui: Path) -> None:
    _npm(ui, "check")


def test_its_logic_is_right(ui: Path) -> None:
    _npm(ui, "test")


def test_its_types_are_those_of_the_api(ui: Path, tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    writer = ui / "node_modules/.bin/openapi-typescript"
    _done(ui, str(writer), "src/api/openapi.json", "--output", str(made))
    assert made.read_text() == (ui / "src/api/schema.d.ts").read_text(), "run `make ui-types`"


def test_the_lock_pins_every_package_and_names_no_registry(ui: Path) -> None:
    lock = json.loads((ui / "package-lock.json").read_text())
    packages = {name: told for name, told in lock["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, told in packages.items() if "resolved" in told or "integrity" not in told] == []
    wanted = json.loads((ui / "package.json").read_text())
    pinned = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert [version for version in pinned if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_the_page_carries_the_servers_policy_where_nobody_sends_it(ui: Path) -> None:
    page = (ui / "dist/index.html").read_text()
    told = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]*)"', page)
    assert told is not None
    framed = "; frame-ancestors 'none'"  # holds as a header alone
    assert told[1] == PAGE_POLICY.removesuffix(framed) != PAGE_POLICY
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|https?://", page)
