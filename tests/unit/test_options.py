"""What may be chosen about a retraining, and how a wrong choice is told."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.domain import Method, RetrainOptions
from malaria.errors import BadOptions
from malaria.options import parse_options, validate_options


def test_nothing_chosen_means_defaults() -> None:
    assert validate_options({}) == RetrainOptions()
    assert validate_options({"method": None, "epochs": None, "note": None}) == RetrainOptions()


def test_everything_may_be_chosen() -> None:
    chosen = {
        "method": "full",
        "epochs": 5,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "network": "mobilenet_v2",
        "note": "a",
    }
    assert validate_options(chosen) == RetrainOptions(Method.FULL, 5, 16, 1e-3, "mobilenet_v2", "a")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "magic"),
        ("method", 3),
        ("method", ["full"]),
        ("epochs", 0),
        ("epochs", 201),
        ("epochs", 2.5),
        ("epochs", "5"),
        ("epochs", True),
        ("epochs", math.inf),
        ("batch_size", 513),
        ("batch_size", -1),
        ("learning_rate", 0),
        ("learning_rate", 1.01),
        ("learning_rate", math.nan),
        ("learning_rate", "fast"),
        ("network", "resnet"),
        ("note", "x" * 1001),
        ("note", 7),
        ("epoch", 5),
    ],
)
def test_a_wrong_choice_names_its_field(name: str, value: Any) -> None:
    with pytest.raises(BadOptions, match=f"{name}") as caught:
        validate_options({name: value})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "values"), [("epochs", (1, 200)), ("batch_size", (1, 512)), ("learning_rate", (1e-6, 1))]
)
def test_bounds_are_taken(name: str, values: tuple[float, float]) -> None:
    assert [getattr(validate_options({name: value}), name) for value in values] == list(values)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[1]", "an object"),
        (b"[" * 50_000, "too deep"),
        (b'{"epochs": ' + b"9" * 6000 + b"}", "a number too long|epochs"),
        (b'{"epochs": NaN}', "epochs"),
        (b" " * 70_000, "at most 65,536"),
        (b'{"mehtod": "full"}', "Unknown field 'mehtod'. Known are method, epochs"),
    ],
)
def test_a_bad_file_says_what_is_wrong(data: bytes, told: str) -> None:
    with pytest.raises(BadOptions, match=told) as caught:
        parse_options(data)
    assert "retrain.json" in str(caught.value)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_options(b'\xef\xbb\xbf{"epochs": 2}').epochs == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3
)


@given(
    st.dictionaries(
        st.sampled_from(["method", "epochs", "batch_size", "learning_rate", "network", "note", "x"]), JSON
    )
)
def test_any_values_give_options_or_a_clear_error(told: dict[str, Any]) -> None:
    try:
        options = validate_options(told)
    except BadOptions:
        return
    assert options.epochs is None or 1 <= options.epochs <= 200
    assert options.learning_rate is None or 1e-6 <= options.learning_rate <= 1
