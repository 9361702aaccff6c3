"""Train the subject network and lay it out as it ships: `malaria subject train`."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image

from malaria import branches, codec, preprocess, provenance, synthetic, whole
from malaria.corruptions import SUITE, Corruption
from malaria.digests import sha256
from malaria.domain import Progress, Role, Screen
from malaria.grafting import FILE, MANIFEST
from malaria.memory import BASE
from malaria.ports import Report
from malaria.predict import interpreter
from malaria.preprocess import Pixels
from malaria.subject import OUTPUT, SIDE, Subject, choose, screened
from malaria.training import dataset, fit, subject_network, subject_pictures
from malaria.training.dataset import CellArrays, Layout, Part, Source
from malaria.training.laboratories import Laboratory
from malaria.training.mixture import Mixture, mixture
from malaria.training.plan import hold_to
from malaria.training.recipe import Changes, Recipe, Shares, Stage
from malaria.training.subject_pictures import DRAWN

SHARES = Shares(plain=1.0, surrounded=0.6, laboratories=0.8, masked=0.3, restained=0.6)
"""Of the pictures of cells."""
RECIPE = Recipe(
    network="subject",
    stages=(Stage(SIDE, 10),),
    batch_size=64,
    learning_rate=3e-3,
    warmup_steps=200,
    changes=Changes(strength=0.35, tint=0.25, light=0.15),
)
"""Stain and light vary far, so that another laboratory's are no novelty."""
VERSION = 3
"""Of the making of pictures; a cache of another version is made anew."""


@dataclass(frozen=True)
class Sizes:
    """How many pictures are made, shown and checked on.

    learnt: cells of each laboratory from which pictures are made. cells, synthetic, others: pictures of
    cells, of synthetic ones, and of every other subject. checked: of every other subject, to check on.
    epoch: pictures of cells, and of every other subject, in an epoch.
    """

    learnt: int = 4_000
    cells: int = 15_400
    synthetic: int = 600
    others: int = 4_000
    checked: int = 600
    epoch: tuple[int, int] = (10_000, 2_500)


@dataclass(frozen=True)
class SubjectPlan:
    """data: ZIPs or folders of cells by patients. laboratories: fields by the name of their set. roles: of
    patients and fields ("set/field"). out: folder for the network and its manifest. run: of checkpoints.
    command: how a person asked."""

    data: Sequence[Path]
    laboratories: Mapping[str, Path]
    roles: Mapping[str, Role]
    out: Path
    run: Path
    cache: Path
    command: str
    recipe: Recipe = RECIPE
    sizes: Sizes = Sizes()

    def inputs(self) -> dict[str, Any]:
        """What decides the weights beside the code, with the SHA-256 of every file."""
        return {
            "recipe": codec.to_json(self.recipe),
            "shares": codec.to_json(SHARES),
            "sizes": codec.to_json(self.sizes),
            "data": {path.name: sha256(path) for path in self.data},
            "laboratories": {name: sha256(path) for name, path in self.laboratories.items()},
        }


