"""Loss, accuracy and confusion against plain torch, whatever the batches and the number of heads."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.evaluation import evaluate, logits_in_batches, loss_of, probabilities, right_answers
from resnet_viz.networks import zoo
from tests.foreign_networks import randomised

GREY = Preprocessing(12, 12, (0.4,), (0.3,))


def drawn(*shape, high=256):
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8", {"heads": [4, 3], "in_channels": 1}))


@pytest.fixture(scope="module")
def images():
    return drawn(37, 1, 12, 12).to(torch.uint8)


@pytest.fixture(scope="module")
def labels():
    return torch.stack([drawn(37, high=4), drawn(37, 1, high=3)[:, 0]], dim=1)


def test_the_loss_is_cross_entropy_summed_over_heads(labels):
    logits = torch.randn(37, 7)
    expected = F.cross_entropy(logits[:, :4], labels[:, 0]) + F.cross_entropy(logits[:, 4:], labels[:, 1])
    assert torch.allclose(loss_of(logits, labels, (4, 3)), expected)
    smooth = F.cross_entropy(logits[:, :4], labels[:, 0], label_smoothing=0.1)
    assert torch.allclose(loss_of(logits[:, :4], labels[:, :1], (4,), 0.1), smooth)
    by_hand = -torch.stack([logits[n, :4].double().log_softmax(0)[labels[n, 0]] for n in range(37)]).mean()
    assert loss_of(logits[:, :4], labels[:, :1], (4,)).item() == pytest.approx(by_hand.item(), rel=1e-6)


def test_right_answers_count_each_head_by_its_share():
    logits = torch.tensor([[9.0, 0, 0, 0, 9], [0, 9, 9, 0, 0]])
    assert right_answers(logits, torch.tensor([[0, 2], [0, 0]]), (2, 3)).item() == pytest.approx(1.5)


def test_probabilities_add_up_to_one_in_each_head():
    found = probabilities(torch.randn(5, 7).half() * 20, (4, 3))
    assert found.dtype == torch.float32
    assert torch.allclose(found[:, :4].sum(1), torch.ones(5))
    assert torch.allclose(found[:, 4:].sum(1), torch.ones(5))


@pytest.mark.parametrize("batch", [1, 10, 37, 500])
def test_evaluation_against_plain_torch(model, images, labels, batch):
    with torch.no_grad():
        logits = model(normalise(images, GREY))
    found = evaluate(model, images, labels, (4, 3), GREY, batch=batch)
    answers = torch.stack([logits[:, :4].argmax(1), logits[:, 4:].argmax(1)], dim=1)
    confusion = torch.zeros(4, 4, dtype=torch.long)
    for n in range(37):
        confusion[labels[n, 0], answers[n, 0]] += 1
    assert found.accuracy == pytest.approx((answers == labels).double().mean().item())
    assert found.loss == pytest.approx(loss_of(logits, labels, (4, 3)).item(), rel=1e-5)
    assert torch.equal(found.confusion, confusion) and found.confusion.sum() == 37


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(model, images, labels, training):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.train(training)
    evaluate(model, images, labels, (4, 3), GREY)
    assert model.training is training and all(torch.equal(before[n], t) for n, t in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    model.eval()


def test_the_mode_is_put_back_when_something_breaks(model, images, labels):
    model.train()
    with pytest.raises(ZeroDivisionError):
        evaluate(model, images, labels, (4, 3), GREY, progress=lambda *_: 1 / 0)
    assert model.training
    model.eval()


def test_progress_is_told_after_each_batch(model, images, labels):
    told = []
    evaluate(model, images, labels, (4, 3), GREY, batch=15, progress=lambda done, total,
             text: told.append((done, total)))
    assert told == [(15, 37), (30, 37), (37, 37)]


def test_batches_cover_all_in_order(images):
    class First(nn.Module):
        def forward(self, x):
            return x[:, 0, 0]

    parts = list(logits_in_batches(First(), images, GREY, 16))
    assert [(p.start, p.stop) for p, _ in parts] == [(0, 16), (16, 32), (32, 37)]
    assert torch.allclose(torch.cat([logits for _, logits in parts]), normalise(images, GREY)[:, 0, 0], atol=1e-5)


def test_bfloat16_is_close(model, images, labels):
    exact, rough = (evaluate(model, images, labels, (4, 3), GREY, precision=p) for p in ("fp32", "bf16"))
    assert rough.loss == pytest.approx(exact.loss, rel=0.05) and rough.loss != exact.loss


def test_smaller_pictures_are_enlarged_to_what_the_network_reads():
    seen = []

    class Size(nn.Module):
        def forward(self, x):
            seen.append(tuple(x.shape))
            return x.mean(dim=(2, 3))

    images = torch.randint(0, 256, (5, 1, 8, 8), dtype=torch.uint8)
    list(logits_in_batches(Size(), images, Preprocessing(24, 24, (0.5,), (0.5,)), 4))
    list(logits_in_batches(Size(), images, Preprocessing(8, 8, (0.5,), (0.5,)), 4))
    assert seen == [(4, 1, 24, 24), (1, 1, 24, 24), (4, 1, 8, 8), (1, 1, 8, 8)]
