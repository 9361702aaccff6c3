"""Repeating a training from its manifest: which steps it took, and whether the files are the same.

The steps are run by `malaria.training.rerun`; what stands here needs no TensorFlow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from malaria.at_hand import AtHand
from malaria.digests import sha256
from malaria.domain import ModelVersion
from malaria.errors import BadOptions
from malaria.lineage import EXPORTED, JOINED, RETRAINED, TRAINED, File, Step, alike, steps

MODEL, WEIGHTS = "model.tflite", "network.keras"


@dataclass(frozen=True)
class Task:
    """One step to run. begun_from: the name of the task that it goes on from. members: of an ensemble, each a
    version that is at hand, or the name of the task that trains it anew. teacher: a version at hand."""

    step: Step
    begun_from: str | None = None
    members: tuple[ModelVersion | str, ...] = ()
    teacher: ModelVersion | None = None

    @property
    def name(self) -> str:
        return self.step.version


@dataclass(frozen=True)
class Given:
    """A file that a person named. option: of the command line, without its dashes. name: the file's; of
    fields their set's; "" of a backbone, of which none is recorded."""

    option: str
    name: str
    path: Path


def tasks(at_hand: AtHand, info: ModelVersion, *, anew: bool = False) -> list[Task]:
    """The trainings that made a version, in the order in which they are to be run.

    anew: train the members of an ensemble too, instead of joining those that are at hand.

    Raises BadOptions where it was retrained, or where something is missing that its manifest names.
    """
    found = list[Task]()
    before: str | None = None
    for step in steps(info):
        if step.method in RETRAINED:
            raise BadOptions(_retrained(at_hand, info))
        if step.method == EXPORTED:
            parent = step.story.get("parent")
            raise BadOptions(
                f"Version {step.version} was exported from {parent}: export that one again, as its card "
                f"tells. The training behind it is repeated by `malaria reproduce {parent}`."
            )
        if step.method not in (TRAINED, JOINED):
            raise BadOptions(
                f"The manifest of version {step.version} does not tell how it was trained, so it cannot be "
                "repeated."
            )
        if step.story.get("start") and before is None:
            raise BadOptions(
                f"Version {step.version} went on from a network of which its manifest tells nothing more, so "
                "it cannot be repeated."
            )
        members: list[ModelVersion | str] = []
        for member in step.members:
            kept = _member(at_hand, step, member)
            found += [task for task in tasks(at_hand, kept) if task not in found] if anew else []
            members.append(kept.version if anew else kept)
        found.append(Task(step, before, tuple(members), _teacher(at_hand, step)))
        before = step.version
    if not found:
        raise BadOptions(f"The manifest of version {info.version} tells nothing of a training.")
    return found


def _member(at_hand: AtHand, step: Step, told: Mapping[str, str]) -> ModelVersion:
    """A member, whose weights must be those that were joined."""
    kept = at_hand.of_digest(told["digest"])
    weights = at_hand.file(kept, WEIGHTS) if kept is not None else None
    if kept is None or weights is None or sha256(weights) != told["weights"]:
        raise BadOptions(
            f"Version {step.version} was joined of {told['version']} and others, and the weights of that one "
            f"(SHA-256 {told['weights'][:12]}...) are not at hand. Bring that version first: "
            f"`malaria reproduce {told['version']}` may make it again."
        )
    return kept


def _teacher(at_hand: AtHand, step: Step) -> ModelVersion | None:
    """Whose answers were learnt; its file must be one that gives them."""
    digest = step.story.get("teacher")
    if digest is None:
        return None
    kept = at_hand.of_digest(digest)
    file = at_hand.file(kept, MODEL) if kept is not None else None
    if kept is None or file is None or sha256(file) not in alike(kept):
        raise BadOptions(
            f"Version {step.version} learnt from the answers of the version of digest {digest[:12]}..., "
            "which is not at hand. Keep it in this home, or name the folder where it ships, MALARIA_SHIPPED."
        )
    return kept


def _retrained(at_hand: AtHand, info: ModelVersion) -> str:
    """What can be repeated of a retrained version, and what cannot."""
    lineage, before = info.lineage, at_hand.ancestors(info)
    parent, data = lineage.get("parent"), [str(sha)[:12] for sha in lineage.get("datasets") or []]
    text = (
        f"Version {info.version} was made by `{lineage.get('method')}` from {parent}, in job "
        f"{lineage.get('job')}, of uploads ({', '.join(data) or 'not recorded'}) that only the home where it "
        f"was made holds: this command cannot repeat that. Serve {parent} there and send them again."
    )
    root = before[-1] if before else None
    if root is None or root.lineage.get("method") in RETRAINED:
        return f"{text} The training behind it is not at hand."
    return f"{text} The training behind it can be repeated: `malaria reproduce {root.version}`."


def matched(wanted: Iterable[File], given: Sequence[Given]) -> dict[File, Path]:
    """The path of each file that the trainings read. Every given file is read for that.

    Raises BadOptions, naming each that differs, is missing, is given as something else, or is none of them.
    """
    wanted = list(dict.fromkeys(wanted))
    read, met = {file.sha256 for file in wanted}, [(one, sha256(one.path)) for one in given]
    strange = {one: sha for one, sha in met if sha not in read}
    found, wrong = dict[File, Path](), list[str]()
    for file in wanted:
        same = [one for one, sha in met if sha == file.sha256]
        fitting = [one for one in same if _as_asked(one, file)]
        alike = next((one for one in strange if _alike(one, file)), None)
        if fitting:
            found[file] = next((one for one in fitting if one.name == file.name), fitting[0]).path
        elif same:
            wrong.append(f"{same[0].path} is to be named with {_how(file)}, not only with --{same[0].option}")
        elif alike is not None:
            wrong.append(_differs(alike, strange.pop(alike), file))
        else:
            wrong.append(_missing(file))
    wrong += [f"{one.path} is none of those that were read" for one in strange]
    if wrong:
        raise BadOptions(f"The files are not those of the training: {'; '.join(wrong)}.")
    return found


def _differs(one: Given, sha: str, file: File) -> str:
    return f"{one.path} differs: its SHA-256 is {sha[:12]}..., that of {file.told} was {file.sha256[:12]}..."


def _missing(file: File) -> str:
    lack = "are" if file.option in ("laboratory", "backbone-weights") else "is"
    return f"{file.told} {lack} missing (SHA-256 {file.sha256[:12]}...): name it with {_how(file)}"


def _alike(one: Given, file: File) -> bool:
    """Whether a given file is meant for this one, whatever it holds."""
    cells = {"data", "held-out"}
    return one.name == file.name and (one.option == file.option or {one.option, file.option} == cells)


def _as_asked(one: Given, file: File) -> bool:
    return one.option == file.option and (file.option != "laboratory" or one.name == file.name)


def _how(file: File) -> str:
    return f"--{file.option} {file.name}=..." if file.option == "laboratory" else f"--{file.option}"