def train(plan: SubjectPlan, now: datetime, report: Report) -> dict[str, Any]:
    """Train on training patients and fields, choose the screen on validation ones, write `plan.out`.

    Returns the manifest. A stopped run goes on from its last epoch. Raises Conflict where the run folder is
    of another recipe or other data, and BadLayout where a source holds no labelled pictures.
    """
    made_of = plan.inputs()
    hold_to(plan.run / "training.json", made_of, "a run of another recipe or of other data")
    laboratories = [Laboratory(path, name, plan.roles) for name, path in plan.laboratories.items()]
    sources: list[Source] = [*(Layout(path, plan.roles) for path in plan.data), *laboratories]
    cells = dataset.load(sources, DRAWN, plan.cache, report)
    learnt, checked = _shown(plan, cells, laboratories, sources, report)
    keras.utils.set_random_seed(plan.recipe.seed)
    network = fit.fit(
        subject_network.build(),
        plan.recipe,
        lambda _: learnt,
        lambda _: checked,
        plan.run,
        report,
        subject_network.goal(),
    )
    plan.out.mkdir(parents=True, exist_ok=True)
    subject_network.export(network, plan.out / FILE)
    screen, told = _measured(plan.out / FILE, cells.of(Role.VALIDATION), checked, report)
    manifest = {
        "created": now.isoformat(),
        "command": plan.command,
        "size_bytes": (plan.out / FILE).stat().st_size,
        "weights": network.count_params(),
        "screen": codec.to_json(screen),
        "validation": told,
        "pictures": {s.name.lower(): len(p.labels) for s, p in zip(Subject, learnt.parts, strict=True)},
        **made_of,
        "project": provenance.running(),
        "packages": provenance.packages(fit.PACKAGES),
        "machine": provenance.machine(),
    }
    whole.write_text(plan.out / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    return manifest


def _shown(
    plan: SubjectPlan,
    cells: CellArrays,
    laboratories: Sequence[Laboratory],
    sources: Sequence[Source],
    report: Report,
) -> tuple[Mixture, Part]:
    """What is learnt from, and what is checked on; made once and kept."""
    seed, sizes = plan.recipe.seed, plan.sizes
    told = [VERSION, seed, codec.to_json(SHARES), codec.to_json(sizes), *(source.key for source in sources)]
    kept = plan.cache / f"subject-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}.npz"
    if not kept.exists():
        some = _some(cells.of(Role.TRAIN), sizes.learnt, seed)
        shares = replace(SHARES, epoch_cells=sizes.cells)
        mixed = mixture(some, shares, seed, plan.cache, report)(DRAWN).epoch(seed).pixels
        made = [preprocess.to_square(c.image, DRAWN) for c in synthetic.generate(sizes.synthetic, seed)]
        shown = np.concatenate([mixed, np.array(made, np.uint8).reshape(-1, *mixed.shape[1:])])
        learnt = subject_pictures.pictures(shown, laboratories, Role.TRAIN, sizes.others, seed, report)
        own = np.asarray(_some(cells.of(Role.VALIDATION), sizes.learnt, seed).pixels)
        checked = subject_pictures.pictures(
            own, laboratories, Role.VALIDATION, sizes.checked, seed + 1, report
        )
        with whole.file(kept) as partial:
            np.savez(partial, **_named("learnt", learnt), **_named("checked", checked))
    with np.load(kept) as held:
        parts = {name: [_part(held, name, s) for s in Subject] for name in ("learnt", "checked")}
    of_cells, of_others = sizes.epoch
    counts = tuple(of_cells if subject == Subject.CELL else of_others for subject in Subject)
    pixels, labels = ([getattr(p, of) for p in parts["checked"]] for of in ("pixels", "labels"))
    return Mixture(tuple(parts["learnt"]), counts), Part(np.concatenate(pixels), np.concatenate(labels))


def _some(cells: CellArrays, most: int, seed: int) -> CellArrays:
    """At most so many cells of each laboratory, drawn."""
    rng = np.random.default_rng((seed, 6))
    rows = [rng.permutation(np.flatnonzero(cells.origins == o))[:most] for o in np.unique(cells.origins)]
    return cells.where(np.sort(np.concatenate(rows)))


def _named(name: str, pictures: Mapping[Subject, Pixels]) -> dict[str, Pixels]:
    return {f"{name}-{subject.name}": pixels for subject, pixels in pictures.items()}


def _part(held: Mapping[str, Pixels], name: str, subject: Subject) -> Part:
    pixels = held[f"{name}-{subject.name}"]
    return Part(pixels, np.full(len(pixels), subject, np.float32))


def _measured(file: Path, cells: CellArrays, checked: Part, report: Report) -> tuple[Screen, dict[str, Any]]:
    """The screen, and what it does with validation cells and with the pictures of every other subject."""
    said = _asked(file, report)
    laboratories = {
        "nih" if origin == BASE else str(origin).removeprefix(f"{BASE}:"): cells.where(
            cells.origins == origin
        )
        for origin in np.unique(cells.origins)
    }
    of_cells = {name: said(own.pixels, name) for name, own in laboratories.items()}
    disturbed = {
        f"{name}, {of.kind} {of.setting}": said(_disturbed(own.pixels, of), f"{name}, {of.kind} {of.setting}")
        for name, own in laboratories.items()
        for of in SUITE
    }
    others = {
        subject.name.lower(): said(_doubled(checked.pixels[checked.labels == subject]), subject.name.lower())
        for subject in Subject
        if subject != Subject.CELL
    }
    screen = choose(of_cells, disturbed.values(), sha256(file))

    def told(p: npt.NDArray[np.float64]) -> dict[str, float]:
        refused, reviewed = screened(p, screen)
        return {"pictures": len(p), "refused": refused, "reviewed": reviewed}

    return screen, {name: told(p) for name, p in {**of_cells, **others, **disturbed}.items()}


def _asked(file: Path, report: Report) -> Callable[[Iterable[Pixels], str], npt.NDArray[np.float64]]:
    """What gives the P(cell) of pictures, (n,), as the file tells it."""
    runner = interpreter(file.read_bytes()).get_signature_runner(branches.SIGNATURE.decode())

    def said(pixels: Iterable[Pixels], name: str) -> npt.NDArray[np.float64]:
        found = list[float]()
        for one in pixels:
            found.append(float(runner(image=one[np.newaxis])[OUTPUT][0, Subject.CELL]))
            if len(found) % 256 == 0:
                report(Progress("screen", message=f"{name}, {len(found):,}"))
        return np.array(found)

    return said


def _disturbed(pixels: Iterable[Pixels], of: Corruption) -> Iterator[Pixels]:
    view = of.view(0)
    for one in pixels:
        yield preprocess.to_square(view(Image.fromarray(np.asarray(one))), DRAWN)


def _doubled(pixels: Pixels) -> Pixels:
    """As large as a classifier's picture; halved, it is what it was."""
    return np.asarray(pixels.repeat(2, axis=1).repeat(2, axis=2), np.uint8)
