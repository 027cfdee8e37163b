"""Run as a program: the most resident memory that reading and building a checkpoint takes, beyond that of the imports.

python -m tests.memory_of_reading FILE   prints the peak in bytes. A process of its own: a peak cannot be taken back.
"""

import resource
import sys

import torch
import torchvision  # noqa: F401  its list of ImageNet's names loads all of it, about 160 MB

from resnet_viz import checkpoints


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(path: str) -> None:
    torch.nn.Conv2d(3, 8, 3)(torch.randn(1, 3, 9, 9))  # what torch loads at its first convolution is not the file's
    before = peak_bytes()
    checkpoint = checkpoints.read(path)
    model = checkpoints.model(checkpoint)
    assert sum(p.numel() for p in model.parameters()) == checkpoint.diagnosis.params
    print(peak_bytes() - before)


if __name__ == "__main__":
    main(sys.argv[1])
