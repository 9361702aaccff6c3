"""The subject network as it is kept, and how it gets into a served graph: as a branch of its own.

It lies in `subject/` beside the shipped models: the branch as a .tflite of its own, and its manifest.json.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from malaria import branches, codec, shipped, whole
from malaria.domain import ModelVersion, Screen, version_name
from malaria.errors import Damaged
from malaria.lineage import GRAFTED_FROM, alike
from malaria.predict import Model, Scored
from malaria.subject import OUTPUT

FOLDER, FILE, MANIFEST = "subject", "subject.tflite", "manifest.json"
GOLDEN = 16
"""Pictures on which a graft is put to the test."""


@dataclass(frozen=True)
class Branch:
    """content: of the .tflite file. screen: which pictures it takes for a cell."""

    content: bytes
    screen: Screen


def kept(models: Path) -> Branch | None:
    """The subject network that ships; None where none does. Raises Damaged where its files do not agree."""
    folder = models / FOLDER
    if not (folder / MANIFEST).is_file():
        return None
    screen = codec.from_json(Screen, json.loads((folder / MANIFEST).read_text())["screen"])
    content = (folder / FILE).read_bytes()
    if digest_of(content) != screen.network:
        raise Damaged(f"{folder / FILE} is not the file that its {MANIFEST} tells of. Train it again.")
    return Branch(content, screen)


def digest_of(content: bytes) -> str:
    """SHA-256, as versions are named by."""
    return hashlib.sha256(content).hexdigest()


def grafted(tflite: bytes, branch: Branch) -> bytes:
    """The graph with this branch, in place of one that it may have. Raises ModelUnusable."""
    return branches.joined(branches.without(tflite, OUTPUT), branch.content)


def graft_shipped(models: Path, info: ModelVersion, branch: Branch) -> ModelVersion:
    """Give a shipped version this branch, under the name that its new file has; it takes the old one's place.

    What the file answered before stays, bit for bit, which is tried on made pictures; so figures and reports
    of the old file hold for the new one. Returns the version; the same where it has this branch already.

    Raises Damaged where an answer changed.
    """
    old = models / info.version
    content = (old / "model.tflite").read_bytes()
    written = grafted(content, branch)
    digest = digest_of(written)
    if (digest, branch.screen) == (info.digest, info.screen):
        return info
    made = replace(
        info,
        version=version_name(info.created, digest),
        digest=digest,
        size_bytes=len(written),
        screen=branch.screen,
        lineage={**info.lineage, GRAFTED_FROM: [name for name in alike(info) if name != digest]},
    )
    manifest = json.dumps(codec.to_json(made), indent=1) + "\n"
    if made.version == info.version:  # another screen for the same file
        whole.write_text(old / MANIFEST, manifest)
        return made
    check(content, written, made)
    with whole.folder(models / made.version) as partial:
        shutil.copytree(old, partial, dirs_exist_ok=True)
        (partial / "model.tflite").write_bytes(written)
        (partial / MANIFEST).write_text(manifest)
    shipped.record(models, made)
    shutil.rmtree(old)
    return made


def check(before: bytes, after: bytes, info: ModelVersion) -> None:
    """Raise Damaged unless both files answer alike, bit for bit, and the second tells the subject."""
    models = [Model(content, info, interpreters=1) for content in (before, after)]
    rng = np.random.default_rng(0)
    for _ in range(GOLDEN):
        picture = rng.integers(0, 256, (info.input_size, info.input_size, 3), np.uint8)
        old, new = (model.score(picture) for model in models)
        if new.subject is None or _told(old) != _told(new):
            raise Damaged(f"The graft changed what {info.version} answers.")


def _told(scored: Scored) -> tuple[float, bytes, bytes]:
    return scored.probability, scored.activation.tobytes(), scored.embedding.tobytes()
