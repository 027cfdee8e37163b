"""A second network whose weights are the running mean of the learning one's: less jumpy, most often a little better.

Validation, best, last and the test are of the averaged weights where a recipe asks for them (Tarvainen and Valpola
2017; Izmailov et al. 2018). The learning network goes on from its own weights, which only resume.safetensors holds.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor

from .work import Work


class Average:
    """work: as the run's, but with the averaged network. After update t its weights move towards the learning ones by
    1 - min(decay, (1 + t) / (10 + t)): the random start is soon forgotten.
    """

    def __init__(self, work: Work, decay: float):
        self.learning, self.decay, self.updates = work.model, decay, 0
        self.work = replace(work, model=copy.deepcopy(work.model).requires_grad_(False))

    def update(self) -> None:
        """Once after every step of the learning network. Batch norm's running statistics are averaged too."""
        self.updates += 1
        weight = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        pairs = [(mean, now) for mean, now in zip(self._tensors(self.work.model), self._tensors(self.learning))]
        means, nows = zip(*(pair for pair in pairs if pair[0].is_floating_point()))
        torch._foreach_lerp_(means, nows, weight)
        for mean, now in pairs:
            if not mean.is_floating_point():  # batch norm's count of batches
                mean.copy_(now)

    def state(self) -> dict[str, Tensor]:
        tensors = {f"average.{name}": tensor for name, tensor in self.work.model.state_dict().items()}
        return tensors | {"average_updates": torch.tensor(self.updates)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take up what `state` gave; without it, begin at the learning network's weights of now."""
        saved = {
            name.removeprefix("average."): tensor for name, tensor in tensors.items() if name.startswith("average.")
        }
        self.work.model.load_state_dict(saved or self.learning.state_dict())
        self.updates = int(tensors.get("average_updates", 0))

    @staticmethod
    def _tensors(model: torch.nn.Module) -> list[Tensor]:
        return [tensor.detach() for tensor in (*model.parameters(), *model.buffers())]
