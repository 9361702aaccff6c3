"""The audit finds labels that were turned, says how often it errs, and changes nothing."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from malaria import audit, contact_sheet, out_of_fold, suspects
from malaria.domain import Label
from malaria.errors import BadInput, MissingPart
from malaria.out_of_fold import OutOfFold

TURNED = 25


def answered(cells: int = 2000, seed: int = 5) -> tuple[OutOfFold, set[suspects.Key]]:
    """Good, not perfect, answers about cells of 40 patients, 10 of them without parasites; of either class,
    TURNED labels are turned. Returns them and which they are, as labelled now.
    """
    rng = np.random.default_rng(seed)
    patients = np.array([f"C{i}P{i}" for i in rng.integers(1, 41, cells)])
    healthy = np.isin(patients, [f"C{i}P{i}" for i in range(31, 41)])
    truth = np.where(healthy, 0, rng.random(cells) < 0.6).astype(np.uint8)
    logits = rng.normal(np.where(truth == 1, 4.0, -4.0), 1.8)
    labels, names = truth.copy(), np.array([f"cell_{i}" for i in range(cells)])
    turned = [
        row
        for label in (0, 1)
        for row in rng.permutation(np.flatnonzero((truth == label) & ~healthy))[:TURNED]
    ]
    labels[turned] = 1 - labels[turned]
    told = OutOfFold(names, patients, labels, np.ones(cells, np.uint8), 1 / (1 + np.exp(-logits)))
    return told, {suspects.key(int(labels[row]), str(names[row])) for row in turned}


def test_turned_labels_are_found_first() -> None:
    told, turned = answered()
    doubts = audit.audit(told)
    found = {doubt.key for doubt in doubts}
    assert len(found & turned) >= 0.9 * len(turned)
    assert len(found & turned) >= 0.7 * len(found)
    assert len({d.key for d in doubts[:30]} & turned) >= 25, "the surest ones stand first"
    assert [doubt.rank for doubt in doubts] == list(range(1, len(doubts) + 1))
    assert [doubt.quality for doubt in doubts] == sorted(doubt.quality for doubt in doubts)
    for doubt in doubts:
        own = doubt.probability if doubt.label == Label.PARASITIZED else 1 - doubt.probability
        assert doubt.quality == pytest.approx(own)


def test_the_order_of_the_cells_does_not_matter() -> None:
    told, _ = answered()
    again = told.of(np.random.default_rng(1).permutation(len(told)))
    assert audit.audit(again) == audit.audit(told)


def test_a_summary_counts_by_class_patient_and_list() -> None:
    told, turned = answered()
    doubts = audit.audit(told)
    strangers = {suspects.key(1, "not audited")}
    found = audit.summary(told, doubts, frozenset(turned | strangers))
    assert found.cells == len(told)
    assert found.found == len(doubts) == sum(found.by_class.values()) == sum(found.by_patient.values())
    assert list(found.by_patient.values()) == sorted(found.by_patient.values(), reverse=True)
    infected = {f"C{i}P{i}" for i in range(1, 31)}
    assert found.clean_cells == sum(patient not in infected for patient in told.patients.tolist())
    assert found.without_parasites == sum(doubt.patient not in infected for doubt in doubts)
    everywhere = found.overlap["all"]
    assert everywhere.both + everywhere.listed_only == len(turned), "only audited cells count"
    assert everywhere.both + everywhere.found_only == len(doubts)
    assert everywhere.jaccard == pytest.approx(everywhere.both / len({d.key for d in doubts} | turned))
    assert everywhere.found_share == pytest.approx(everywhere.both / len(turned))
    assert everywhere.listed_share == pytest.approx(everywhere.both / len(doubts))
    assert sum(found.overlap[label.text].both for label in Label) == everywhere.both
    assert audit.summary(told, doubts, None).overlap == {}
    assert audit.summary(told, [], frozenset()).overlap["all"].jaccard is None


def test_the_list_is_one_that_is_read(tmp_path: Path) -> None:
    doubts = audit.audit(answered()[0])
    path = tmp_path / "suspects.csv"
    path.write_text(audit.as_csv(doubts))
    assert path.read_text().startswith("original_label,cell,patient,")
    assert suspects.read(path) == {doubt.key for doubt in doubts}


def test_one_class_cannot_be_audited() -> None:
    told, _ = answered(50)
    with pytest.raises(BadInput, match="both classes"):
        audit.audit(told.of(told.labels == 1))


def test_without_cleanlab_the_one_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(MissingPart, match="--extra study"):
        audit.audit(answered(50)[0])


def test_answers_are_kept_whole(tmp_path: Path) -> None:
    told, _ = answered(50)
    told.save(tmp_path / "new" / "out-of-fold.npz")
    kept = out_of_fold.load(tmp_path / "new" / "out-of-fold.npz")
    assert all(np.array_equal(getattr(kept, name), getattr(told, name)) for name in vars(told))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out-of-fold.npz"]
    parts = [told.of(np.arange(30, 50)), told.of(np.arange(30))]
    assert sorted(out_of_fold.together(parts).cells.tolist()) == sorted(told.cells.tolist())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"cell,label\n"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="cross-validate"):
        out_of_fold.load(path)
    np.savez(path, cells=np.array(["a"]))
    with pytest.raises(BadInput, match="cross-validate"):
        out_of_fold.load(path)


def test_a_sheet_shows_every_cell_with_its_print() -> None:
    red = Image.new("RGB", (40, 60), (200, 0, 0))
    blocks = [
        contact_sheet.Block("Parasitized", [contact_sheet.Tile(red, ["a" * 80, "b"])] * 5),
        contact_sheet.Block("Uninfected", [contact_sheet.Tile(None, ["gone"])]),
    ]
    page = np.asarray(contact_sheet.sheet(blocks, columns=4))
    shown = (page == (200, 0, 0)).all(axis=-1)
    assert shown.sum() == pytest.approx(5 * contact_sheet.SIDE * contact_sheet.SIDE * 40 / 60, rel=0.05)
    columns = np.flatnonzero(shown.any(axis=0))
    rows = np.flatnonzero(shown.any(axis=1))
    assert np.sum(np.diff(columns) > 1) == 3, "four in a row"
    assert np.sum(np.diff(rows) > 1) == 1, "the fifth below"
    assert (page[rows.max() + 1 : rows.max() + 30] < 128).any(), "print below the pictures"
