"""The figures that the documents tell of what ships are those of the committed reports."""

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from malaria import shipped

ROOT = Path(__file__).parents[2]
README, EVALUATION = ((ROOT / name).read_text() for name in ("README.md", "docs/evaluation.md"))
NETWORKS = shipped.listing(ROOT / "models").networks


def report(network: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((ROOT / f"docs/results/{network}/{name}/report.json").read_text())
    return told


def figure(of: dict[str, Any], name: str) -> str:
    low, high = of["intervals"][name]
    return f"{of[name]:.3f} ({low:.3f} to {high:.3f})"


def row(first: str, text: str = README) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {first}"))
    return found


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_the_networks_side_by_side(network: str) -> None:
    told = row(f"`{network}`") if network != "ensemble" else row("`ensemble` of both")
    size = (ROOT / "models" / NETWORKS[network] / "model.tflite").stat().st_size / 1e6
    assert f"| {size:.1f} MB |" in told or f"| {size:.2f} MB |" in told
    gate, *others = (report(network, name) for name in ("gate", "chula", "bccd", "bbbc041"))
    figures = [figure(gate, "accuracy"), figure(gate, "auc")]
    figures += [
        figure(of, name) for of, name in zip(others, ("specificity", "specificity", "auc"), strict=True)
    ]
    assert f"| {' | '.join(figures)} |" in told


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("NIH gate", "gate"),
        ("NIH test", "test"),
        ("Chula, val", "chula"),
        ("BCCD, val", "bccd"),
        ("BBBC041, not", "bbbc041"),
    ],
)
def test_what_is_left_to_a_person(first: str, name: str) -> None:
    of = report("mobilenet_v2", name)
    told = [f"{of['cells']:,}"]
    for share in (of["reviewed"][which] for which in ("sent", "refused", "wrong")):
        value, low, high = (100 * x for x in (share["value"], *share["interval"]))
        told.append(f"{value:.1f} ({low:.1f} to {high:.1f})")
    assert row(first, EVALUATION).endswith(f"| {' | '.join(told)} |")


@pytest.mark.parametrize("role", ["test", "gate"])
def test_what_is_served_on_patients_it_has_not_learnt_from(role: str) -> None:
    told = report("mobilenet_v2", role)
    rest = told["suspects"]["not_listed"]
    for first, of in ((f"all {told['cells']:,}", told), (f"{rest['cells']:,} whose label", rest)):
        figures = (figure(of, name) for name in ("accuracy", "sensitivity", "specificity", "auc"))
        assert row(f"{role}, {first}").endswith(f"| {' | '.join(figures)} |")
    assert f"{told['patients']} " in README.partition(f"| {role}, ")[0]


def test_whose_errors_the_test_patients_are() -> None:
    told = report("mobilenet_v2", "test")
    doubted = told["suspects"]["listed"]["confusion"]
    wrong, of = (sum(cells[kind] for kind in ("fp", "fn")) for cells in (doubted, told["confusion_matrix"]))
    for text in (README, EVALUATION):
        flat = " ".join(text.split())
        assert f"{of} errors" in flat
        assert f"{wrong} " in flat


def test_every_report_of_test_patients_has_its_look_on_record() -> None:
    looks = [json.loads(line) for line in (ROOT / "models/test-looks.jsonl").read_text().splitlines()]
    assert [look["digest"] for look in looks] == [
        report(network, "test")["digest"] for network in ("mobilenet_v2", "compact_cnn", "ensemble")
    ]


def test_the_times_from_an_upload_to_the_served_model() -> None:
    rounds = json.loads((ROOT / "docs/results/cloud/report.json").read_text())["rounds"]
    deployment = (ROOT / "docs/deployment.md").read_text()
    for step, first in (("row", "the job's row"), ("running", "the training runs"), ("served", "the API")):
        seconds = [told[step] for told in rounds]
        figures = f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        assert row(first, deployment).endswith(f"| {figures} |")
