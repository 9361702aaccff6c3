"""The figures that the documents tell of what ships are those of the committed reports."""

import json
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from malaria import shipped
from scripts import tables

ROOT = Path(__file__).parents[2]
README, EVALUATION, CHOICES, EXPLAIN = (
    (ROOT / name).read_text()
    for name in ("README.md", "docs/evaluation.md", "docs/model-choices.md", "docs/explain.md")
)
NETWORKS = shipped.listing(ROOT / "models").networks


def report(network: str, name: str) -> dict[str, Any]:
    paths = [ROOT / "docs/results" / of / name / "report.json" for of in (network, f"before/{network}")]
    told: dict[str, Any] = json.loads(next(path for path in paths if path.exists()).read_text())
    return told


def figure(of: dict[str, Any], name: str, digits: int = 3) -> str:
    low, high = of["intervals"][name]
    return f"{of[name]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def row(first: str, text: str = README) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(f"| {first}"))
    return found


def test_every_table_that_is_made_says_what_the_reports_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().out


def test_a_table_is_made_where_it_is_marked_and_nowhere_else() -> None:
    text = "One\n\n<!-- table: stains -->\n| old |\n| --- |\n\nTwo\n"
    made = tables.made(text)
    assert made.startswith("One\n\n<!-- table: stains -->\n| sensitivity of |")
    assert made.endswith(" |\n\nTwo\n")
    assert tables.made(text.replace("| old |\n| --- |\n", "")) == made, "a first time"
    assert "old" not in made
    assert tables.made(made) == made
    assert tables.made("No table: | a | b |\n") == "No table: | a | b |\n"
    with pytest.raises(KeyError, match="unheard-of"):
        tables.made("<!-- table: unheard-of -->\n| a |\n")


def test_a_table_that_says_something_else_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stains = tables.stains()
    monkeypatch.setitem(tables.TABLES, "stains", lambda: (stains[0], stains[1][:1]))
    assert tables.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/evaluation.md: tables differ from the reports: make tables\n"


def test_tables_tell_what_their_columns_say() -> None:
    """Cells of them, by another way."""
    gate, field = report("mobilenet_v2", "gate"), report("ensemble", "bbbc041")
    told = row("gate, all").split(" | ")
    assert told[2] == figure(gate, "sensitivity") and told[4].startswith(figure(gate, "auc"))
    assert row("`ensemble` of both").endswith(f" | {figure(field, 'auc')} |")
    sent = (100 * x for x in (gate["reviewed"]["sent"]["value"], *gate["reviewed"]["sent"]["interval"]))
    assert "{:.1f} ({:.1f} to {:.1f})".format(*sent) == row("NIH gate", EVALUATION).split(" | ")[2]
    grey = report("compact_cnn", "stains")["stains"][-1]
    assert grey["stain"] == "grey and dark"
    assert row("`compact_cnn`", EVALUATION).endswith(f" | {figure(grey['metrics'], 'sensitivity')} |")
    for role in ("test", "gate", "stains"):
        assert f"{report('mobilenet_v2', role)['groups']} " in README.partition("<!-- table: patients")[0]


@pytest.mark.parametrize("name", sorted(tables.TABLES))
def test_every_table_that_can_be_made_stands_somewhere(name: str) -> None:
    assert any(f"<!-- table: {name} -->" in text for text in (README, EVALUATION, CHOICES, EXPLAIN))


@pytest.mark.parametrize("network", sorted(NETWORKS))
def test_what_is_said_of_other_stains(network: str) -> None:
    own = report(network, "stains")
    assert all(one["metrics"]["auc"] >= 0.98 for one in own["stains"])
    assert all(one["metrics"]["specificity"] > own["specificity"] for one in own["stains"])


def test_what_the_readme_says_of_a_strange_stain() -> None:
    (worst,) = (of for of in report("mobilenet_v2", "stains")["stains"] if of["stain"] == "grey and dark")
    told = figure(worst["metrics"], "sensitivity")
    assert f"under one that is simulated grey and dark {told}" in README and told in CHOICES


def test_whose_errors_the_test_patients_are() -> None:
    told = report("mobilenet_v2", "test")
    doubted = told["suspects"]["listed"]["confusion"]
    wrong, of = (sum(cells[kind] for kind in ("fp", "fn")) for cells in (doubted, told["confusion_matrix"]))
    for text in (README, EVALUATION):
        flat = " ".join(text.split())
        assert f"{of} errors" in flat
        assert f"{wrong} " in flat


