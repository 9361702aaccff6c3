"""Counts the entries of a ZIP before anything builds a list of them.

`zipfile` reads the whole directory and makes an object for each entry as soon as it opens a file. So the end
record and the directory's own headers are walked first, where `zipfile` looks for them, with nothing kept.
"""

import os
import struct
from typing import BinaryIO

from malaria.errors import BadArchive

_END = struct.Struct("<4s4H2LH")  # end of central directory
_LOCATOR = struct.Struct("<4sLQL")  # where the ZIP64 end record is
_END64 = struct.Struct("<4sQ2H2L4Q")
_HEADER_SIZE = 46  # of one entry in the directory, before its name
_LENGTHS = struct.Struct("<3H")  # name, extra and comment, at offset 28 of it
_BYTES_AN_ENTRY = 1024  # a real entry takes about 120 bytes


def count_entries(file: BinaryIO, at_most: int) -> int:
    """The number of entries, as declared or as counted, whichever is more; counting stops above `at_most`.

    Raises:
        BadArchive: not a ZIP, cut short, or a directory far too large for `at_most` entries.
    """
    declared, start, size = _find(file)
    if declared > at_most:
        return declared
    if size > at_most * _BYTES_AN_ENTRY:
        raise BadArchive(
            f"The ZIP's directory alone takes {size:,} bytes, far more than {at_most:,} pictures need. "
            "Pack the folders again with an ordinary ZIP program."
        )
    counted, position = 0, start
    while counted <= at_most and position + _HEADER_SIZE <= start + size:
        file.seek(position)
        header = file.read(_HEADER_SIZE)
        if not header.startswith(b"PK\x01\x02"):
            break  # damaged from here on: zipfile says so
        counted += 1
        position += _HEADER_SIZE + sum(_LENGTHS.unpack_from(header, 28))
    return max(declared, counted)


def _find(file: BinaryIO) -> tuple[int, int, int]:
    """Declared entries, start and size in bytes of the directory."""
    length = file.seek(0, os.SEEK_END)
    end = _end_record(file, length)
    if end is None:
        raise BadArchive(
            "The file is not a ZIP, or its end is missing. Pack the folders as .zip, send it whole."
        )
    where, (_, _, _, _, declared, size, _, _) = end
    if where >= _LOCATOR.size + _END64.size:
        file.seek(where - _LOCATOR.size)
        if file.read(4) == b"PK\x06\x07":
            file.seek(where - _LOCATOR.size - _END64.size)
            record = file.read(_END64.size)
            if record.startswith(b"PK\x06\x06"):
                where -= _LOCATOR.size + _END64.size
                declared, size = _END64.unpack(record)[7:9]
    start = where - size
    if start < 0:
        raise BadArchive("The ZIP's directory is damaged or cut short. Pack the folders again.")
    return declared, start, size


def _end_record(file: BinaryIO, length: int) -> tuple[int, tuple[int, ...]] | None:
    """Where the end record lies and what it says: at the very end, else before a comment."""
    if length < _END.size:
        return None
    file.seek(length - _END.size)
    last = file.read(_END.size)
    if last.startswith(b"PK\x05\x06") and last.endswith(b"\0\0"):
        return length - _END.size, _END.unpack(last)
    begin = max(0, length - _END.size - 0xFFFF)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return None
    return begin + at, _END.unpack_from(tail, at)
