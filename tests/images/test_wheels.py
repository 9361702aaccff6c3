"""What the functions' image installs exists as wheels for both processors, and its libraries find in the base
what they were linked against: an image for ARM cannot be run on every machine, but be read on any."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tests.images.buildah import extract
from tests.infra.test_images import FILES, NEWEST

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""As Python and as Debian call them."""
OF_LITERT = {"GLIBC", "GLIBCXX"}

Versions = dict[str, set[str]]
"""Versions of symbols, such as GLIBCXX_3.4.30, by the library that has them."""


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    lacking = [one for one in ("mmdebstrap", "readelf") if shutil.which(one) is None]
    if lacking:
        pytest.skip(f"libraries are read with {lacking} (apt-get install mmdebstrap binutils)")
    return str(request.param)


@pytest.fixture(scope="module")
def installed(root: Path, machine: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that the lock file pins for this machine, by their hashes, as wheels only. A wheel for any
    glibc up to that of the image may be chosen, since the pins leave no older version to choose."""
    into = tmp_path_factory.mktemp("wheels")
    uv = str(root / "scripts" / "uv")
    synced = re.findall(r"uv sync .*", (root / FILES[0]).read_text())[-1]
    extras = [word for name in re.findall(r"--extra (\S+)", synced) for word in ("--extra", name)]
    asked = [uv, "export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", *extras]
    _done([*asked, "--output-file", str(into / "pins.txt")], root)
    platform = ["--python-platform", f"{machine}-manylinux_2_{NEWEST}", "--python-version", "3.13"]
    exact = ["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", str(into / "pins.txt")]
    _done([uv, "pip", "install", "--quiet", "--target", str(into / "packages"), *platform, *exact], root)
    return into / "packages"


@pytest.fixture(scope="module")
def base(machine: str, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """What the libraries of the base's release of Debian offer on this machine."""
    root = tmp_path_factory.mktemp("base") / "root"
    extract(root, "libc6,libstdc++6", "extract", MACHINES[machine])
    offered: Versions = {}
    for path in root.glob("usr/lib/*-linux-gnu*/lib*.so.*"):
        offered.setdefault(path.name, set()).update(_named(path, "definition"))
    return {name: versions for name, versions in offered.items() if versions}


def test_every_library_finds_in_the_base_what_it_needs(installed: Path, base: Versions) -> None:
    lacking = [
        f"{path.relative_to(installed)} needs {version} of {library}"
        for path in _libraries(installed)
        for library, versions in _needs(path).items()
        for version in sorted(versions - base.get(library, versions))
    ]
    assert lacking == []


def test_litert_was_looked_at(installed: Path, base: Versions, machine: str) -> None:
    """Else nothing lacking would say nothing."""
    needs: Versions = defaultdict(set)
    for path in _libraries(installed / "ai_edge_litert"):
        for library, versions in _needs(path).items():
            needs[library] |= versions
    assert {"libc.so.6", "libstdc++.so.6"} <= needs.keys() & base.keys()
    kinds = {version.partition("_")[0] for library in base for version in needs.get(library, ())}
    assert kinds >= OF_LITERT
    (header,) = set(_machines(installed / "ai_edge_litert"))
    assert {"x86_64": "X86-64", "aarch64": "AArch64"}[machine] in header


def _libraries(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*.so*") if path.read_bytes()[:4] == b"\x7fELF")
    assert found, f"{folder} holds no library"
    return found


def _machines(folder: Path) -> list[str]:
    told = [_done(["readelf", "--file-header", str(path)]) for path in _libraries(folder)]
    return [found for text in told for found in re.findall(r"Machine:\s+(.*)", text)]


def _needs(path: Path) -> Versions:
    """Versions of symbols that a library asks others for."""
    needed: Versions = defaultdict(set)
    for part in _section(path, "needs").split("File: ")[1:]:
        needed[part.split()[0]].update(_names(part))
    return needed


def _named(path: Path, section: str) -> set[str]:
    return _names(_section(path, section))


def _names(text: str) -> set[str]:
    return set(re.findall(r"Name: (\S+)", text))


def _section(path: Path, kind: str) -> str:
    """What readelf says of the versions that a library 'needs', or has a 'definition' of."""
    sections = _done(["readelf", "--version-info", "--wide", str(path)]).split("\nVersion ")
    return "".join(one for one in sections if one.startswith(f"{kind} section"))


def _done(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stderr[-3000:]}"
    return done.stdout
