"""Batch norm over the whole batch where several processes share one: the statistics are those that one process would see.

On GPUs this is torch.nn.SyncBatchNorm. On the CPU, where torch has none, it is the layer below: the same sums, gathered
and reduced by torch.distributed. Both carry the names of an ordinary batch norm, so files do not show who wrote them.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn


def synchronise(model: nn.Module, device: torch.device) -> None:
    """Replace every batch norm inside the model, in place, by one that sees all processes' pictures.

    Parameters and running statistics are the same tensors as before: an optimiser that holds them holds them still.
    """
    for name, child in model.named_children():
        if not isinstance(child, nn.BatchNorm2d):
            synchronise(child, device)
        elif device.type == "cuda":
            setattr(model, name, nn.SyncBatchNorm.convert_sync_batchnorm(child))
        else:
            setattr(model, name, _with_state_of(child))


def _with_state_of(layer: nn.BatchNorm2d) -> "AllReduceBatchNorm2d":
    shared = AllReduceBatchNorm2d(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    shared.weight, shared.bias, shared.training = layer.weight, layer.bias, layer.training
    shared.running_mean, shared.running_var, shared.num_batches_tracked = (
        layer.running_mean, layer.running_var, layer.num_batches_tracked)
    return shared


class AllReduceBatchNorm2d(nn.BatchNorm2d):
    """Ioffe and Szegedy 2015, with the mean and variance of all processes' pictures. Pictures [N, C, H, W]; N may differ."""

    def forward(self, pictures: Tensor) -> Tensor:
        if not self.training:
            return super().forward(pictures)
        normed, mean, variance, count = _Normalise.apply(pictures.float(), self.eps)
        if self.track_running_stats:
            self._remember(mean, variance * (count / (count - 1)))  # the running variance is the unbiased one
        if self.affine:
            normed = normed * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normed.to(pictures.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked.item()
        with torch.no_grad():
            self.running_mean.lerp_(mean, share)
            self.running_var.lerp_(variance, share)


class _Normalise(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) over all processes: float32 [N, C, H, W] -> the same, mean [C], variance [C], count.

    The gradient is that of the sum of all processes' losses: dx = (dy - mean(dy) - y mean(dy y)) / sqrt(variance + eps),
    both means over all processes' pictures.
    """

    @staticmethod
    def forward(ctx, x: Tensor, eps: float):
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        own = torch.cat([mean, variance, mean.new_tensor([x.numel() // x.shape[1]])]).double()
        gathered = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        dist.all_gather(gathered, own)
        means, variances, counts = torch.stack(gathered).tensor_split((x.shape[1], 2 * x.shape[1]), 1)
        count = counts.sum()
        mean = (means * counts).sum(0) / count
        variance = ((variances + (means - mean) ** 2) * counts).sum(0) / count  # Chan, Golub, LeVeque 1979
        scale = (variance + eps).rsqrt().float().view(1, -1, 1, 1)
        normed = (x - mean.float().view(1, -1, 1, 1)) * scale
        ctx.save_for_backward(normed, scale, count)
        known = mean.float(), variance.float(), count.float()
        ctx.mark_non_differentiable(*known)
        return normed, *known

    @staticmethod
    def backward(ctx, dy: Tensor, *_):
        normed, scale, count = ctx.saved_tensors
        sums = torch.stack([dy.sum((0, 2, 3)), (dy * normed).sum((0, 2, 3))]).double()
        dist.all_reduce(sums)
        mean, along = (sums / count).float().view(2, 1, -1, 1, 1)
        return (dy - mean - normed * along) * scale, None