def adapted(site: str, cells: int) -> list[dict[str, Any]]:
    """Uploads of so many cells to what ships, with the settings in use."""
    told = json.loads((ROOT / "docs/results/adapt/report.json").read_text())["uploads"]["in use"][site]
    return [one for one in told if one["cells"] == cells]


def of_base(some: list[dict[str, Any]], name: str, at: int) -> float:
    """A figure of NIH patients before (0) or after (1) uploads, the cells that told it counting alike."""
    told = [of_cells(one, name) for one in some]
    return float(sum(one["base"][name][at] * n for one, n in zip(some, told, strict=True)) / sum(told))


def of_cells(one: dict[str, Any], name: str) -> int:
    uninfected, parasitized = one["judged"]
    return int({"sensitivity": parasitized, "specificity": uninfected}.get(name, uninfected + parasitized))


@pytest.mark.parametrize("cells", [25, 50, 100, 200, 500, 1000])
def test_what_adapting_gains_by_the_number_of_cells(cells: int) -> None:
    table = (ROOT / "docs/adapt.md").read_text()
    for site in ("grey and dark", "washed out", "yellow lamp"):
        some = adapted(site, cells)
        names = ("sensitivity", "specificity")
        changes = [
            " -> ".join(f"{mean(one['site'][name][at] for one in some):.3f}" for at in (0, 1))
            for name in names
        ]
        changes += [" -> ".join(f"{of_base(some, name, at):.3f}" for at in (0, 1)) for name in names]
        changed = f"{sum(one['changed'] for one in some)} of {len(some)}"
        first = [site, f"{cells:,}", f"{mean(one['parasitized'] for one in some):.0f}", changed]
        assert f"| {' | '.join([*first, *changes])} |" in table


def test_the_settings_of_an_adaptation_side_by_side() -> None:
    told = json.loads((ROOT / "docs/results/adapt/settings/report.json").read_text())["uploads"]
    table = (ROOT / "docs/adapt.md").read_text().partition("| what | sensitivity, grey and dark |")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")][: len(told)]
    for line, sites in zip(rows, told.values(), strict=True):
        some = {
            lab: [one for one in sites[lab] if one["cells"] == 200] for lab in ("grey and dark", "washed out")
        }
        there = [mean(one["site"]["sensitivity"][1] for one in of) for of in some.values()]
        both = [one for of in some.values() for one in of]
        wanted = ("sensitivity", "specificity", "accuracy")
        nih = {name: 100 * (of_base(both, name, 1) - of_base(both, name, 0)) for name in wanted}
        cells = [cell.rpartition("-> ")[2].strip() for cell in line.strip("| ").split(" | ")]
        assert [*cells[1:3], *cells[4:6]] == [
            *(f"{one:.3f}" for one in there),
            f"{nih['sensitivity']:+.1f}, {nih['specificity']:+.1f}",
            f"{nih['accuracy']:+.2f}",
        ], line


def test_what_adapting_costs() -> None:
    told = row("the same: NIH accuracy", CHOICES)
    for site, wanted in (
        ("washed out", "{:.2f} (washed out)"),
        ("grey and dark", "{:.2f} (grey and dark)"),
        ("yellow lamp", "{:.2f} lower under the yellow lamp"),
    ):
        some = adapted(site, 200)
        gained = 100 * (of_base(some, "accuracy", 1) - of_base(some, "accuracy", 0))
        assert (gained > 0) is ("higher" in wanted)
        assert wanted.format(abs(gained)) in told
    kept = [one["site"]["specificity_at_sensitivity_90"] for one in adapted("bbbc041", 200)]
    assert len(kept) == 10 and all(before == after for before, after in kept)
    found = row("the same: BBBC041", CHOICES)
    assert f"{mean(before for before, _ in kept):.3f} before and after" in found
    few = {0: "none", 1: "one"}[sum(before < 0.9 for before, _ in kept)]
    assert f"{few} of them below 0.90" in found


def test_every_report_of_test_patients_has_its_look_on_record() -> None:
    looks = [json.loads(line) for line in (ROOT / "models/test-looks.jsonl").read_text().splitlines()]
    assert [look["digest"] for look in looks if look["of"] == "patients"] == [
        report(network, "test")["digest"] for network in ("mobilenet_v2", "compact_cnn", "ensemble")
    ]


def test_the_times_from_an_upload_to_the_served_model() -> None:
    rounds = json.loads((ROOT / "docs/results/cloud/report.json").read_text())["rounds"]
    deployment = (ROOT / "docs/deployment.md").read_text()
    for step, first in (("row", "the job's row"), ("running", "the training runs"), ("served", "the API")):
        seconds = [told[step] for told in rounds]
        figures = f"{median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        assert row(first, deployment).endswith(f"| {figures} |")
