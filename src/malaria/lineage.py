"""The story in a version's manifest as steps: what each training was made of, to the SHA-256 of each file."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from malaria.domain import Method, ModelVersion

TRAINED, JOINED, EXPORTED = "train", "join", "export"
RETRAINED = (Method.ADAPT.value, Method.FULL.value)
DERIVED = (*RETRAINED, EXPORTED)
"""Methods that go on from a parent; the others begin with `malaria train`."""
GRAFTED_FROM = "grafted_from"
"""In a story: SHA-256 of the files that a version had before another subject network was grafted onto it."""
CAME_WITH = "came_with"
"""In a story that tells no commit of the code: the commit with which the version came into the project."""

_KINDS = {
    "data": "data",
    "held-out": "data",
    "laboratory": "laboratories",
    "without": "without",
    "doubted": "doubted",
}
"""Where a manifest lists the files of each option of `malaria train`."""


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
    def fitted_by(self) -> Sequence[Mapping[str, Any]]:
        """What fitted the epochs from each `from_epoch` on; empty where it was not recorded."""
        return self.story.get("fitted_by") or ()

    @property
    def came_with(self) -> str | None:
        """The commit with which it came into the project, where that of the code was not recorded."""
        return self.story.get(CAME_WITH)

    @property
    def members(self) -> list[Mapping[str, str]]:
        return list(self.story.get("members") or [])

    def inputs(self) -> list[tuple[str, str]]:
        """Option and name of what it read, in the order in which it was read.

        Older manifests tell it in the command alone: in the store the names of a mapping are sorted.
        """
        told = self.story.get("inputs")
        if told is not None:
            return [(str(option), str(name)) for option, name in told]
        words = pairwise(_words(str(self.story.get("command", ""))))
        asked = [(word[2:], value) for word, value in words if word.startswith("--") and word[2:] in _KINDS]
        order = list(_KINDS)
        named = [(option, _name(option, value)) for option, value in asked]
        return sorted(named, key=lambda one: order.index(one[0]))

    def files(self) -> list[File]:
        """Every file that it read, in the order of reading; its start and its teacher are versions."""
        hashes = {kind: dict(self.story.get(kind) or {}) for kind in _KINDS.values()}
        found = [
            File(option, name, hashes[_KINDS[option]].pop(name))
            for option, name in self.inputs()
            if name in hashes[_KINDS[option]]
        ]
        for option, kind in _KINDS.items():
            found += [File(option, name, sha256) for name, sha256 in hashes[kind].items()]
            hashes[kind] = {}
        backbone = self.story.get("backbone_weights")
        return [*found, *([File("backbone-weights", "", backbone)] if backbone else [])]


def steps(info: ModelVersion) -> list[Step]:
    """The trainings that led to a version, the first one first; of one that has a parent only the last."""
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


def _name(option: str, value: str) -> str:
    """The name by which a manifest knows what stands behind an option: the set's, or the file's."""
    return value.partition("=")[0] if option == "laboratory" else PurePosixPath(value).name


def _words(command: str) -> list[str]:
    """The words of a command line; `--data=x` is two."""
    try:
        words = shlex.split(command)
    except ValueError:  # no command line
        return []
    return [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]


def alike(info: ModelVersion) -> list[str]:
    """SHA-256 of the files that answer as this version's does, bit for bit, but for what a picture shows: its
    own first, then those that it had before a graft."""
    return [info.digest, *(str(digest) for digest in info.lineage.get(GRAFTED_FROM) or [])]
