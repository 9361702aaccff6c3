"""`malaria feedback`: the labels, the figures, a ZIP to retrain on, a new key."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from malaria import preprocess, signing_keys, synthetic
from malaria.domain import Confirmation, JobState, Label, Said
from malaria.services import Services
from malaria.synthetic import SyntheticCell
from tests.cli.conftest import Run

NOW = datetime(2026, 1, 5, tzinfo=UTC)
CELLS = 44


@pytest.fixture
def cells() -> list[SyntheticCell]:
    return list(synthetic.generate(CELLS, seed=41))


@pytest.fixture
def labelled(services: Services, cells: list[SyntheticCell]) -> Services:
    """Every cell was answered, two wrongly, four with the advice to look, and is confirmed."""
    for i, cell in enumerate(cells):
        said = Label(1 - cell.label) if i < 2 else cell.label
        at = NOW + timedelta(days=i // 22 * 7)
        fingerprint = preprocess.fingerprint_of(cell.image)
        p = 0.9 if said else 0.1
        told = Said(f"n{i}", "20261125-05ce9190", p, 0.5, said, at, fingerprint, needs_review=i < 4)
        services.feedback.add(Confirmation(told, cell.label, "ada", "Kisumu", f"k-{i // 4}", at))
    return services


@pytest.fixture
def slides(tmp_path: Path, cells: list[SyntheticCell]) -> Path:
    """The laboratory's own folder, by slide, under names of its own."""
    for i, cell in enumerate(cells):
        path = tmp_path / "slides" / f"slide-{i // 10}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cell.png())
    return tmp_path / "slides"


def test_labels_are_listed_newest_first(run: Run, services: Services) -> None:
    assert "No labels yet" in run("feedback", "list").stderr
    said = Said("n", "20261125-05ce9190", 0.25, 0.5, None, NOW, 7)
    for i, by in enumerate(("ada", "ben")):
        row = Confirmation(said, Label(i), by, None, "k-1", NOW + timedelta(days=i))
        services.feedback.add(row)
    listed = json.loads(run("feedback", "list", "--json").stdout)
    assert [(row["by"], row["label"]) for row in listed] == [("ben", 1), ("ada", 0)]
    assert listed[0]["said"]["label"] is None
    assert len(json.loads(run("feedback", "list", "--json", "--limit", 1).stdout)) == 1
    shown = run("feedback", "list").stdout
    assert shown.index("ben") < shown.index("ada")
    assert "0.2500" in shown and "k-1" in shown


def test_the_quality_is_told_with_intervals_and_a_caution(run: Run, labelled: Services) -> None:
    told = json.loads(run("feedback", "quality", "--json").stdout)
    assert (told["overall"]["cells"], told["overall"]["patients"]) == (CELLS, 11)
    assert told["overall"]["sensitivity"]["value"] == pytest.approx(21 / 22)
    assert [week["name"] for week in told["by_week"]] == ["2026-W02", "2026-W03"]
    shown = run("feedback", "quality")
    assert "0.955 (" in shown.stdout
    assert "site Kisumu" in shown.stdout and "week 2026-W03" in shown.stdout
    assert told["overall"]["sent_to_review"]["value"] == pytest.approx(4 / CELLS)
    assert (told["overall"]["not_sent"]["cells"], told["overall"]["not_sent"]["accuracy"]["value"]) == (
        40,
        1.0,
    )
    assert "0.091 (" in shown.stdout and "accuracy of these" in shown.stdout
    assert "seldom a random sample" in shown.stderr


def test_the_quality_may_be_narrowed_and_says_too_few(run: Run, labelled: Services) -> None:
    told = run("feedback", "quality", "--since", "2026-01-12", "--site", "Kisumu")
    assert "Too few: 11 parasitized and 11 uninfected" in told.stderr
    none = json.loads(run("feedback", "quality", "--json", "--version", "other").stdout)
    assert none["overall"]["cells"] == 0
    before = json.loads(run("feedback", "quality", "--json", "--until", "2026-01-12T00:00:00").stdout)
    assert before["overall"]["cells"] == 22
    turned = run("feedback", "quality", "--since", "2026-02-01", "--until", "2026-01-01")
    assert turned.exit_code == 2 and "before until" in turned.stderr


