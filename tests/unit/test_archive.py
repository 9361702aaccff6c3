"""Hostile ZIPs: what is refused as a whole, what is set aside alone, and that names are read as meant."""

import contextlib
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malaria.archive import Archive, Limits, Problem, open_archive, printable
from malaria.errors import BadArchive, UploadTooLarge
from tests.unit import zips


def codes(path: Path, limits: Limits | None = None) -> dict[str, str]:
    """Name to problem code, or 'read'."""
    return {n: d.code if isinstance(d, Problem) else "read" for n, d in open_archive(path, limits)}


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    return zips.pack(tmp_path / "usual.zip", zips.usual())


def test_an_ordinary_zip_is_read_whole(usual: Path) -> None:
    assert dict(open_archive(usual)) == zips.usual()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"this is no ZIP at all, though it has been called one" * 10, "not a ZIP"),
        (b"PK\x03\x04" + bytes(200), "not a ZIP"),
        (b"PK\x05\x06" + b"\xff" * 18, "too large|damaged|holds more"),
    ],
)
def test_what_is_not_a_zip_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises((BadArchive, UploadTooLarge), match=told):
        open_archive(path)


def test_a_zip_cut_short_is_refused(usual: Path) -> None:
    usual.write_bytes(usual.read_bytes()[:-40])
    with pytest.raises(BadArchive, match="end is missing"):
        open_archive(usual)


def test_a_comment_before_the_end_is_read(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual())
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by our microscope"
    assert dict(open_archive(path)) == zips.usual()


def test_the_zip64_form_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{i}"), b"")
    with Archive(path) as opened:
        assert len(opened.entries) == 66_000
    with pytest.raises(UploadTooLarge, match="more than 65,900 files"):
        Archive(path, Limits(max_entries=65_900))


@pytest.mark.parametrize("declared", [None, 3])
def test_200_000_entries_are_refused_before_a_list_is_built(tmp_path: Path, declared: int | None) -> None:
    path = zips.many_entries(tmp_path / "many.zip", 200_000, declared)
    tracemalloc.start()
    try:
        with pytest.raises(UploadTooLarge, match="more than 100,000 files"):
            open_archive(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_huge_directory_of_few_entries_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(5):
            info = zipfile.ZipInfo(f"{i}.png")
            info.comment = b"x" * 60_000
            archive.writestr(info, b"")
    with pytest.raises(BadArchive, match="directory alone"):
        open_archive(path, Limits(max_entries=100))


def test_a_file_too_large_is_refused_unread(usual: Path) -> None:
    with pytest.raises(UploadTooLarge, match="at most 1,000"):
        open_archive(usual, Limits(max_archive_bytes=1000))


@pytest.mark.parametrize("make", [zips.overlapping_bomb, zips.quoting_bomb])
def test_a_bomb_of_overlapping_entries_is_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path / "bomb.zip")
    with pytest.raises(BadArchive, match="overlap"):
        open_archive(path, Limits(max_total_bytes=2**40))


def test_a_42_kb_bomb_is_refused_early_by_what_it_declares(tmp_path: Path) -> None:
    path = zips.overlapping_bomb(tmp_path / "bomb.zip")
    assert path.stat().st_size < 43_000
    with pytest.raises(UploadTooLarge, match="in all"):
        open_archive(path)


