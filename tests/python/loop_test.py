"""Does a user's own training loop train the same when torch.compile(model, backend="opendojo") is added to it, and is
what runs elsewhere said?"""

import copy
import unittest
import warnings

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo
from opendojo.backend import opendojo as backend
from opendojo.said import RunsElsewhere
from opendojo.watch import ledger

ON = {"machine": "test6", "nodes": 2}


def loop(model, forward, data, optimizer, loss_fn=F.cross_entropy):
    """A loop as people write it: loader, clipping, a schedule; its losses."""
    loader = torch.utils.data.DataLoader(data, batch_size=8)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    losses = []
    for _ in range(3):
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(forward(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
    return losses


def samples(make, count):
    x, y = zip(*networks.batches(make, count // networks.SHAPES[make][0] + 1))
    return torch.utils.data.TensorDataset(torch.cat(x)[:count], torch.cat(y)[:count])


class Loop(unittest.TestCase):

    def setUp(self):
        torch._dynamo.reset()
        ledger.reset()

    def compiled(self, function, **how):
        return torch.compile(function, backend=backend, options=ON, **how)

    def both(self, model, data, sgd=lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), **how):
        """The losses of PyTorch's own loop and of the machine's."""
        other = copy.deepcopy(model)
        theirs = loop(other, other, data, sgd(other.parameters()), **how)
        mine = loop(model, self.compiled(model), data, sgd(model.parameters()), **how)
        return mine, theirs

    def test_an_unmodified_loop_with_a_smaller_last_batch_gives_the_same_losses(self):
        model = networks.cnn()
        mine, theirs = self.both(model, samples(networks.cnn, 21))
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=0)
        report = opendojo.report()
        self.assertEqual({program.costs.alike for program in report.programs}, {""})
        self.assertTrue(0 < report.outside_share < 1)
        self.assertEqual(report.said, [])

    def test_a_new_batch_size_needs_no_program_after_the_first_two(self):
        model, data = networks.cnn(), samples(networks.cnn, 40)[:]
        compiled, reference = self.compiled(model), copy.deepcopy(model)
        for count in (9, 4, 7, 2, 9, 5):
            x, y = data[0][:count], data[1][:count]
            for one in (model, reference):
                one.zero_grad()
            F.cross_entropy(compiled(x), y).backward()
            F.cross_entropy(reference(x), y).backward()
            for mine, theirs in zip(model.parameters(), reference.parameters()):
                torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)
        for name, value in reference.state_dict().items():
            torch.testing.assert_close(model.state_dict()[name], value, rtol=1e-4, atol=1e-5)
        self.assertEqual(len(opendojo.report().programs), 4)  # forward and backward, twice

    def test_means_over_a_batch_that_varies_are_over_the_samples_that_are_there(self):
        weight = nn.Parameter(torch.linspace(-1, 1, 12).reshape(3, 4))

        def loss_of(x, y):
            z = x @ weight
            return z.mean() + F.mse_loss(z[:, 0], y) + z.var(0).sum() + z.std() + torch.ones(len(x)).sum() * z.amax()

        compiled, generator = self.compiled(loss_of), torch.Generator().manual_seed(0)
        for count in (6, 3, 5, 4):
            x, y = torch.randn(count, 3, generator=generator), torch.randn(count, generator=generator)
            gradients = []
            for function in (compiled, loss_of):
                weight.grad = None
                loss = function(x, y)
                loss.backward()
                gradients.append((loss.detach(), weight.grad))
            torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)
        programs = opendojo.report().programs
        self.assertEqual((len(programs), {program.costs.alike for program in programs}), (4, {""}))

    def test_a_loop_under_autocast_is_as_near_as_pytorchs_own(self):
        data = samples(networks.cnn, 16)

        def losses(compile_it, autocast):
            model = networks.cnn()
            forward = self.compiled(model) if compile_it else model

            def cast(x):
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                    return forward(x).float()

            return loop(model, cast, data, torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))

        exact, theirs, mine = losses(False, False), losses(False, True), losses(True, True)
        for a, b, c in zip(exact, theirs, mine, strict=True):
            self.assertLessEqual(abs(c - a), max(2 * abs(b - a), 0.02 * a))
        self.assertNotEqual(mine, exact)
        self.assertLess(mine[-1], mine[0])

    def test_a_loop_goes_on_from_a_checkpoint_of_state_dicts(self):
        model, data = networks.mlp(), samples(networks.mlp, 16)
        compiled = self.compiled(model)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        loop(model, compiled, data, optimizer)
        saved = copy.deepcopy((compiled.state_dict(), optimizer.state_dict()))
        following = loop(model, compiled, data, optimizer)
        compiled.load_state_dict(saved[0]), optimizer.load_state_dict(saved[1])
        self.assertEqual(loop(model, compiled, data, optimizer), following)

    def test_a_graph_break_is_said_with_its_place(self):

        class Chatty(nn.Module):

            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(12, 8), nn.Linear(8, 4)

            def forward(self, x):
                h = self.a(x)
                torch._dynamo.graph_break()
                return self.b(h)

        model, data = Chatty(), samples(networks.mlp, 16)
        with self.assertWarnsRegex(RunsElsewhere, r"loop_test\.py:\d+: a graph break; what is here runs on the host"):
            mine, theirs = self.both(model, data)
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=0)
        self.assertEqual(len(opendojo.report().said), 1)

    def test_a_function_without_a_computation_is_said(self):
        with self.assertWarnsRegex(RunsElsewhere, "an empty graph"):
            self.compiled(lambda x: (x[:0], 3))(torch.ones(4))

    def steps_of_an_optimizer(self, rate, count=12):
        parameter = nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([parameter], lr=rate, momentum=0.9)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        step = self.compiled(optimizer.step)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(count):
                parameter.grad = torch.ones(3)
                step()
                schedule.step()
        return parameter.detach(), [str(one.message) for one in caught if one.category is RunsElsewhere]

    def test_an_optimizer_that_pytorch_gives_up_is_said_and_a_tensor_as_rate_helps(self):
        moved, said = self.steps_of_an_optimizer(0.1)
        self.assertRegex(said[-2], r"step \(.*sgd\.py:\d+\) has made 4 graphs.* lr=torch\.tensor\(0\.1\)")
        self.assertRegex(said[-1], r"'step' \(.*sgd\.py:\d+\) runs on the host from now on: PyTorch has compiled it 8 times")
        self.assertEqual(opendojo.report().said, said)
        torch._dynamo.reset()
        ledger.reset()
        also_moved, said = self.steps_of_an_optimizer(torch.tensor(0.1))
        self.assertFalse([one for one in said if "graph break" not in one])
        torch.testing.assert_close(moved, also_moved)


if __name__ == "__main__":
    unittest.main()
