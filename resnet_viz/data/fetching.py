"""Files from the internet: with time limits, progress, a checksum, and never half a file in its place.

torchvision's and torch.hub's own downloads have no time limit and no progress that a page can show.
"""

import os
import threading
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from .. import leavings
from ..problems import Problem
from .sources import Progress

CONNECT_S = 8.0  # for an address to answer
STALL_S = 15.0  # without a byte in the middle of a download
BLOCK_BYTES = 2**18


class Unreachable(Exception):
    """No address gave the file; the text says why the last one did not, for the middle of the caller's sentence."""


def fetch(urls: Sequence[str], path: Path, whole: Callable[[Path], bool], name: str, progress: Progress | None) -> None:
    """Put the file at `path` from the first address that sends it whole; OSError where nothing can be written there.

    urls      mirrors in order
    whole     tells by its checksum whether a file is the wanted one
    name      what the progress calls it; progress(done, total, text) may raise to stop: nothing is left behind then
    Raises Unreachable, and Problem where the disk is full.
    """
    # two sessions may fetch the same file at once: each into a part of its own, and whoever is last replaces it
    part = path.with_name(f"{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    leavings.clear_files(path.parent)
    part.touch()
    why = "no address is known"
    try:
        for url in urls:
            try:
                _copy(url, part, name, progress)
            except (OSError, HTTPException) as error:  # URLError and time-outs are OSErrors
                why = f"{urlsplit(url).hostname}: {_reason(error)}"
                continue
            if whole(part):
                os.replace(part, path)
                return
            why = f"{urlsplit(url).hostname} sent a file with a wrong checksum"
    finally:
        part.unlink(missing_ok=True)
    raise Unreachable(why)


def _copy(url: str, part: Path, name: str, progress: Progress | None) -> None:
    """Copy what the address sends into `part`; OSError when it does not answer in time, stalls or breaks off."""
    with _opened(url) as response, part.open("wb", buffering=0) as file:
        total, done = int(response.headers.get("Content-Length") or 0), 0
        while block := response.read(BLOCK_BYTES):
            _write(file, block, part.parent)
            done += len(block)
            if progress:
                whole = max(total, done)
                progress(done, whole, f"downloading {name}: {done / 1e6:,.0f} of {whole / 1e6:,.0f} MB")
    if done < total:
        raise OSError("the connection broke off")


def _write(file, block: bytes, folder: Path) -> None:
    """Write the whole block; another address would not help against a full disk, hence a Problem."""
    try:
        while block:
            block = block[file.write(block) :]
    except OSError as error:
        sentence = f"{folder} cannot take the download ({error.strerror}); make room there and try again."
        raise Problem(sentence) from error


def _opened(url: str):
    """The response. A name server that is silent can block for long whatever the timeout, hence the thread."""
    answer: list = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "resnet-viz"})
            answer.append(urllib.request.urlopen(request, timeout=STALL_S))
        except (OSError, HTTPException) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_S)
    if not answer:
        raise TimeoutError(f"no answer in {CONNECT_S:.0f} s")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason)
