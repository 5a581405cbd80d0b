"""Does every operator of the machine's list give what PyTorch gives? A row is a function and what it is tried on; all
of a family run in one program, values of gradients too."""

import unittest

import torch
from torch.nn import functional as F

from opendojo.backend import opendojo as backend

torch.manual_seed(0)
X, Y, P = torch.randn(3, 4), torch.randn(3, 4), torch.rand(3, 4) + 0.1
ROW, WORDS = torch.randn(4), torch.tensor([[0, 2], [3, 1], [2, 2]])
IMAGE = torch.randn(2, 4, 6, 6)
SPECIAL = torch.tensor([0.0, -0.0, 1.5, -2.5, 0.5, float("inf"), -float("inf"), float("nan"), 3.0, -7.25, 1e-6, -1e-6])
MASK = torch.tensor([True, False, True, False])

# Gradients are compared as well where the first operand is a float and the row is not among VALUES.
SMOOTH = {
    "add": (lambda x, y: x + y, X, Y),
    "add alpha": (lambda x, y: torch.add(x, y, alpha=2.5), X, ROW),
    "sub number": (lambda x: 3 - x, X),
    "mul": (lambda x, y: x * y, X, ROW),
    "div": (lambda x, y: x / y, X, P),
    "pow": (lambda x: x**3 + x**2 + x.abs()**0.5, X),
    "pow of tensors": (lambda x, y: x**y, P, Y),
    "exp log sqrt rsqrt": (lambda x: x.exp() + x.log() + x.sqrt() + x.rsqrt(), P),
    "expm1 log1p": (lambda x: torch.expm1(x) + torch.log1p(x), P),
    "log2 log10": (lambda x: x.log2() + x.log10(), P),
    "tanh sigmoid erf atan": (lambda x: x.tanh() + x.sigmoid() + x.erf() + x.atan(), X),
    "relu and its kind": (lambda x: F.relu(x) + F.leaky_relu(x, 0.2) + F.elu(x) + F.hardtanh(x) + F.softplus(x), X),
    "gelu silu mish": (lambda x: F.gelu(x) + F.gelu(x, approximate="tanh") + F.silu(x) + F.mish(x), X),
    "selu celu hardswish": (lambda x: F.selu(x) + F.celu(x) + F.hardswish(x) + F.hardsigmoid(x), X),
    "clamp": (lambda x: x.clamp(-0.5, 1) + x.clamp(min=0), X),
    "maximum minimum": (lambda x, y: torch.maximum(x, y) * torch.minimum(x, ROW), X, Y),
    "where": (lambda x, y: torch.where(MASK, x, y * 2), X, Y),
    "lerp addcmul": (lambda x, y: torch.lerp(x, y, 0.3) + torch.addcmul(x, y, y, value=0.5), X, Y),
    "sums and means": (lambda x: x.sum() + x.mean(1, keepdim=True) + x.sum(0), X),
    "variances": (lambda x: x.var(1) + x.std() + torch.var_mean(x, 0, correction=0)[1].sum(), X),
    "amax logsumexp norm": (lambda x: x.amax(1) + x.logsumexp(1) + x.norm(), X),
    "softmax": (lambda x: F.softmax(x, 1) * F.log_softmax(x, 0), X),
    "layer and group norm": (lambda x: F.layer_norm(x, (6, 6)) + F.group_norm(x, 2), IMAGE),
    "linear": (lambda x, y: F.linear(x, y, ROW[:3]) @ y, X, Y),
    "bmm": (lambda x, y: torch.bmm(x, y), torch.randn(2, 3, 4), torch.randn(2, 4, 5)),
    "baddbmm": (lambda x, y: torch.baddbmm(y, x, y, beta=0.5, alpha=2), torch.randn(2, 4, 4), torch.randn(2, 4, 4)),
    "conv2d": (lambda x, w: F.conv2d(x, w, ROW, stride=2, padding=1), IMAGE, torch.randn(4, 4, 3, 3)),
    "grouped conv2d": (lambda x, w: F.conv2d(x, w, padding=2, dilation=2, groups=2), IMAGE, torch.randn(4, 2, 3, 3)),
    "conv1d": (lambda x, w: F.conv1d(x, w, padding=1), torch.randn(2, 3, 8), torch.randn(4, 3, 3)),
    "conv_transpose2d": (lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1), IMAGE, torch.randn(4, 3, 3, 3)),
    "max_pool2d": (lambda x: F.max_pool2d(x, 3, 2, 1), IMAGE),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 3, 2, 1) + F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), IMAGE),
    "avg_pool2d divisor": (lambda x: F.avg_pool2d(x, 2, divisor_override=3), IMAGE),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (4, 1)), IMAGE),
    "views": (lambda x: x.reshape(2, 6).t().reshape(3, 4).unsqueeze(1).squeeze().transpose(0, 1), X),
    "expand and repeat": (lambda x: x.unsqueeze(0).expand(2, 3, 4) * x.repeat(2, 1, 1), X),
    "cat stack split": (lambda x, y: torch.cat(torch.cat([x, y], 1).split(3, 1)[:2], 0) + torch.stack([x, y]).sum(0).sum(), X, Y),
    "slices": (lambda x: x[1:, ::2] * x[0, 1:3] + x[-1, 2], X),
    "unbind flip roll": (lambda x: x.unbind(1)[2].sum() + x.flip(0) + x.roll(1, 1), X),
    "pad": (lambda x: F.pad(x, (1, 2, 0, 1), value=3), X),
    "cumsum": (lambda x: x.cumsum(1), X),
    "gather": (lambda x: x.gather(1, WORDS), X),
    "scatter": (lambda x, y: x.scatter(1, torch.tensor([[0, 2], [3, 1], [2, 0]]), y) + x.scatter_add(1, WORDS, y), X, Y[:, :2].clone()),
    "index": (lambda x: x[WORDS[:, 0] % 3] + x[[2, 0, -1], [1, 1, 3]].sum() + x[:, [3, 0, 0, 1]], X),
    "index_select": (lambda x: x.index_select(1, torch.tensor([3, 0])), X),
    "index_put": (lambda x, y: x.index_put((torch.tensor([2, 0]), torch.tensor([1, 3])), y, accumulate=True), X, torch.randn(2)),
    "embedding": (lambda w: F.embedding(WORDS, w, padding_idx=2), torch.randn(4, 5)),
    "cross entropy": (lambda x: F.cross_entropy(x, torch.tensor([1, -100, 3]), label_smoothing=0.1), X),
    "losses": (lambda x, y: F.mse_loss(x, y) + F.l1_loss(x, y) + F.huber_loss(x, y) + F.binary_cross_entropy_with_logits(x, P), X, Y),
    "topk sort": (lambda x: x.topk(2, 1)[0].sum() + x.sort(0, descending=True)[0] * ROW, X),
    "conv2d of one pixel": (lambda x, w: F.conv2d(x, w, stride=2, padding=1), torch.randn(4, 16, 2, 2), torch.randn(16, 16, 3, 3)),
    "grid_sample": (lambda x, g: F.grid_sample(x, g, align_corners=False), IMAGE, torch.rand(2, 4, 3, 2) * 2.6 - 1.3),
    "grid_sample of a border": (lambda x, g: F.grid_sample(x, g, padding_mode="border", align_corners=True), IMAGE, torch.rand(2, 4, 3, 2) * 2.6 - 1.3),
    "attention": (lambda x, y: F.scaled_dot_product_attention(x, y, y, is_causal=True), torch.randn(1, 2, 4, 8), torch.randn(1, 2, 4, 8)),
}

