"""What must hold between answers: versions, and one answer to one picture."""

import pytest

from load.answers import Wrong
from load.steady import LAG, Remembered, Versions


class Now:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_version_serves_until_a_newer_one_does_and_a_moment_longer() -> None:
    now = Now()
    versions = Versions(now)
    versions.learn(1, "a")
    assert versions.knows("a")
    assert not versions.knows("b")
    versions.learn(2, "b")
    assert versions.knows("b") and versions.knows("a")
    now.at = LAG + 1
    assert versions.knows("b")
    assert not versions.knows("a"), "an instance that still answers by it was not told of the promotion"


def test_a_rollback_is_a_newer_promotion_of_an_older_version() -> None:
    now = Now()
    versions = Versions(now)
    for number, version in ((1, "a"), (2, "b"), (3, "a")):
        versions.learn(number, version)
    now.at = LAG + 1
    assert versions.knows("a")
    assert not versions.knows("b")


def test_what_lags_says_nothing_new() -> None:
    versions = Versions(Now())
    versions.learn(2, "b")
    versions.learn(1, "a")
    assert versions.knows("b")
    assert not versions.knows("a")
    with pytest.raises(Wrong, match="two versions"):
        versions.learn(2, "c")


def test_one_picture_gets_one_answer_by_one_version() -> None:
    seen = Remembered()
    seen.compare("v1", "a.png", "Parasitized", 0.91)
    seen.compare("v1", "a.png", "Parasitized", 0.9101)
    seen.compare("v1", "b.png", None, None)
    seen.compare("v2", "a.png", "Uninfected", 0.6)
    with pytest.raises(Wrong, match="mixed up"):
        seen.compare("v1", "a.png", "Parasitized", 0.95)
    with pytest.raises(Wrong, match="mixed up"):
        seen.compare("v1", "a.png", "Uninfected", 0.91)
    with pytest.raises(Wrong, match="answered and refused"):
        seen.compare("v1", "b.png", "Parasitized", 0.95)
