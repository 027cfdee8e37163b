"""What a pickle asks for is found before it is done: what trainers write passes, what has no end does not."""

import io
import pickle
import time
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

from resnet_viz import pickle_work, tensor_files
from tests.reliability import hostile_pickles

HARMLESS = frozenset(name for _, name in tensor_files.HARMLESS)
OPEN = {
    "a dictionary in itself under 250 names",
    "weights twice under two names",
    "a list in a list, 500,000 deep",
    "a pickle that ends at once",
    "a pickle of a million marks",
    "a million empty dictionaries",
    "a number of 20,000 digits as a key",
}  # odd, but soon at an end
ENDLESS = [case for case in hostile_pickles.endless() if case.name not in OPEN]
BROKEN = (pickle.UnpicklingError, IndexError, KeyError, ValueError, EOFError, AttributeError)


def pickle_of(data: bytes) -> io.BytesIO:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return io.BytesIO(archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl"))))


@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_work_without_end_is_refused_at_once(case):
    file, began = pickle_of(case.make()), time.process_time()
    with pytest.raises(BROKEN):
        pickle_work.check(file, 1, HARMLESS)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("words", hostile_pickles.GADGETS.values(), ids=hostile_pickles.GADGETS)
def test_no_gadget_passes(words):
    with pytest.raises(pickle.UnpicklingError):
        pickle_work.check(io.BytesIO(b"\x80\x02" + words.encode("latin1") + b"."), 1, HARMLESS)


@pytest.mark.parametrize("older", [False, True])
def test_what_trainers_store_passes(older):
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "epoch": 3,
        "rng": torch.get_rng_state(),
        "milestones": Counter([30, 60]),
        "seen": {1, 2},
        "losses": np.arange(5.0),
        "nested": OrderedDict(a=OrderedDict(b=torch.ones(1, dtype=torch.bfloat16))),
        "shape": torch.ones(2, 3).shape,
        "dtype": torch.float16,
        "device": torch.device("cpu"),
        "name": "x" * 1000,
        "lr": 1e-3,
        "key": {(0, "a"): 1},
    }
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not older)
    if older:
        file.seek(0)
        pickle_work.check(file, 5, HARMLESS)
    else:
        pickle_work.check(pickle_of(file.getvalue()), 1, HARMLESS)


def test_a_deep_network_with_its_optimiser_is_soon_gone_through():
    state = {f"layer{n}.weight": torch.zeros(1) for n in range(6000)}
    file, began = io.BytesIO(), time.process_time()
    torch.save(
        {
            "model": state,
            "optimizer": {
                "state": {n: {"exp_avg": t, "exp_avg_sq": t, "step": n} for n, t in enumerate(state.values())}
            },
        },
        file,
    )
    pickle_work.check(pickle_of(file.getvalue()), 1, HARMLESS)
    assert time.process_time() - began < 5