VALUES = {
    "rounding": (lambda x: torch.stack([x.floor(), x.ceil(), x.round(), x.trunc(), x.sign()]), SPECIAL[:5]),
    "comparisons": (lambda x, y: torch.stack([x < y, x <= y, x > y, x >= y, x == y, x != y]), SPECIAL, SPECIAL.flip(0)),
    "with numbers": (lambda x: torch.stack([x < 1, x <= 1.5, x > 0, x >= 0, x == 3, x != 3]), SPECIAL),
    "what is a number": (lambda x: torch.stack([x.isnan(), x.isinf(), x.isfinite()]), SPECIAL),
    "norm that counts": (lambda x: torch.linalg.vector_norm(x.relu(), 0, 1, keepdim=True), X),
    "lowest bits": (lambda words: torch.stack([(words - 4) & 1, (words - 4) & 7]), torch.arange(9)),
    "window of a number": (lambda x: torch.stack([x[2].unfold(0, 1, 1), x.unfold(0, 1, 4)[:, 0]]), SPECIAL[2:5]),
    "truth": (lambda a, b: torch.stack([a & b, a | b, a ^ b, ~a, a.logical_and(b)]), MASK, MASK.flip(0)),
    "any all": (lambda a: torch.stack([a.any(), a.all(), (a | True).all()]), MASK),
    "places": (lambda x: torch.stack([x.argmax(1), x.argmin(1), x.max(1)[1], x.sort(1)[1][:, 0]]), X),
    "whole numbers": (lambda i: torch.stack([i + 1, i.clamp(0, 9) * 3 - 2, i.remainder(5) * 4, i // 2, i % 3, -i, i.clamp(max=2)]), WORDS),
    "division to whole": (lambda i: torch.stack([torch.div(i - 2, 2, rounding_mode="trunc"), torch.div(i - 2, 2, rounding_mode="floor")]), WORDS),
    "types": (lambda x: torch.stack([x.to(torch.int64).float(), x.bool().float()]), X * 3),
    "numbers made": (lambda x: torch.arange(2, 6) + torch.ones(4) * torch.full((4, ), 2.5) + torch.zeros_like(x), ROW),
    "triangles": (lambda x: torch.stack([x.triu(1), x.tril()]), torch.randn(4, 4)),
    "places of triangles": (lambda x: x[tuple(torch.tril_indices(4, 4, -1))] + x[tuple(torch.triu_indices(4, 4, 1))], torch.randn(4, 4)),
    "remainders": (lambda x: x.remainder(0.75), X),
    "max_pool2d indices": (lambda x: F.max_pool2d(x, 3, 2, 1, return_indices=True)[1], IMAGE),
    "one_hot": (lambda i: F.one_hot(i, 4), WORDS),
}


def on_machine(function):
    return torch.compile(function, backend=backend, options={"machine": "test6", "nodes": 1}, dynamic=False, fullgraph=True)


class Operators(unittest.TestCase):

    def setUp(self):
        torch._dynamo.reset()

    def test_values_without_gradients_are_pytorchs(self):
        arguments = [list(row[1:]) for row in VALUES.values()]

        def all_of_them(arguments):
            return [row[0](*given) for row, given in zip(VALUES.values(), arguments)]

        mine = on_machine(all_of_them)(arguments)
        for name, a, b in zip(VALUES, mine, all_of_them(arguments)):
            with self.subTest(name):
                torch.testing.assert_close(a, b, equal_nan=True)

    def test_values_and_gradients_are_pytorchs(self):

        def all_of_them(arguments):
            return [row[0](*given) for row, given in zip(SMOOTH.values(), arguments)]

        def with_gradients(function):
            arguments = [[operand.clone().requires_grad_() for operand in row[1:]] for row in SMOOTH.values()]
            results = function(arguments)
            weighted = [(result * torch.linspace(1, 2, result.numel()).reshape(result.shape)).sum() for result in results]
            torch.stack(weighted).sum().backward()
            return results, [[operand.grad for operand in given] for given in arguments]

        mine, my_gradients = with_gradients(on_machine(all_of_them))
        theirs, their_gradients = with_gradients(all_of_them)
        for name, a, b, da, db in zip(SMOOTH, mine, theirs, my_gradients, their_gradients):
            with self.subTest(name):
                torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
            with self.subTest(name + ", gradients"):
                torch.testing.assert_close(da, db, rtol=1e-4, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
