"""Patients and fields, read off names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.patients import draw, field_of, patient_of


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("C33P1thinF_IMG_20150619_114756a_cell_179.png", "C33P1"),
        ("C1_thinF_IMG_20150604_104722_cell_15.png", "C1"),
        ("C6NThinF_IMG_20150609_122034_cell_20.png", "C6N"),
        ("C37BP2thinF_IMG_1_cell_1.png", "C37P2"),
        ("C51AP12thinF_IMG_1_cell_1.png", "C51P12"),
        ("C47P8thinOriginalOlympusCX21_cell_1.png", "C47P8"),
        ("C47P8thin_1.png", "C47P8"),
        ("C167P128ReThinF_IMG_1.png", "C167P128"),
        ("C3thin_1.png", "C3"),
        ("Parasitized/c104p65thinf_IMG_1_cell_9.webp", "C104P65"),
        ("cell_12.png", None),
        ("IMG_C33P1.png", None),
        ("synthetic_0007_cell_12.png", None),
        ("", None),
    ],
)
def test_nih_names_tell_the_patient(name: str, patient: str | None) -> None:
    assert patient_of(name) == patient


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Parasitized/site_IMG_7_cell_12.png", "site_IMG_7"),
        ("slide-3-Cell-4.png", "slide-3"),
        ("slide3cell4.png", "slide3"),
        ("cell_12.png", None),
        ("picture.png", None),
    ],
)
def test_fields_are_read_off_names(name: str, field: str | None) -> None:
    assert field_of(name) == field


@given(
    st.integers(1, 999),
    st.integers(1, 999),
    st.sampled_from(["", "A", "B"]),
    st.text(alphabet="tTh_ei", max_size=5),
)
def test_slides_of_one_person_are_one_patient(number: int, person: int, slide: str, rest: str) -> None:
    name = f"C{number}{slide}P{person}thin{rest}_cell_1.png"
    assert patient_of(name) == patient_of(name.lower()) == f"C{number}P{person}"


@given(st.text(max_size=50))
def test_a_draw_is_a_share_and_always_the_same(key: str) -> None:
    assert 0 <= draw(key) < 1
    assert draw(key) == draw(key)


def test_draws_are_spread_evenly_and_salted() -> None:
    drawn = [draw(str(i), "a") for i in range(4000)]
    assert abs(sum(drawn) / 4000 - 0.5) < 0.02
    assert abs(sum(d < 0.2 for d in drawn) / 4000 - 0.2) < 0.03
    assert draw("1", "a") != draw("1", "b")
