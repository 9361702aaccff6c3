"""The story in a version's manifest as steps: what each training was made of, to the SHA-256 of each file."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from malaria.domain import Method, ModelVersion

TRAINED, JOINED = "train", "join"
RETRAINED = (Method.ADAPT.value, Method.FULL.value)
"""Methods that go on from a parent; the others begin with `malaria train`."""

_OPTIONS = {"data": "data", "laboratories": "laboratory", "without": "without", "doubted": "doubted"}


@dataclass(frozen=True, slots=True)
class File:
    """One file or folder that a training read. option: of `malaria train`, without its dashes. name: the
    file's, of fields the set's, "" where none is recorded."""

    option: str
    name: str
    sha256: str

    @property
    def told(self) -> str:
        """What to call it: `part1.zip`, `the fields of chula`, `the backbone weights`."""
        if self.option == "laboratory":
            return f"the fields of {self.name}"
        return self.name or f"the {self.option.replace('-', ' ')}"


@dataclass(frozen=True)
class Step:
    """One training. story: its lineage. Whatever an older manifest does not tell is None or empty."""

    version: str
    digest: str
    story: Mapping[str, Any]

    @property
    def method(self) -> str:
        return str(self.story.get("method", ""))

    @property
    def recipe(self) -> Mapping[str, Any]:
        return self.story.get("recipe") or {}

    @property
    def packages(self) -> Mapping[str, str]:
        return self.story.get("packages") or {}

    @property
    def project(self) -> Mapping[str, Any]:
        """Version and commit of the code; empty where they were not recorded."""
        return self.story.get("project") or {}

    @property
    def members(self) -> list[Mapping[str, str]]:
        return list(self.story.get("members") or [])

    @property
    def held_out(self) -> frozenset[str]:
        """Names of the data whose patients were only measured on; older manifests tell it in the command."""
        told = self.story.get("held_out")
        if told is None:
            words = _words(str(self.story.get("command", "")))
            told = [name for option, name in pairwise(words) if option == "--held-out"]
        return frozenset(map(str, told))

    def files(self) -> list[File]:
        """Every file that it read, in the order of its data; its start and its teacher are versions."""
        found = []
        for kind, option in _OPTIONS.items():
            for name, sha256 in (self.story.get(kind) or {}).items():
                held = kind == "data" and name in self.held_out
                found.append(File("held-out" if held else option, name, sha256))
        backbone = self.story.get("backbone_weights")
        return [*found, *([File("backbone-weights", "", backbone)] if backbone else [])]


def steps(info: ModelVersion) -> list[Step]:
    """The trainings that led to a version, the first one first; of a retrained version only the last."""
    story: Mapping[str, Any] | None = info.lineage
    found, version, digest = list[Step](), info.version, info.digest
    while story:
        found.append(Step(version, digest, story))
        story = story.get("begun_from")
        version, digest = str((story or {}).get("version", "")), str((story or {}).get("digest", ""))
    return found[::-1]


def files_of(those: Iterable[Step]) -> list[File]:
    """Every file that these trainings read, each once."""
    return list(dict.fromkeys(file for step in those for file in step.files()))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # no command line
        return []
