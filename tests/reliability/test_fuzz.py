"""The fuzzer draws the same file for the same seed, sees what is wrong, and for ten seconds finds nothing."""

import pytest

from . import fuzz
from .warden import Warden

SEED = 20_261_121


def test_a_seed_is_a_file():
    whole = fuzz.seeds()
    first = [fuzz.drawn(seed, whole) for seed in range(60)]
    assert first == [fuzz.drawn(seed, fuzz.seeds()) for seed in range(60)]
    assert len({data for *_, data in first}) > 55 and {door for door, *_ in first} == {door for door, *_ in whole}


def test_what_is_wrong_is_seen(tmp_path):
    """A file that ends its process, one that is not the door's business, and the one after in the same fork."""
    (tmp_path / "a").write_bytes(b"cos\nabort\n(tR.")
    (tmp_path / "b").write_bytes(b"cbuiltins\nzip\n(I0\ntR.")
    (tmp_path / "c").write_bytes(b"a\nb\nc")
    with Warden() as warden:
        ended, bug, good = warden.reports(
            [("unguarded", tmp_path / "a", "a"), ("unguarded", tmp_path / "b", "b"), ("names", tmp_path / "c", "c")],
            tmp_path,
        )
    assert "signal 6" in fuzz.wrong(ended) and "TypeError" in fuzz.wrong(bug) and fuzz.wrong(good) is None


def test_ten_seconds(tmp_path):
    opened, faults = fuzz.fuzz(10, SEED, tmp_path)
    assert opened and faults == []


@pytest.mark.hard
def test_ten_minutes(tmp_path, printed):
    opened, faults = fuzz.fuzz(600, SEED, tmp_path)
    printed(f"{opened:,} files from seed {SEED:,}")
    assert opened > 1_000 and faults == []
