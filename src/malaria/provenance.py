"""Which code ran, with which packages, on what kind of machine: what a training needs told to be repeated."""

import functools
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTION = "malaria"
HERE = Path(__file__).resolve().parent


@functools.cache
def running() -> dict[str, Any]:
    """`project`, as it was when this process first asked. To be asked as work begins: what lies in a checkout
    when a long training ends need not be what ran."""
    return project()


def project(package: Path = HERE) -> dict[str, Any]:
    """Version and commit of the code in the folder `package`, and whether it was changed since that commit.

    The commit is git's where the code lies in a checkout, else what the installer wrote down; None where
    neither knows it.
    """
    try:
        installed = metadata.distribution(DISTRIBUTION)
        version, told = installed.version, installed.read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        version, told = None, None
    checkout = package.parents[1]
    if (checkout / ".git").exists():
        commit = _git(checkout, "rev-parse", "HEAD")
        changes = _git(checkout, "status", "--porcelain", "--untracked-files=no", "--", str(package))
        return {"version": version, "commit": commit or None, "changed": bool(changes)}
    fetched = (json.loads(told or "{}").get("vcs_info") or {}).get("commit_id")
    return {"version": version, "commit": fetched, "changed": False}


def packages(names: Iterable[str]) -> dict[str, str]:
    """The versions of Python and of those of the packages that are installed."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """System, processor and cores: sums in floating point are split by core, so they may differ a little."""
    return {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()}


def _git(checkout: Path, *words: str) -> str:
    """What git says; "" where there is no git or it refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(checkout), *words], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
