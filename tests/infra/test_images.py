"""The Dockerfiles, and whether what they install exists as wheels. No image is built here."""

import re
import subprocess
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

FILES = ("functions/api/Dockerfile", "training_job/Dockerfile")
OLDEST, NEWEST = 12, 34
"""glibc 2.x of the wheels that may be installed. The lock file pins every version, so an old tag chooses
nothing old; the newest is below that of Debian trixie, the images' base, and that of Amazon Linux 2023."""
EXTRAS = {"lambda": ("x86_64", "aarch64"), "adapt": ("x86_64",), "train": ("x86_64",), "aws": ("x86_64",)}


@pytest.mark.parametrize("file", FILES)
def test_hadolint_has_nothing_to_say(root: Path, file: str) -> None:
    command = [Path(sysconfig.get_path("scripts")) / "hadolint", root / file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES)
def test_an_image_installs_the_lock_file_and_proves_itself(root: Path, file: str) -> None:
    text = (root / file).read_text()
    syncs = re.findall(r"uv sync .*", text)
    assert len(syncs) == 2
    assert all("--frozen" in one and "--no-default-groups" in one for one in syncs)
    assert "--no-build" in syncs[0], "wheels only: nothing is compiled in an image"
    [pin] = re.findall(r"uv==([\d.]+)", text)
    assert f"pin={pin}\n" in (root / "scripts/uv").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^RUN python3 -", last, re.M), "the finished image is started once"
    assert text.index("ARG BASE=") < text.index("FROM ${BASE}")


def test_the_training_image_is_started_without_a_shell(root: Path) -> None:
    """SageMaker adds `train`, and ECS the job's id; a shell would swallow the signal to stop."""
    assert 'ENTRYPOINT ["python3", "-m", "training_job"]' in (root / FILES[1]).read_text()
    assert 'ENTRYPOINT ["python3", "-m", "awslambdaric"]' in (root / FILES[0]).read_text()


def test_only_what_the_images_need_is_sent_to_the_builder(root: Path) -> None:
    lines = [
        one for one in (root / ".dockerignore").read_text().splitlines() if one and not one.startswith("#")
    ]
    assert lines[0] == "*"
    sent = {one[1:] for one in lines if one.startswith("!")}
    copied = {
        word
        for file in FILES
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", (root / file).read_text(), re.M)
        for word in line.split()
    }
    assert copied == sent


@pytest.mark.parametrize(("extra", "machine"), [(e, m) for e, machines in EXTRAS.items() for m in machines])
def test_every_package_has_a_wheel_for_the_images_python(root: Path, extra: str, machine: str) -> None:
    wanted, lacking = set(_tags(machine)), []
    packages = _installed(tomllib.loads((root / "uv.lock").read_text()), extra, machine)
    assert len(packages) > 5
    for package in packages:
        wheels = [wheel["url"].rpartition("/")[2] for wheel in package.get("wheels", ())]
        if not any(parse_wheel_filename(wheel)[3] & wanted for wheel in wheels):
            lacking.append((package["name"], package["version"]))
    assert lacking == []


def test_serving_installs_neither_tensorflow_nor_scipy(root: Path) -> None:
    lock = tomllib.loads((root / "uv.lock").read_text())
    served = {package["name"] for package in _installed(lock, "lambda", "x86_64")}
    assert {"ai-edge-litert", "awslambdaric", "mangum", "fastapi"} <= served
    assert not {"tensorflow", "tensorflow-cpu", "scipy", "scikit-learn"} & served
    trained = {package["name"] for package in _installed(lock, "train", "x86_64")}
    assert "tensorflow-cpu" in trained
    assert "tensorflow" not in trained, "the CPU's own build is half the size"


def _tags(machine: str) -> Iterator[Tag]:
    """All tags at once: a single one would quietly choose a package that was made years ago."""
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST, OLDEST - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"linux_{machine}"]
    yield from cpython_tags((3, 13), platforms=platforms)
    yield from compatible_tags((3, 13), "cp313", platforms=platforms)


def _installed(lock: dict[str, Any], extra: str, machine: str) -> list[dict[str, Any]]:
    """The packages that an extra installs on Linux, with Python 3.13, as the lock file pins them."""
    known: dict[str, list[dict[str, Any]]] = {}
    for package in lock["package"]:
        known.setdefault(package["name"], []).append(package)
    [own] = known["malaria"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    asked = [*own["dependencies"], *own["optional-dependencies"][extra]]
    while asked:
        one = asked.pop()
        if "marker" in one and not _holds(one["marker"], extra, machine):
            continue
        for package in known[one["name"]]:
            if "version" in one and package["version"] != one["version"]:
                continue
            if package["name"] == "malaria":
                asked += [d for e in one.get("extra", ()) for d in own["optional-dependencies"][e]]
                continue
            key = (package["name"], package["version"])
            more = [
                d for e in one.get("extra", ()) for d in package.get("optional-dependencies", {}).get(e, ())
            ]
            asked += more if key in found else [*package.get("dependencies", ()), *more]
            found[key] = package
    return list(found.values())


def _holds(marker: str, extra: str, machine: str) -> bool:
    """uv writes the project's own extras into markers as names: extra-7-malaria-lambda."""
    parts = {"lambda": ("lambda", "serve", "api", "aws"), "train": ("train", "adapt")}.get(extra, (extra,))
    environment = {
        "python_version": "3.13",
        "python_full_version": "3.13.5",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return any(Marker(marker).evaluate({**environment, "extra": f"extra-7-malaria-{one}"}) for one in parts)
