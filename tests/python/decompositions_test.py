"""Do the decompositions of our own give what PyTorch's operators give? Each is evaluated by PyTorch itself, with every
operator that has one replaced by it."""

import unittest

import torch
from torch.nn import functional as F
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from opendojo import matrices, order, places, resampling, special  # they enter theirs
from opendojo.decompositions import OWN

_aten = torch.ops.aten


class Replaced(TorchDispatchMode):
    """Counts what it replaces."""

    def __init__(self):
        super().__init__()
        self.replaced = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        if operator in OWN:
            with self:
                made = OWN[operator](*args, **(kwargs or {}))
            if made is not NotImplemented:
                self.replaced += 1
                return made
        return operator(*args, **(kwargs or {}))


torch.manual_seed(0)
X, CUBE, INDEX = torch.randn(4, 5), torch.randn(3, 4, 5), torch.randint(0, 4, (4, 5))
MATRIX = torch.randn(2, 4, 4)
POSITIVE = MATRIX @ MATRIX.mT + torch.eye(4)
EDGES = torch.tensor([0.0, -0.0, 1.0, -1.0, 2.0, 0.5, float("inf"), -float("inf"), float("nan"), 1e-3, -1e-3, 100.0])
FINE = torch.linspace(-9.33, 30.77, 402)  # no whole number is near
INSIDE = torch.linspace(-0.999, 0.999, 201)
IMAGE = torch.randn(2, 3, 5, 7)

SAME = {
    "products": lambda: [CUBE.prod(), CUBE.prod(1), CUBE.cumprod(2), CUBE.bfloat16().prod(1).float() / 64],
    "running extremes": lambda: [*CUBE.cummax(1), *CUBE.cummin(2), *EDGES.cummax(0)],
    "logarithms of running sums": lambda: [(CUBE * 400).logcumsumexp(1), EDGES[:8].logcumsumexp(0)],
    "in order": lambda: [*X.kthvalue(2, 1), *X.median(0), X.median(), *EDGES.nanmedian(0), EDGES.nanmedian(), *EDGES.median(0)],
    "the most frequent": lambda: [*INDEX.float().mode(1)],
    "sorted places": lambda: [torch.searchsorted(X.sort(1)[0], X, right=True), torch.bucketize(X, torch.tensor([-1.0, 0.0, 1.0]))],
    "diagonals": lambda: [CUBE.diagonal_scatter(torch.ones(3, 4), 1, 1, 2)],
    "strides": lambda: [X.as_strided((2, 3), (5, 2), 1), torch.as_strided_scatter(X, torch.ones(2, 2), (2, 2), (5, 1), 2)],
    "put": lambda: [X.put(torch.tensor([3, 19]), torch.ones(2)), X.masked_scatter(X > 0, CUBE)],
    "reduced at places": lambda: [
        X.scatter_reduce(0, INDEX, CUBE[0], how, include_self=self) for how in ("sum", "prod", "mean", "amax", "amin")
        for self in (True, False)
    ] + [X.scatter(1, INDEX[:, :2], 3.0, reduce="multiply"), X.index_reduce(0, torch.tensor([1, 1, 3]), CUBE[:, 0], "mean")],
    "signs and parts": lambda: [X.copysign(-X), EDGES.angle(), X.round(decimals=2), torch.frexp(torch.cat([EDGES, FINE]))[0]],
    "distances": lambda: [torch.cdist(X, X[:3], p) for p in (0, 1, 1.5, 2, float("inf"))] + [F.pdist(X, 3)],
    "pooling": lambda: [*F.adaptive_max_pool2d(IMAGE, (2, 3), return_indices=True)],
    "resampling": lambda: [F.interpolate(IMAGE, (4, 9), mode=mode) for mode in ("bilinear", "bicubic")] +
                          [F.interpolate(IMAGE, (4, 9), mode="bilinear", antialias=True)],
    "resampling backwards": lambda: [
        _aten.upsample_bilinear2d_backward(IMAGE, [5, 7], [2, 3, 4, 4], True),
        _aten.upsample_nearest2d_backward(IMAGE, [5, 7], [2, 3, 4, 4]),
        _aten.replication_pad2d_backward(IMAGE, torch.zeros(2, 3, 3, 4), [1, 2, 0, 2]),
    ],
    "gamma": lambda: [torch.lgamma(torch.cat([FINE, EDGES])), torch.digamma(FINE), torch.polygamma(1, FINE[80:])],
    "zeta": lambda: [torch.special.zeta(torch.tensor([1.0, 2.0, 3.5, 0.5]), torch.tensor([2.0, 1.5, 4.0, 1.0]))],
    "error functions": lambda: [torch.erfinv(INSIDE), torch.special.ndtri(INSIDE.abs()), torch.special.erfcx(FINE)],
    "Bessel functions": lambda: [torch.i0(INSIDE * 9), torch.special.i0e(FINE), torch.special.i1(INSIDE * 9), torch.special.i1e(FINE),
                                  torch.special.bessel_j0(FINE), torch.special.bessel_j1(FINE), torch.special.spherical_bessel_j0(FINE),
                                  torch.special.scaled_modified_bessel_k0(FINE), torch.special.modified_bessel_k1(FINE)],
    "L U": lambda: [*torch.linalg.lu(MATRIX), torch.linalg.solve(MATRIX, CUBE[:2]), torch.linalg.inv(MATRIX), torch.linalg.det(MATRIX),
                    *torch.linalg.slogdet(MATRIX), torch.linalg.lu_solve(*torch.linalg.lu_factor(MATRIX), CUBE[:2], adjoint=True)],
    "Cholesky": lambda: [torch.linalg.cholesky(POSITIVE), torch.cholesky_inverse(torch.linalg.cholesky(POSITIVE))],
    "Q R": lambda: [*torch.linalg.qr(CUBE), *torch.linalg.qr(CUBE.mT, mode="complete"), *torch.geqrf(X)],
    "triangles": lambda: [torch.linalg.solve_triangular(MATRIX.tril() + 3 * torch.eye(4), CUBE[:2], upper=False)],
    "no dimensions": lambda: [torch.tensor(2.0).softmax(0), torch.tensor(2.0).cumsum(0), *torch.tensor(2.0).sort(0)],
}


class Decompositions(unittest.TestCase):

    def test_each_gives_what_the_operator_gives(self):
        for name, function in SAME.items():
            with self.subTest(name):
                theirs = function()
                with Replaced() as mode:
                    mine = function()
                self.assertGreater(mode.replaced, 0)
                for a, b in zip(mine, theirs):
                    torch.testing.assert_close(a, b, rtol=1e-5, atol=2e-5, equal_nan=True)


if __name__ == "__main__":
    unittest.main()
