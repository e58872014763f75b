"""The files of a replay: plain or gzip, read twice, line by line.

The first reading surveys (what format, how the clock runs), the second judges.  Law of the file: memory does not grow with
the file; a line longer than MAX_LINE counts as unreadable; what stands before a broken gzip's break is still read.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from botsieve.errors import InputError
from botsieve.observation import Observation
from botsieve.replay.clock import FileClock
from botsieve.replay.formats import LineParser, detect, facts_seen

MAX_LINE = 65536
_BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"
_OTHER_PACKERS = {b"\xfd7zXZ": "xz -dc", b"BZh": "bzip2 -dc", b"\x28\xb5\x2f\xfd": "zstd -dc"}

OnBytes = Callable[[int], None]


def _nobody(_: int) -> None:
    pass


class LogFile:
    """One log.  `name`: as the caller wrote it.  `broken`: why reading ended before the end, "" if it did not.

    After `survey`: `lines`, `unreadable` (counts), `clock`, `seen` (facts of docs/replay.md that its lines can hold).
    """

    def __init__(self, name: str) -> None:
        """Errors: InputError if it cannot be opened or is packed in a way that is not read."""
        self.name = name
        self.lines = self.unreadable = 0
        self.clock = FileClock()
        self.seen: frozenset[str] = frozenset()
        self.broken = ""
        self._parser: LineParser | None = None
        self._spooled: BinaryIO | None = None
        try:
            if name == "-":
                self._spooled = _spool(sys.stdin.buffer)
            elif not Path(name).is_file() and Path(name).exists() and not Path(name).is_dir():
                with open(name, "rb") as pipe:
                    self._spooled = _spool(pipe)
            with self._open() as raw:
                head = raw.read(6)
                self.size = raw.seek(0, os.SEEK_END)
        except OSError as error:
            raise InputError(
                f"{name}: {error.strerror}; accepted: an access log, plain or .gz, or - for standard input"
            ) from None
        self._gzip = head.startswith(_GZIP)
        for magic, unpack in _OTHER_PACKERS.items():
            if head.startswith(magic):
                raise InputError(f"{name}: read plain or .gz; unpack it first: {unpack} {name} | botsieve replay -")

    @property
    def format(self) -> str:
        """docs/replay.md's word for the format; "" for a file without a line."""
        return self._parser.name if self._parser else ""

    @property
    def resolution_s(self) -> float:
        """The finest difference that its stamps show."""
        return self.clock.resolution_s(self._parser.resolution_s if self._parser else 1.0)

    def survey(self, parser: LineParser | None = None, on_bytes: OnBytes = _nobody) -> None:
        """Reads the whole file once.  `parser`: None to find out.  Errors: InputError for an unknown format."""
        first_lines = list(islice(self._read(_nobody), 50))
        if not first_lines:
            return
        self._parser = parser or detect(first_lines, self.name)
        shows: set[tuple[frozenset[bytes] | None, int]] = set()
        for line in self._read(on_bytes):
            self.lines += 1
            o = self._parser.parse(line)
            if o is None:
                self.unreadable += 1
                continue
            self.clock.tick(o.edge_time_s)
            if len(shows) < 4096:
                shows.add((o.headers_seen, o.sight))
        self.seen = frozenset().union(*(facts_seen(*show) for show in shows))
        if self.lines == self.unreadable:
            raise InputError(
                f"{self.name}: no line of {self.lines:,} could be read with the format given; line 1 does not fit it"
            )

    def observations(self, on_bytes: OnBytes = _nobody) -> Iterator[Observation]:
        """The requests in the order of the file; of a log that is being written, no more lines than the survey saw."""
        if self._parser is None:
            return
        parse = self._parser.parse
        for line in islice(self._read(on_bytes), self.lines):
            o = parse(line)
            if o is not None:
                yield o

    def _open(self) -> BinaryIO:
        if self._spooled is None:
            return open(self.name, "rb")
        copy = os.fdopen(os.dup(self._spooled.fileno()), "rb")
        copy.seek(0)
        return copy

    def _read(self, on_bytes: OnBytes) -> Iterator[bytes]:
        with self._open() as raw:
            blocks = self._unpacked(raw) if self._gzip else iter(lambda: raw.read(_BLOCK), b"")
            yield from _lines(_metered(blocks, raw, on_bytes))

    def _unpacked(self, raw: BinaryIO) -> Iterator[bytes]:
        with gzip.open(raw) as unpacked:
            assert isinstance(unpacked, gzip.GzipFile)
            try:
                # read1: what was unpacked before the break is handed out before the break is noticed.
                while block := unpacked.read1(_BLOCK):
                    yield block
            except EOFError:
                self.broken = "the gzip ends in the middle"
            except (gzip.BadGzipFile, zlib.error) as error:
                self.broken = f"the gzip is damaged ({error})"


def _spool(stream: BinaryIO) -> BinaryIO:
    """A pipe can be read once only: a copy on disk, gone when it is closed."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed with its LogFile)
    shutil.copyfileobj(stream, copy, _BLOCK)
    copy.flush()
    assert isinstance(copy, io.IOBase)
    return copy


def _metered(blocks: Iterator[bytes], raw: BinaryIO, on_bytes: OnBytes) -> Iterator[bytes]:
    before = 0
    for block in blocks:
        at = raw.tell()
        on_bytes(at - before)
        before = at
        yield block


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their end, empty ones left out.  One longer than MAX_LINE comes as b"\\0", which no format reads."""
    rest = b""
    too_long = False
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if too_long and lines:
            lines[0], too_long = b"\0", False
        for line in lines:
            if len(line) > MAX_LINE:
                yield b"\0"
            elif line := line.removesuffix(b"\r"):
                yield line
        if too_long or len(rest) > MAX_LINE:
            rest, too_long = b"", True
    if too_long:
        yield b"\0"
    elif rest := rest.removesuffix(b"\r"):
        yield rest