def test_a_plain_bomb_is_set_aside_alone_and_never_held_in_memory(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", {**zips.usual(1), "Parasitized/bomb.png": bytes(19 * 2**20)})
    tracemalloc.start()
    try:
        found = codes(path)
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()
    assert found == {
        "Parasitized/p0.png": "read",
        "Uninfected/u0.png": "read",
        "Parasitized/bomb.png": "bomb",
    }


def test_a_bomb_that_declares_little_is_cut_off(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", {**zips.usual(1), "Parasitized/b.png": bytes(30 * 2**20)})
    zips.patch_directory(path, "Parasitized/b.png", size=5000)
    assert codes(path)["Parasitized/b.png"] == "damaged-entry"  # its first 5,000 bytes have another checksum


def test_an_entry_that_declares_more_than_it_holds_is_set_aside(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual())
    size = len(zips.png(0))
    zips.patch_directory(path, "Parasitized/p0.png", size=size + 7)
    found = dict(open_archive(path))
    problem = found.pop("Parasitized/p0.png")
    assert isinstance(problem, Problem)
    assert problem.code == "lying-header"
    assert f"{size + 7:,}" in problem.reason
    assert all(isinstance(data, bytes) for data in found.values())


def test_real_bytes_are_counted_over_the_whole_zip(tmp_path: Path) -> None:
    files = {f"Parasitized/{i}.png": zips.png(i) for i in range(9)}
    path = zips.pack(tmp_path / "a.zip", files)
    for name in files:
        zips.patch_directory(path, name, size=1)  # so what is declared passes
    most = 3 * len(zips.png(0))
    with Archive(path, Limits(max_total_bytes=most)) as opened:
        for entry in opened.entries:
            entry.info.file_size = len(
                files[entry.name]
            )  # as a library that believes the stream would read it
        with pytest.raises(UploadTooLarge, match="in all"):
            [opened.read(entry) for entry in opened.entries]


def test_an_entry_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual(), zipfile.ZIP_STORED)
    assert set(codes(path, Limits(max_entry_bytes=100)).values()) == {"entry-too-large"}


def test_a_wrong_checksum_sinks_only_its_entry(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual(), zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.index(b"Parasitized/p1.png") + 60] ^= 0xFF
    path.write_bytes(data)
    assert [name for name, code in codes(path).items() if code != "read"] == ["Parasitized/p1.png"]
    assert codes(path)["Parasitized/p1.png"] == "damaged-entry"


def test_encrypted_entries_are_set_aside(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual())
    zips.patch_directory(path, "Parasitized/p0.png", flags=1)
    zips.set_local_flags(path, "Parasitized/p0.png", 1)
    assert codes(path) == dict.fromkeys(zips.usual(), "read") | {"Parasitized/p0.png": "encrypted"}


def test_symlinks_and_devices_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (
            ("link.png", stat.S_IFLNK),
            ("device.png", stat.S_IFCHR),
            ("file.png", stat.S_IFREG),
        ):
            info = zipfile.ZipInfo(f"Parasitized/{name}")
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, b"/etc/passwd")
    assert codes(path) == {
        "Parasitized/link.png": "symlink",
        "Parasitized/device.png": "not-a-file",
        "Parasitized/file.png": "read",
    }


@pytest.mark.parametrize(
    "name",
    [
        "/etc/Parasitized/a.png",
        "../Parasitized/a.png",
        "Parasitized/../../a.png",
        "C:/Parasitized/a.png",
        "C:\\Parasitized\\a.png",
        "\\\\server\\Parasitized\\a.png",
        "..\\Parasitized\\a.png",
    ],
)
def test_names_that_lead_out_are_set_aside(tmp_path: Path, name: str) -> None:
    path = zips.raw_zip(tmp_path / "a.zip", [(name.encode(), 0, zips.png(1))])
    assert list(codes(path).values()) == ["unsafe-name"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_set_aside(tmp_path: Path, method: int) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual(1), method)
    assert set(codes(path).values()) == {"unsupported-compression"}


def test_an_unknown_compression_is_set_aside(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual(1))
    zips.patch_directory(path, "Parasitized/p0.png", method=97)
    assert codes(path) == {"Parasitized/p0.png": "unsupported-compression", "Uninfected/u0.png": "read"}


@pytest.mark.parametrize("name", ["Parasitized/inner.zip", "Parasitized/inner.png"])
def test_nested_zips_are_never_opened(tmp_path: Path, name: str) -> None:
    inner = zips.pack(tmp_path / "inner.zip", zips.usual()).read_bytes()
    path = zips.pack(tmp_path / "a.zip", {**zips.usual(1), name: inner})
    assert codes(path)[name] == "nested-archive"


