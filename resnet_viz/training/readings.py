"""Numbers on their way from the device to the host: asked for in one step, read in a later one, so that no step waits."""

from collections import deque

import torch
from torch import Tensor


class Readings:
    """Tensors that were asked for, each with the function that is called with its numbers, in the order of asking."""

    def __init__(self, device: torch.device):
        self.device, self.waiting = device, deque()

    def ask(self, tensor: Tensor, then) -> None:
        """then(list of numbers) is called at once where the device is the CPU, else by a later `take`."""
        if self.device.type != "cuda":
            then(tensor.tolist())
            return
        host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        host.copy_(tensor, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record()
        self.waiting.append((arrived, host, then))

    def take(self, wait: bool = False) -> None:
        """Hand over what has arrived; with `wait`, everything that was asked for."""
        while self.waiting and (wait or self.waiting[0][0].query()):
            arrived, host, then = self.waiting.popleft()
            arrived.synchronize()
            then(host.tolist())
