"""Reads a ZIP that anyone may have sent: nothing in its headers is believed, nothing is written to disk.

Sizes are counted while they stream; what a header declares serves only to refuse early. An entry that cannot
be used becomes a `Problem` beside the others; what makes the whole ZIP unusable is raised.
"""

import contextlib
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from malaria.errors import BadArchive, UploadTooLarge
from malaria.zip_directory import count_entries


@dataclass(frozen=True, slots=True)
class Limits:
    """What one ZIP may cost. Bytes are real ones, counted; pixels are those of decoded pictures."""

    max_archive_bytes: int = 2 * 2**30
    max_entries: int = 100_000
    max_entry_bytes: int = 20 * 2**20
    max_total_bytes: int = 4 * 2**30
    max_ratio: int = 200
    max_pixels: int = 2048 * 2048
    max_total_pixels: int = 20_000_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one entry is not used. code: kebab-case and stable; reason: for a person."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a ZIP. name: its path with '/', for matching; problem: what its header alone shows."""

    name: str
    info: zipfile.ZipInfo
    problem: Problem | None

    @property
    def shown(self) -> str:
        """The name as it may be printed: no control characters, at most 200 characters."""
        return printable(self.name)

    @property
    def hidden(self) -> bool:
        """Whether a system put it there, not a person: `__MACOSX`, dot files, Thumbs.db."""
        parts = PurePosixPath(self.name).parts
        return any(_is_hidden(part) for part in parts)


_CHUNK = 64 * 1024
_LOCAL_HEADER = 30  # bytes, without its name
_RATIO_FROM = 2**20  # a small file may well shrink a thousandfold; it does no harm
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, struct.error, UnicodeDecodeError)
_UNOPENABLE = (*_UNREADABLE, ValueError, OverflowError)
_NESTED = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b")


class Archive:
    """An open ZIP; a context manager.

    Raises, when made:
        BadArchive: not a ZIP, damaged as a whole, or a bomb of overlapping entries.
        UploadTooLarge: more bytes or entries than `limits` allow.
    """

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._bytes_read = 0
        _check_file(path, self.limits)
        try:
            self._zip = zipfile.ZipFile(path)
        except _UNOPENABLE as error:
            raise BadArchive(
                f"The ZIP is damaged ({error}). Pack the folders again and send it whole."
            ) from None
        try:
            infos = self._zip.infolist()
            _check_directory(infos, self._zip.start_dir, self.limits)
            self.entries = [_entry(info, self.limits) for info in infos if not _is_folder(info)]
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()

    def read(self, entry: Entry) -> bytes | Problem:
        """The entry's bytes, or why they cannot be had.

        Raises UploadTooLarge where the ZIP holds too much in all.
        """
        if entry.problem is not None:
            return entry.problem
        try:
            data = self._stream(entry)
        except _UNREADABLE as error:
            return Problem("damaged-entry", f"It cannot be unpacked ({error}). Pack it again.")
        if isinstance(data, Problem):
            return data
        if len(data) != entry.info.file_size:
            return Problem(
                "lying-header",
                f"It declares {entry.info.file_size:,} bytes and holds {len(data):,}. Pack it again.",
            )
        if data.startswith(_NESTED):
            return _NESTED_ARCHIVE
        return data

    def find(self, name: str) -> Entry | None:
        """The file of that name (any case) at the top or one level down, the upper one first.

        Raises BadArchive where two stand at the same level.
        """
        found = [e for e in self.entries if not e.hidden and PurePosixPath(e.name).name.lower() == name]
        for depth in (1, 2):
            level = [e for e in found if len(PurePosixPath(e.name).parts) == depth]
            if len(level) > 1:
                both = f"{level[0].shown} and {level[1].shown}"
                raise BadArchive(f"The ZIP holds two files {name}: {both}. Keep one.")
            if level:
                return level[0]
        return None

    def _stream(self, entry: Entry) -> bytes | Problem:
        data, packed = bytearray(), max(1, entry.info.compress_size)
        with self._zip.open(entry.info) as stream:
            while chunk := stream.read(_CHUNK):
                data += chunk
                self._bytes_read += len(chunk)
                if self._bytes_read > self.limits.max_total_bytes:
                    raise _too_much(self.limits)
                if len(data) > self.limits.max_entry_bytes:
                    return _entry_too_large(self.limits)
                if len(data) > _RATIO_FROM and len(data) > self.limits.max_ratio * packed:
                    return _bomb(self.limits)
        return bytes(data)