@pytest.mark.parametrize(
    ("raw", "flags", "meant"),
    [
        ("Parasitized/ячейка é.png".encode(), 0x800, "Parasitized/ячейка é.png"),
        ("Parasitized/ячейка é.png".encode(), 0, "Parasitized/ячейка é.png"),
        ("Parasitized/é.png".encode("cp437"), 0, "Parasitized/é.png"),
        ("Parasitized/e\u0301.png".encode(), 0x800, "Parasitized/é.png"),
        (b"Parasitized\\a.png", 0, "Parasitized/a.png"),
    ],
    ids=["utf-8", "utf-8 unmarked", "cp437", "decomposed", "backslash"],
)
def test_names_are_read_as_meant(tmp_path: Path, raw: bytes, flags: int, meant: str) -> None:
    path = zips.raw_zip(tmp_path / "a.zip", [(raw, flags, zips.png(1))])
    assert dict(open_archive(path)) == {meant: zips.png(1)}


def test_a_name_wrongly_marked_as_utf_8_is_a_clear_error(tmp_path: Path) -> None:
    path = zips.raw_zip(tmp_path / "a.zip", [(b"Parasitized/\xff\xfe.png", 0x800, zips.png(1))])
    with pytest.raises(BadArchive, match="damaged"):
        open_archive(path)


def test_what_systems_add_is_passed_over(tmp_path: Path) -> None:
    extra = {
        "__MACOSX/Parasitized/._a.png": b"x",
        "Parasitized/.DS_Store": b"x",
        "Parasitized/Thumbs.db": b"x",
        ".hidden/a.png": b"x",
    }
    path = zips.pack(tmp_path / "a.zip", {**zips.usual(), **extra})
    assert codes(path) == dict.fromkeys(zips.usual(), "read")


def test_a_directory_that_points_before_the_start_is_refused(tmp_path: Path) -> None:
    path = zips.pack(tmp_path / "a.zip", zips.usual())
    zips.patch_directory(path, "Parasitized/p0.png", offset=2**31)
    with pytest.raises(BadArchive, match="overlap"):
        open_archive(path)


def test_find_prefers_the_upper_file_and_refuses_two(tmp_path: Path) -> None:
    path = zips.pack(
        tmp_path / "a.zip", {"in/Retrain.JSON": b"1", "retrain.json": b"2", "a/b/retrain.json": b"3"}
    )
    with Archive(path) as opened:
        found = opened.find("retrain.json")
        assert found is not None
        assert opened.read(found) == b"2"
    two = zips.pack(tmp_path / "b.zip", {"in/retrain.json": b"1", "on/retrain.json": b"2"})
    with Archive(two) as opened, pytest.raises(BadArchive, match="two files"):
        opened.find("retrain.json")


def test_the_file_is_closed_whatever_happens(usual: Path) -> None:
    with pytest.raises(UploadTooLarge):
        open_archive(usual, Limits(max_total_bytes=10))
    next(open_archive(usual))  # left half read: ResourceWarning would fail the test


@given(st.binary(max_size=300), st.integers(0, 10_000), st.booleans())
def test_any_damage_ends_in_a_clear_error_or_in_entries(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, where: int, insert: bool
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.zip"
    data = zips.pack(path, zips.usual(2)).read_bytes()
    at = len(data) - 1 - where % len(data)  # damage near the end is the directory's
    path.write_bytes(data[:at] + noise + data[at if insert else at + len(noise) :])
    with contextlib.suppress(BadArchive, UploadTooLarge):
        assert all(isinstance(found, bytes | Problem) for _, found in open_archive(path))


@given(st.text(max_size=400))
def test_printable_names_hold_no_control_characters(name: str) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert len(shown) <= 200
