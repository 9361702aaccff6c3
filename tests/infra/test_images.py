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
IMAGES = [
    (FILES[0], "", "x86_64"),
    (FILES[0], "", "aarch64"),
    (FILES[1], "adapt", "x86_64"),
    (FILES[1], "train", "x86_64"),
]
"""Each with the build argument EXTRA, and the machine."""
NEEDS = {
    "": {
        "awslambdaric",
        "mangum",
        "aws-lambda-powertools",
        "boto3",
        "fastapi",
        "itsdangerous",
        "ai-edge-litert",
    },
    "adapt": {"boto3", "ai-edge-litert", "scipy", "scikit-learn", "obstore"},
    "train": {"boto3", "ai-edge-litert", "scipy", "scikit-learn", "obstore", "tensorflow-cpu", "matplotlib"},
}
TOO_MUCH = {
    "": {"tensorflow", "tensorflow-cpu", "scipy", "scikit-learn", "moto", "pytest", "aws-cdk-lib"},
    "adapt": {"tensorflow", "tensorflow-cpu", "pytest"},
    "train": {"tensorflow", "pytest"},  # the build for processors alone is half the size
}


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


@pytest.mark.parametrize(("file", "extra", "machine"), IMAGES)
def test_every_package_has_a_wheel_for_the_images_python(
    root: Path, file: str, extra: str, machine: str
) -> None:
    wanted = set(_tags(machine))
    lacking = [
        f"{package['name']} {package['version']}"
        for package in _installed(root, file, extra, machine)
        if not any(
            parse_wheel_filename(wheel["url"].rpartition("/")[2])[3] & wanted
            for wheel in package.get("wheels", ())
        )
    ]
    assert lacking == []


@pytest.mark.parametrize(("file", "extra", "machine"), IMAGES)
def test_an_image_gets_what_it_runs_on_and_no_more(root: Path, file: str, extra: str, machine: str) -> None:
    names = {package["name"] for package in _installed(root, file, extra, machine)}
    assert NEEDS[extra] <= names
    assert not TOO_MUCH[extra] & names


def _tags(machine: str) -> Iterator[Tag]:
    """All tags at once: a single one would quietly choose a package that was made years ago."""
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST, OLDEST - 1, -1)]
    platforms += [f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"linux_{machine}"]
    yield from cpython_tags((3, 13), platforms=platforms)
    yield from compatible_tags((3, 13), "cp313", platforms=platforms)


def _installed(root: Path, file: str, extra: str, machine: str) -> list[dict[str, Any]]:
    """The packages that an image installs with Python 3.13, as the lock file pins them.

    Only extras that the Dockerfile itself names count where a marker asks for one, as uv reads its lock file.
    """
    command = re.findall(r"uv sync .*", (root / file).read_text())[-1].replace("${EXTRA}", extra)
    extras = re.findall(r"--extra \"?([a-z-]+)", command)
    known: dict[str, list[dict[str, Any]]] = {}
    for package in tomllib.loads((root / "uv.lock").read_text())["package"]:
        known.setdefault(package["name"], []).append(package)
    [own] = known["malaria"]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    asked = [*own["dependencies"], *(one for name in extras for one in own["optional-dependencies"][name])]
    while asked:
        one = asked.pop()
        if "marker" in one and not _holds(one["marker"], extras, machine):
            continue
        for package in known[one["name"]]:
            if package["version"] == one.get("version", package["version"]):
                key = (package["name"], package["version"])
                asked += () if key in found else package.get("dependencies", ())
                asked += [
                    d for e in one.get("extra", ()) for d in package["optional-dependencies"].get(e, ())
                ]
                found[key] = package
    return list(found.values())


def _holds(marker: str, extras: list[str], machine: str) -> bool:
    """uv writes the project's own extras into markers as names: extra-7-malaria-lambda."""
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
    names = [f"extra-7-malaria-{one}" for one in extras]
    return any(Marker(marker).evaluate({**environment, "extra": name}) for name in names)
