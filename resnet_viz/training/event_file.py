"""The rows of a run as a TensorBoard event file, written by hand: a few fields of two records need no package.

An event file is a sequence of TFRecords: length (uint64) and its checksum, the bytes and their checksum, little-endian;
each record is one `Event` in protocol buffers (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto).
"""

import os
import socket
import struct
import time
from pathlib import Path

from .. import runs

FOLDER = "tensorboard"
TAGS = ("loss", "accuracy", "lr", "epoch")


class EventFile:
    """One event file, as long as a process trains: it begins with the rows that the run already has."""

    def __init__(self, run: Path):
        folder = run / FOLDER
        folder.mkdir(exist_ok=True)
        for old in folder.glob("events.out.tfevents.*"):
            old.unlink()  # its rows come again below; those that a continuation has cut off must not stay
        self.path = folder / f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
        now = time.time()
        self._append(_double(1, now) + _bytes(3, b"brain.Event:2"))
        rows = runs.read_lines(run / "metrics.jsonl")
        ended = max((row.get("elapsed_s", 0.0) for row in rows), default=0.0)
        for row in rows:
            self.add(row, now - ended + row.get("elapsed_s", 0.0))

    def add(self, row: dict, wall_time: float | None = None) -> None:
        """A row of metrics.jsonl: each of its numbers under "<number>/<split>" at the row's step."""
        values = b"".join(_bytes(1, _bytes(1, f"{tag}/{row['split']}".encode()) + _float(2, row[tag])) for tag in TAGS if tag in row)
        self._append(_double(1, time.time() if wall_time is None else wall_time) + _whole(2, row["step"]) + _bytes(5, values))

    def _append(self, record: bytes) -> None:
        length = struct.pack("<Q", len(record))
        with open(self.path, "ab") as file:
            file.write(length + _checksum(length) + record + _checksum(record))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _whole(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _table() -> list[int]:
    """CRC-32C (Castagnoli, RFC 3720 appendix B.4), byte by byte."""
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        found.append(value)
    return found


_TABLE = _table()


def _checksum(data: bytes) -> bytes:
    """Masked as TFRecord wants it: turned by 15 bits and shifted by a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