def open_archive(
    path: Path, limits: Limits | None = None, *, counted: Callable[[int], None] | None = None
) -> Iterator[tuple[str, bytes | Problem]]:
    """Each file of a ZIP that a person put there, in the ZIP's order: printable name, and bytes or problem.

    counted: told how many files there are before any is unpacked; it may raise. Raises at once as `Archive`
    does, and UploadTooLarge while reading.
    """
    archive = Archive(path, limits)
    entries = [entry for entry in archive.entries if not entry.hidden]
    if counted is not None:
        try:
            counted(len(entries))
        except BaseException:
            archive.close()
            raise

    def each() -> Iterator[tuple[str, bytes | Problem]]:
        with archive:
            for entry in entries:
                yield entry.shown, archive.read(entry)

    return each()


def printable(name: str) -> str:
    """A name from outside as it may stand in a report, a log or a terminal: at most 200 characters."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return shown if len(shown) <= 200 else f"{shown[:99]}\N{HORIZONTAL ELLIPSIS}{shown[-100:]}"


def _check_file(path: Path, limits: Limits) -> None:
    size = path.stat().st_size
    if size == 0:
        raise BadArchive("The file is empty. Send a ZIP with the folders Parasitized and Uninfected.")
    if size > limits.max_archive_bytes:
        raise UploadTooLarge(
            f"The ZIP has {size:,} bytes; at most {limits.max_archive_bytes:,} are taken. Send it in parts."
        )
    with path.open("rb") as file:
        count = count_entries(file, limits.max_entries)
    if count > limits.max_entries:
        raise UploadTooLarge(f"The ZIP holds more than {limits.max_entries:,} files. Send it in parts.")


def _check_directory(infos: list[zipfile.ZipInfo], directory: int, limits: Limits) -> None:
    """Refuse entries that share bytes: a small ZIP becomes a huge one by listing the same data many times."""
    if sum(info.file_size for info in infos) > limits.max_total_bytes:
        raise _too_much(limits)
    ordered = sorted(infos, key=lambda info: info.header_offset)
    following = [*(info.header_offset for info in ordered), directory][1:]
    if ordered and ordered[0].header_offset < 0:
        raise BadArchive("The ZIP's directory points before its start. Pack the folders again.")
    for info, following_start in zip(ordered, following, strict=True):
        if info.header_offset + _LOCAL_HEADER + info.compress_size > following_start:
            raise BadArchive(
                f"Entries of the ZIP overlap, at {printable(info.filename)}: it is damaged, or made to "
                "unpack without end. Pack the folders again with an ordinary ZIP program."
            )


def _entry(info: zipfile.ZipInfo, limits: Limits) -> Entry:
    name = _name(info)
    return Entry(name, info, _header_problem(name, info, limits))


def _name(info: zipfile.ZipInfo) -> str:
    """The path with '/', composed characters, and UTF-8 names read as such where the ZIP forgot to say so."""
    name = info.filename
    if not info.flag_bits & _UTF8_NAME and not name.isascii():
        with contextlib.suppress(UnicodeError):  # then it really is cp437, as zipfile took it
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _header_problem(name: str, info: zipfile.ZipInfo, limits: Limits) -> Problem | None:
    path = PurePosixPath(name)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
        return Problem("unsafe-name", "Its name leads out of the ZIP's own folder ('/', '..' or a drive).")
    if kind == stat.S_IFLNK:
        return Problem("symlink", "It is a link to another file. Pack the picture itself.")
    if kind not in (0, stat.S_IFREG):
        return Problem("not-a-file", "It is a device or pipe, not a file.")
    if info.flag_bits & _ENCRYPTED:
        return Problem("encrypted", "It is protected by a password. Pack the ZIP without one.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Problem("unsupported-compression", "Its compression is not read. Pack it with deflate.")
    if info.file_size > limits.max_entry_bytes:
        return _entry_too_large(limits)
    if path.suffix.lower() in (".zip", ".rar", ".7z", ".gz", ".tgz"):
        return _NESTED_ARCHIVE
    return None


_NESTED_ARCHIVE = Problem(
    "nested-archive", "It is an archive within the ZIP, which is not opened. Unpack it first."
)


def _bomb(limits: Limits) -> Problem:
    return Problem("bomb", f"It unpacks to more than {limits.max_ratio} times its size, as no picture does.")


def _entry_too_large(limits: Limits) -> Problem:
    most = f"{limits.max_entry_bytes:,}"
    return Problem("entry-too-large", f"It unpacks to more than {most} bytes; a cell is far smaller.")


def _too_much(limits: Limits) -> UploadTooLarge:
    most = f"{limits.max_total_bytes:,}"
    return UploadTooLarge(f"The ZIP unpacks to more than {most} bytes in all. Send it in parts.")


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\"))


def _is_hidden(part: str) -> bool:
    dotted = part.startswith(".") and part not in (".", "..")
    return dotted or part == "__MACOSX" or part.lower() in ("thumbs.db", "desktop.ini")
