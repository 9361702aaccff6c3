"""The receipt as a page: the verdict stands first, and every rule with its bound."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from malaria import codec, receipt
from malaria.challenger import told_of_review
from malaria.comparison import First
from malaria.criteria import Exported
from malaria.domain import Job, JobState, RetrainOptions, Review, Verdict
from malaria.errors import NotFound
from malaria.gate import Sent, judge
from malaria.operating import Operating
from tests.unit.gate_sets import BASE, same, simulate

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
JOB = Job("4f2a", "identity", "march|site.zip", "uploads/1", AT, finished=AT, actor="ada", champion="v1")
SITE = simulate(1.5, 3.0, patients=6, per_patient=40)


def judged(size_bytes: int = 9_000_000) -> Job:
    named = replace(SITE, names=np.array([f"Parasitized/{i}.png" for i in range(len(SITE))]))
    told = replace(judge(BASE, named, 0.5, 0.5, file=Exported(1e-6, size_bytes)), look=7)
    return replace(
        JOB,
        state=JobState.SUCCEEDED,
        version="v2",
        verdict=told.verdict,
        receipt=codec.to_json(told),
        options=RetrainOptions(note="new stain"),
    )


def test_the_page_tells_verdict_rules_figures_and_cells() -> None:
    job = judged()
    page = receipt.markdown(job)
    assert page.startswith("# Accepted\n\nThe new model meets every rule")
    for rule in job.receipt["criteria"]:
        assert f"| {rule['name']} |" in page and f"- {rule['text']}" in page
    for told in ("| v1 |", "| v2 |", "number 7", "new stain", "march\\|site.zip", "2026-03-01 12:30 UTC"):
        assert told in page
    assert "| site | 240 of 6 | sensitivity |" in page and "calibration error" in page
    assert "| file size | 9,000,000 | - | 16,777,216 | passed |" in page
    assert "| site size | 240 | - | 20 | passed |" in page
    moved = job.receipt["moved"]["site"]
    assert all(f"| {cell['name']} |" in page for cell in moved) and len(moved) > 10
    assert "What would help" not in page and "first release, from" not in page


def test_the_page_tells_what_either_model_sends_to_a_person() -> None:
    """By its own band about its own threshold; a champion without a band sends nobody anything."""
    told = judge(BASE, SITE, 0.5, 0.5)
    band = Operating(0.5, Review(0.3, 0.7, 0.0, 0.0))
    for champion in (band, None):
        found = told_of_review(told, {"site": SITE, "base": None}, champion, band)
        job = replace(JOB, state=JobState.SUCCEEDED, verdict=told.verdict, receipt=codec.to_json(found))
        inside = (SITE.challenger > 0.3) & (SITE.challenger < 0.7)
        wrong = ((SITE.challenger >= 0.5) != (SITE.labels == 1))[~inside].mean()
        assert found.review["site"]["challenger"] == Sent(inside.mean(), wrong)
        page = receipt.markdown(job)
        before = f"{found.review['site']['champion'].sent:.3f}" if champion else "-"
        assert f"| site | 240 of 6 | sent to a person | {before} | {inside.mean():.3f} |" in page
        assert "| site | 240 of 6 | wrong among the others |" in page
        assert "| base | 2,000 of 20 | sent to a person |" not in page


def test_the_page_tells_the_first_release_and_the_labels_to_look_at() -> None:
    wrong = SITE.labels.copy()
    wrong[:9] = 1 - wrong[:9]
    named = replace(SITE, labels=wrong, names=np.array([f"cell-{i}.png" for i in range(len(SITE))]))
    told = judge(BASE, named, 0.5, 0.5, first=First("v0", BASE, 0.5))
    page = receipt.markdown(
        replace(JOB, state=JobState.SUCCEEDED, verdict=told.verdict, receipt=codec.to_json(told))
    )
    assert "| first release, from which the champion descends | v0 |" in page
    assert "| base sensitivity since the first release |" in page
    assert told.doubted and "## Labels to look at" in page
    assert all(f"| {cell.name} |" in page for cell in told.doubted)


def test_the_three_verdicts_are_told_apart() -> None:
    rejected, accepted = receipt.markdown(judged(size_bytes=10**9)), receipt.markdown(judged())
    open_ = judge(BASE, same(SITE), 0.5, 0.5)
    undecidable = receipt.markdown(
        replace(JOB, state=JobState.SUCCEEDED, verdict=open_.verdict, receipt=codec.to_json(open_))
    )
    pages = dict(zip(Verdict, (accepted, rejected, undecidable), strict=True))
    for verdict, page in pages.items():
        assert page.startswith(f"# {verdict.value.capitalize()}\n\n{receipt.MEANS[verdict]}")
        assert sum(other.value.capitalize() in page.splitlines()[0] for other in Verdict) == 1
    assert "| **broken** |" in rejected and "## What would help" in rejected
    assert "| cannot be decided |" in undecidable and "No cell changed hands" in undecidable
    assert "none: nothing was learnt" in undecidable


def test_an_older_receipt_is_told_as_far_as_it_goes() -> None:
    job = judged()
    old = {key: value for key, value in job.receipt.items() if key not in ("moved", "look", "fresh_due")}
    page = receipt.markdown(replace(job, receipt={**old, "base": None, "site": None}))
    assert "There was nothing to compare on." in page and "rightly by the challenger alone" in page


def test_a_job_without_a_verdict_has_no_receipt() -> None:
    with pytest.raises(NotFound, match="Job 4f2a has no receipt: it is queued"):
        receipt.markdown(JOB)
