"""A file that grows by whole JSON lines, read on from where the last look ended: a look costs what is new."""

import json
import os
from pathlib import Path

TAIL_BYTES = 200  # about a line of metrics.jsonl


def parse_line(line: bytes) -> dict | None:
    """One line as a dict, or None where it is none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None  # a line torn by a crash; what follows is whole again
    return row if isinstance(row, dict) else None


class NewLines:
    """The lines of a .jsonl file since the last `read`; half a last line waits."""

    def __init__(self, path: Path):
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self._file, self._offset, self._tail = None, 0, b""

    def read(self) -> tuple[list[dict], bool]:
        """(the new rows, whether they are all there are: what was read before is no longer true)."""
        anew = False
        try:
            with open(self.path, "rb") as file:
                number = os.fstat(file.fileno()).st_ino
                file.seek(self._offset - len(self._tail))
                # cut and written again by a continuation: begin anew. A file's number may be used again, so the last
                # line that was read must still be there too.
                if number != self._file or file.read(len(self._tail)) != self._tail:
                    self._forget()
                    self._file, anew = number, True
                    file.seek(0)
                data = file.read()
        except OSError:
            self._forget()
            return [], True
        whole = data.rfind(b"\n") + 1
        if whole:
            self._offset += whole
            self._tail = data[:whole][-TAIL_BYTES:]
        return [row for row in map(parse_line, data[:whole].splitlines()) if row is not None], anew