def test_an_export_is_a_retraining(run: Run, labelled: Services, slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "upload.zip"
    (slides / "extra.png").write_bytes(next(iter(synthetic.generate(1, seed=99))).png())
    (slides / "slide-0" / "0.png").unlink()
    told = run("feedback", "export", "--images", slides, "--out", out)
    assert told.exit_code == 0, told.stderr
    assert "21 parasitized, 22 uninfected; 43 with a patient" in told.stdout
    facts = dict(line.rsplit(None, 1) for line in told.stdout.splitlines()[2:] if line.strip())
    assert facts["labels without a picture"] == "1"
    assert facts["pictures without a label"] == "1"
    job = labelled.trigger.take_in(out, name=out.name, identity=None, actor="test")
    assert job.state == JobState.QUEUED
    again = tmp_path / "again.zip"
    as_json = json.loads(run("feedback", "export", "--images", slides, "--out", again, "--json").stdout)
    assert as_json["written"] == {"Parasitized": 21, "Uninfected": 22}
    assert again.read_bytes() == out.read_bytes()


def test_disputed_pictures_are_listed_by_name(
    run: Run, labelled: Services, slides: Path, tmp_path: Path, cells: list[SyntheticCell]
) -> None:
    said = labelled.feedback.list()[5].said
    other = Said("another", said.version, said.probability, 0.5, said.label, NOW, said.fingerprint)
    wrong = Label(1 - cells[5].label)
    labelled.feedback.add(Confirmation(other, wrong, "ben", None, None, NOW))
    told = run("feedback", "export", "--images", slides, "--out", tmp_path / "upload.zip")
    assert f"slide-0/5.png: ada says {cells[5].label.text}, ben says {wrong.text}" in told.stdout
    assert "1 pictures are disputed" in run("feedback", "quality").stderr


def test_an_export_that_would_be_no_upload_is_refused(
    run: Run, labelled: Services, slides: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "upload.zip"
    none = run("feedback", "export", "--images", tmp_path / "empty", "--out", out)
    assert none.exit_code == 2
    assert "needs both classes" in none.stderr
    nowhere = run("feedback", "export", "--images", slides, "--out", tmp_path / "no" / "upload.zip")
    assert nowhere.exit_code == 2
    assert "There is no folder" in nowhere.stderr
    assert not out.exists()


def test_an_export_does_not_overwrite_the_pictures(run: Run, labelled: Services, tmp_path: Path) -> None:
    pictures = synthetic.write(tmp_path / "slides.zip", CELLS, seed=41)
    before = pictures.read_bytes()
    told = run("feedback", "export", "--images", pictures, "--out", tmp_path / "." / "slides.zip")
    assert told.exit_code == 2
    assert "would be overwritten" in told.stderr
    assert pictures.read_bytes() == before


def test_a_new_key_is_put_before_the_others(
    run: Run, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = signing_keys.stored(services.home)
    told = run("feedback", "rekey")
    assert "2 keys" in told.stderr
    keys = signing_keys.stored(services.home)
    assert (len(keys), keys[1]) == (2, first)
    assert not set(keys) & set((told.stdout + told.stderr).split())
    monkeypatch.setenv("MALARIA_SIGNING_KEY", "k" * 32)
    refused = run("feedback", "rekey")
    assert refused.exit_code == 2
    assert "MALARIA_SIGNING_KEY" in refused.stderr
    monkeypatch.setenv("MALARIA_SIGNING_KEY", "k" * 31)
    wrong = run("feedback", "list")
    assert wrong.exit_code == 2
    assert "MALARIA_SIGNING_KEY is wrong" in wrong.stderr and "kkk" not in wrong.stderr


def test_the_doctor_tells_what_is_kept_and_who_can_read_the_key(
    run: Run, labelled: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> dict[str, tuple[bool, str]]:
        checks = json.loads(run("doctor", "--json").stdout)["checks"]
        return {one["check"]: (one["ok"], one["found"]) for one in checks}

    whole = found()
    assert whole["confirmed labels"] == (True, str(CELLS))
    assert whole["kept pictures"] == (True, "none: MALARIA_KEEP_DAYS is 0")
    assert whole["signing keys"] == (True, "1, which nobody else can read")
    (labelled.home / signing_keys.FILE).chmod(0o644)
    monkeypatch.setenv("MALARIA_KEEP_DAYS", "30")
    monkeypatch.setenv("MALARIA_RETRAIN_CONFIRMED", "200")
    open_ = found()
    assert open_["signing keys"][0] is False and "chmod 600" in open_["signing keys"][1]
    kept = "for 30 days; 0 confirmed and not yet learnt from; 200 confirmed open a retraining"
    assert open_["kept pictures"] == (True, kept)
    monkeypatch.setenv("MALARIA_RETRAIN_DRIFT", "3")
    drift = "errors of 3 standard deviations more than expected open one"
    assert found()["kept pictures"] == (True, f"{kept}; {drift}")


@pytest.mark.parametrize("setting", ["MALARIA_RETRAIN_CONFIRMED", "MALARIA_RETRAIN_DRIFT"])
def test_a_policy_without_pictures_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv(setting, "3")
    told = run("feedback", "list")
    assert told.exit_code == 2
    assert f"{setting} is wrong" in told.stderr
    assert "set MALARIA_KEEP_DAYS" in told.stderr
