"""Tables of patients as people make them, and how a bad one is told."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.errors import BadArchive
from malaria.patients_csv import read_patients

PICTURES = ["in/Parasitized/a.png", "in/Uninfected/a.png", "in/Uninfected/b.png", "top.png"]


@pytest.mark.parametrize(
    "table",
    [
        "file,patient\nb.png,X1\n",
        "File;Patient\r\nb.png;X1\r\n",
        "\ufeffpatient\tslide\tfile\nX1\t7\tb.png\n",
        'file,patient\n"b.png"," X1 "\n\n,\n',
        'file,patient,note\nin\\Uninfected\\b.png,X1,"two\nlines"\n',
        "file,patient\r./Uninfected/b.png,X1\r",
    ],
    ids=["plain", "semicolon", "tab and bom", "quoted", "backslash and note", "old mac"],
)
def test_tables_are_read_as_people_make_them(table: str) -> None:
    found = read_patients(table.encode(), PICTURES)
    assert found.patients == {"in/Uninfected/b.png": "X1"}
    assert found.unmatched == 0


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (b"", "line 1: the first line must name the columns"),
        (b"name,who\nb.png,X\n", "line 1: the first line must name the columns"),
        (b"b.png,X\n", "line 1: the first line"),
        (b"file,patient\nb.png,X\nb.png\n", "line 3: it has 1 columns, the first line 2"),
        (b"file,patient\nb.png,\n", "line 2: it names no patient"),
        (b"file,patient\n,X\n", "line 2: it names no file"),
        (b"file,patient\na.png,X\n", "line 2: 'a.png' names 2 pictures; write the path, such as in/Para"),
        (
            b"file,patient\nb.png,X\nUninfected/b.png,Y\n",
            "line 3: 'Uninfected/b.png' was given another patient",
        ),
        (b"file,patient\nc.png,X\nd.png,Y\n", "no row"),
        (b"file,patient\nb.png,J\xf6rg\n", "line 2: it is not UTF-8"),
        (b'file,patient\nb.png,"X\n', "it is not CSV"),
        (b"file,patient\nb.png," + b"x" * 101, "line 2: the patient's id"),
        (b"file,patient\nb.png,a\x07b\n", "line 2: the patient's id"),
    ],
)
def test_a_bad_table_names_the_line(table: bytes, told: str) -> None:
    with pytest.raises(BadArchive, match=told):
        read_patients(table, PICTURES)


def test_a_whole_path_wins_over_an_end_that_two_share() -> None:
    pictures = ["Parasitized/a.png", "x/Parasitized/a.png"]
    found = read_patients(b"file,patient\nParasitized/a.png,X\n", pictures)
    assert found.patients == {"Parasitized/a.png": "X"}


def test_rows_of_other_files_are_counted() -> None:
    assert read_patients(b"file,patient\nb.png,X\nc.png,Y\nd.png,Z\n", PICTURES).unmatched == 2


def test_decomposed_names_match_composed_ones() -> None:
    found = read_patients("file,patient\ncafe\u0301.png,X\n".encode(), ["Parasitized/caf\u00e9.png"])
    assert list(found.patients.values()) == ["X"]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: ("file,patient\n" + t).encode()))
def test_any_bytes_are_read_or_refused(table: bytes) -> None:
    with contextlib.suppress(BadArchive):
        assert set(read_patients(table, PICTURES).patients) <= set(PICTURES)
