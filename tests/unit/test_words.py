"""The page has words for every code that a person meets on it; its own tests hold five languages to these."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from malaria import warned
from malaria.errors import MalariaError

OWN = {"busy", "interrupted", "started-again", "process-ended", "unexpected", "duplicate", "cancelled"}


@pytest.fixture(scope="module")
def words(root: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((root / "ui/src/i18n/en.json").read_text(encoding="utf-8"))
    return told


def _codes(root: Path, made: str, *files: str) -> set[str]:
    texts = [(root / "src/malaria" / file).read_text(encoding="utf-8") for file in files]
    found = {code for text in texts for code in re.findall(made + r'\(\s*(?:[\w.]+,\s*)?"([a-z-]+)"', text)}
    assert found
    return found


def test_each_reason_for_setting_a_picture_aside_has_words(root: Path, words: dict[str, Any]) -> None:
    codes = _codes(root, "(?:Problem|Refused)", "archive.py", "layout.py", "sieve.py")
    assert {"encrypted", "no-class", "judged-patient"} <= codes
    assert codes <= words["training"]["asides"].keys()
    assert {"unreadable-image", "image-too-small", "image-too-large"} <= words["reason"].keys()


def test_each_warning_has_words(words: dict[str, Any]) -> None:
    assert words["training"]["warned"].keys() == warned.SENTENCES.keys()


def test_each_piece_of_advice_has_words(root: Path, words: dict[str, Any]) -> None:
    codes = _codes(root, "Advised", "advice.py", "challenger.py") | {"more-parasitized", "more-uninfected"}
    assert words["training"]["advised"].keys() == codes


def test_each_reason_why_a_job_ended_is_a_code_of_the_server(words: dict[str, Any]) -> None:
    told = [kind for kind in _kinds(MalariaError) if kind.__module__ == MalariaError.__module__]
    codes = {kind.__new__(kind).code for kind in told} | OWN
    assert words["training"]["whys"].keys() <= codes


def _kinds(of: type[MalariaError]) -> Iterator[type[MalariaError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)
