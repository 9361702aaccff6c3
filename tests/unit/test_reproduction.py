"""What is to be run again and with which files; how far the result is off; which code it was."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from malaria import likeness, provenance, shipped
from malaria.at_hand import AtHand
from malaria.credits import Credits
from malaria.digests import sha256
from malaria.domain import ModelVersion, Review
from malaria.errors import BadOptions
from malaria.likeness import Apart, Likeness, Repeated
from malaria.lineage import File, files_of, steps
from malaria.reproduction import Given, matched, tasks

MODELS = Path(__file__).parents[2] / "models"
SHIPS = AtHand(None, MODELS, MODELS)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BARE = ModelVersion("20260102-0a0a0a0a", "0a" * 32, "compact_cnn", 64, NOW, 870_000)


def version(**lineage: Any) -> ModelVersion:
    return replace(BARE, lineage=lineage)


def of_network(network: str) -> ModelVersion:
    return shipped.find(MODELS, network)


def test_a_version_that_was_begun_from_another_is_made_from_its_first_step() -> None:
    oldest = {"version": "", "digest": "", "method": "train"}  # an old manifest need not name it
    middle = {"version": "20200102-2", "digest": "2" * 64, "method": "train", "start": "b" * 64}
    newest = version(method="train", start="c" * 64, begun_from={**middle, "begun_from": oldest})
    told = [(task.name, task.begun_from) for task in tasks(SHIPS, newest)]
    assert told == [("", None), ("20200102-2", ""), (newest.version, "20200102-2")]


def test_who_taught_is_found_by_digest_and_its_file_is_the_one_that_taught(tmp_path: Path) -> None:
    teacher = of_network("compact_cnn")
    (taught,) = tasks(SHIPS, version(method="train", teacher=teacher.digest))
    assert taught.teacher == teacher
    folder = shutil.copytree(MODELS / teacher.version, tmp_path / teacher.version)
    shipped.record(tmp_path, teacher)
    copied = AtHand(None, tmp_path, tmp_path)
    assert tasks(copied, version(method="train", teacher=teacher.digest))
    with (folder / "model.tflite").open("ab") as file:
        file.write(b"changed")
    with pytest.raises(BadOptions, match=f"of digest {teacher.digest[:12]}"):
        tasks(copied, version(method="train", teacher=teacher.digest))


@pytest.mark.parametrize("network", sorted(shipped.listing(MODELS).networks))
def test_what_ships_can_be_repeated_from_files_whose_source_is_known(network: str) -> None:
    info, known = of_network(network), Credits.load(MODELS)
    made = tasks(SHIPS, info)
    assert [task.step for task in made] == steps(info)
    read = files_of(task.step for task in made)
    assert {file.option for file in read} >= {"data", "held-out"}
    assert [file.told for file in read if known.of(file.sha256) is None] == []


def test_an_ensemble_is_joined_of_what_is_kept_or_of_members_made_anew() -> None:
    ensemble = of_network("ensemble")
    (joined,) = tasks(SHIPS, ensemble)
    members = [SHIPS.of_digest(member["digest"]) for member in ensemble.lineage["members"]]
    assert joined.members == tuple(members)
    anew = tasks(SHIPS, ensemble, anew=True)
    of_members = [step.version for member in members if member is not None for step in steps(member)]
    assert [task.name for task in anew] == [*dict.fromkeys(of_members), ensemble.version]
    assert anew[-1].members == tuple(member.version for member in members if member is not None)


MEMBER = {"version": "20200101-gone", "network": "compact_cnn", "digest": "c" * 64, "weights": "d" * 64}


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (version(), "tells nothing of a training"),
        (version(method="guessed"), "does not tell how it was trained"),
        (
            version(method="train", start="ab" * 32),
            "went on from a network of which its manifest tells nothing",
        ),
        (
            version(method="train", teacher="b" * 64),
            "learnt from the answers of the version of digest bbbbbbbbbbbb",
        ),
        (
            version(method="join", members=[MEMBER]),
            "joined of 20200101-gone and others, and the weights of that one",
        ),
    ],
)
def test_what_cannot_be_repeated_is_told_before_any_work(info: ModelVersion, why: str) -> None:
    with pytest.raises(BadOptions, match=why):
        tasks(SHIPS, info)


def test_a_member_of_other_weights_is_not_joined() -> None:
    lineage = json.loads(json.dumps(dict(of_network("ensemble").lineage)))
    lineage["members"][1]["weights"] = "e" * 64
    with pytest.raises(BadOptions, match=r"SHA-256 eeeeeeeeeeee\.\.\.\) are not at hand"):
        tasks(SHIPS, replace(of_network("ensemble"), lineage=lineage))


def test_of_a_retrained_version_it_is_said_what_can_be_repeated_and_what_not() -> None:
    root = of_network("mobilenet_v2").version
    adapted = version(method="adapt", parent=root, job="0123", datasets=["f" * 64])
    with pytest.raises(BadOptions) as told:
        tasks(SHIPS, adapted)
    text = str(told.value)
    assert "was made by `adapt` from" in text
    assert "in job 0123, of uploads (ffffffffffff)" in text
    assert f"`malaria reproduce {root}`" in text
    with pytest.raises(BadOptions, match="The training behind it is not at hand"):
        tasks(SHIPS, version(method="full", parent="20200101-gone"))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.zip", "b.zip", "c.zip", "chula.zip", "backbone.h5")]
    for path in paths:
        path.write_text(path.name)
    return paths


def wanted(files: list[Path]) -> list[File]:
    a, b, c, chula, backbone = (sha256(path) for path in files)
    return [
        File("data", "a.zip", a),
        File("data", "b.zip", b),
        File("held-out", "c.zip", c),
        File("laboratory", "chula", chula),
        File("backbone-weights", "", backbone),
    ]


def given(files: list[Path]) -> list[Given]:
    a, b, c, chula, backbone = files
    return [
        Given("data", b.name, b),
        Given("data", a.name, a),
        Given("held-out", c.name, c),
        Given("laboratory", "chula", chula),
        Given("backbone-weights", "", backbone),
    ]


def test_files_are_told_by_what_they_hold(files: list[Path]) -> None:
    found = matched(wanted(files), given(files))
    assert found == dict(zip(wanted(files), files, strict=True))
    renamed = files[0].rename(files[0].with_name("renamed.zip"))
    told = [Given("data", renamed.name, renamed), *(one for one in given(files) if one.name != "a.zip")]
    assert matched([File("data", "a.zip", sha256(renamed)), *wanted([renamed, *files[1:]])[1:]], told)


def test_each_file_that_differs_or_is_missing_is_named(files: list[Path]) -> None:
    want, told = wanted(files), given(files)
    files[0].write_text("changed")
    files[4].write_text("changed too")
    extra = files[0].with_name("extra.zip")
    extra.write_text("more")
    given_so = [*(one for one in told if one.name != "b.zip"), Given("data", "extra.zip", extra)]
    with pytest.raises(BadOptions) as refused:
        matched(want, given_so)
    text = str(refused.value)
    for part in (
        f"{files[0]} differs: its SHA-256 is {sha256(files[0])[:12]}..., that of a.zip was",
        f"b.zip is missing (SHA-256 {want[1].sha256[:12]}...): name it with --data",
        f"{files[4]} differs",
        f"{extra} is none of those that were read",
    ):
        assert part in text
    assert str(files[2]) not in text
    assert "the fields of chula" not in text


def test_a_file_that_is_right_does_not_hide_one_beside_it_that_is_not(files: list[Path]) -> None:
    (files[0].parent / "older").mkdir()
    older = files[0].parent / "older" / "a.zip"
    older.write_text("older")
    both = [Given("data", "a.zip", older), *given(files)]
    with pytest.raises(BadOptions, match=r"older/a\.zip is none of those that were read"):
        matched(wanted(files), both)
    first = [File("data", "a.zip", sha256(older)), *wanted(files)]  # of two trainings, each with its own
    assert matched(first, both) == dict(zip(first, [older, *files], strict=True))
    with pytest.raises(BadOptions) as refused:
        matched([*first, File("data", "a.zip", "0" * 64)], both)
    assert str(refused.value).endswith("a.zip is missing (SHA-256 000000000000...): name it with --data.")


def test_files_of_equal_content_keep_their_names(files: list[Path]) -> None:
    for path in files[:2]:
        path.write_text("the same")
    assert list(matched(wanted(files), given(files)).values()) == files


def test_a_file_in_the_wrong_place_is_sent_to_the_right_one(files: list[Path]) -> None:
    told = [replace(one, option="data") if one.option == "held-out" else one for one in given(files)]
    with pytest.raises(BadOptions, match=r"c\.zip is to be named with --held-out, not only with --data"):
        matched(wanted(files), told)
    other = [replace(one, name="bccd") if one.option == "laboratory" else one for one in given(files)]
    with pytest.raises(BadOptions, match=r"is to be named with --laboratory chula=\.\.\., not only with"):
        matched(wanted(files), other)
    with pytest.raises(BadOptions, match="the fields of chula are missing"):
        matched(wanted(files), [one for one in given(files) if one.option != "laboratory"])


def measured(**changed: Any) -> Mapping[str, Any]:
    figures = {"accuracy": 0.9, "sensitivity": None, "brier": 0.05, "intervals": {"accuracy": [0.85, 0.95]}}
    return {"gate": {**figures, **changed}, "validation": figures}


def test_figures_stand_side_by_side_in_points_and_intervals() -> None:
    found = {
        (one.of, one.figure): one for one in likeness.pairs(measured(), measured(accuracy=0.97, brier=0.04))
    }
    assert set(found) == {(of, name) for of in ("gate", "validation") for name in ("accuracy", "brier")}
    accuracy, brier = found["gate", "accuracy"], found["gate", "brier"]
    assert accuracy.points == pytest.approx(7.0)
    assert accuracy.within is False
    assert brier.points == pytest.approx(-1.0)
    assert brier.within is None, "there is no interval"
    assert found["validation", "accuracy"].within is True
    assert not list(likeness.pairs(measured(), {"another": {}}))


def test_probabilities_are_compared_at_each_ones_operating_point() -> None:
    then, now = np.array([0.1, 0.45, 0.8]), np.array([0.1, 0.55, 0.7])
    found = likeness.apart(then, now, (0.5, 0.5))
    assert (found.cells, found.changed) == (3, 1)
    assert found.largest == pytest.approx(0.1)
    assert found.mean == pytest.approx(0.2 / 3)
    assert likeness.apart(then, now, (0.4, 0.5)).changed == 0
    assert likeness.apart(then[:0], now[:0], (0.5, 0.5)) == Apart(0, 0.0, 0.0, 0)


def test_what_it_says_is_what_was_found() -> None:
    pairs = tuple(likeness.pairs(measured(), measured(accuracy=0.97)))
    off = Likeness(
        (Repeated("v", "a" * 64, "w", "b" * 64),),
        pairs,
        {"base": Apart(100, 0.25, 0.01, 3), "base:bccd": Apart(300, 0.1, 0.03, 0)},
        (500, 500, 499),
        same_content=False,
        packages={"numpy": ("1", "2")},
    )
    assert likeness.sentence(off) == (
        "Not the same file. 1 of 2 figures lie within the intervals of the first. On 400 validation cells "
        "probabilities differ by 0.025 in the mean and by 0.25 at most; 3 are called otherwise."
    )
    titles = [table.title for table in likeness.tables(off)]
    assert titles == ["Figures", "Probabilities of validation cells", "Files", "What else differs"]
    assert json.loads(json.dumps(likeness.told(off)))["equal"] is False
    renamed = replace(off, same_content=True)
    assert likeness.sentence(renamed) == "The same weights; only names within the file differ."
    same = replace(off, repeated=(Repeated("v", "a" * 64, "v", "a" * 64),), packages={})
    assert likeness.sentence(same) == "The very same file, bit for bit."
    assert "What else differs" not in [table.title for table in likeness.tables(same)]


def operated(threshold: float, band: Review | None) -> ModelVersion:
    return replace(version(method="train", packages={"numpy": "1"}), threshold=threshold, review=band)


def test_operating_points_are_compared_even_of_the_same_file() -> None:
    then = operated(0.5, Review(low=0.1, high=0.9, sent=0.08, wrong=0.012))
    now = operated(0.45, Review(low=0.2, high=0.9, sent=0.06, wrong=0.014))
    same = Likeness((Repeated("v", "a" * 64, "v", "a" * 64),), (), {}, (1, 1, 1), same_content=True)

    def found(before: ModelVersion, after: ModelVersion) -> Likeness:
        return replace(same, **likeness.of_manifests(before, after))

    off = found(then, now)
    assert off.operating == {
        "threshold": (0.5, 0.45),
        "review from": (0.1, 0.2),
        "review to": (0.9, 0.9),
        "sent": (0.08, 0.06),
        "wrong": (0.012, 0.014),
    }
    assert likeness.sentence(off) == (
        "The very same file, bit for bit. The operating point moved: threshold 0.5000 then, 0.4500 now; "
        "review from 0.1000 then, 0.2000 now."
    )
    (table,) = [one for one in likeness.tables(off) if one.title == "Operating point"]
    assert ("review to", "0.9000", "0.9000") in table.rows
    assert json.loads(json.dumps(likeness.told(off)))["operating"]["threshold"] == [0.5, 0.45]
    assert likeness.sentence(found(then, then)) == "The very same file, bit for bit."
    gone = found(then, operated(0.5, None))
    assert "review from 0.1000 then, none now" in likeness.sentence(gone)
    older = found(operated(0.5, None), now)
    assert older.operating["review from"] == (None, 0.2)
    assert "review" not in likeness.sentence(older), "an older manifest told none"


def test_a_manifest_that_tells_no_commit_says_so_beside_the_one_that_does() -> None:
    older, newer = version(method="train"), version(method="train", project={"commit": "c0ffee"})
    assert likeness.of_manifests(older, newer)["project"] == {"commit": (None, "c0ffee")}
    assert likeness.of_manifests(older, newer)["packages"] == {}, "it tells nothing to compare with"


def test_what_differs_is_what_the_older_one_tells_otherwise() -> None:
    then, now = {"keras": "3.1", "numpy": "1", "gone": "2"}, {"keras": "3.2", "numpy": "1", "python": "3"}
    assert likeness.differing(then, now) == {"gone": ("2", None), "keras": ("3.1", "3.2")}


def test_the_commit_is_gits_where_there_is_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "src" / "malaria"
    package.mkdir(parents=True)
    assert provenance.project(package)["commit"] is None, "neither git nor the installer knows it"
    (package / "a.py").write_text("1\n")

    def git(*words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    told = provenance.project(package)
    assert (told["commit"], told["changed"]) == (git("rev-parse", "HEAD"), False)
    (package / "a.py").write_text("2\n")
    assert provenance.project(package)["changed"] is True


def test_packages_that_are_not_installed_are_left_out() -> None:
    found = provenance.packages(["numpy", "no-such-package"])
    assert set(found) == {"python", "numpy"}
    assert provenance.machine()["cores"] >= 1
