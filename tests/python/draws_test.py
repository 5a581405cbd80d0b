"""Are random numbers on the machine those that are promised: of seed, run, operator and element alone, and like
independent ones?"""

import unittest

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo
from opendojo import draws
from opendojo.backend import opendojo as backend
from opendojo.said import RunsElsewhere
from opendojo.watch import ledger


def on_machine(function, nodes=1):
    return torch.compile(function, backend=backend, options={"machine": "test6", "nodes": nodes}, fullgraph=True)


class Draws(unittest.TestCase):

    def setUp(self):
        torch._dynamo.reset()
        ledger.reset()
        torch.manual_seed(7)

    def test_a_draw_is_what_the_definition_says_on_any_number_of_nodes(self):
        shape, x = (6, 5, 3), torch.randn(6, 5, 3)
        made = []
        for nodes in (1, 3):
            torch._dynamo.reset()
            with draws.numbered_anew():
                compiled = on_machine(lambda x: (torch.rand_like(x), x + torch.rand_like(x).reshape(30, 3).reshape(6, 5, 3)), nodes)
                made.append([compiled(x), compiled(x)])
        self.assertEqual(opendojo.report().programs[-1].costs.alike, "")
        for launch in range(2):
            points = torch.arange(90).reshape(shape)
            key = [draws.uniform(7, number, 0) * draws.LIMIT for number in range(2)]
            wanted = draws.uniform(key[0], launch, points), x + draws.uniform(key[1], launch, points)
            for results in made:
                torch.testing.assert_close(results[launch], wanted, rtol=0, atol=0)

    def test_draws_of_the_machine_are_spread_as_they_should_be(self):
        count = 20000
        like = torch.zeros(count)
        with self.assertWarnsRegex(RunsElsewhere, "the machine's own"):
            compiled = on_machine(lambda x: (torch.randn_like(x), F.dropout(x + 1, 0.3), torch.rand_like(x), torch.rand_like(x)))
            first, second = compiled(like), compiled(like)
        normal, dropped, u, v = first
        error = count**-0.5
        self.assertLess(abs(normal.mean().item()), 5 * error)
        self.assertLess(abs(normal.var().item() - 1), 5 * 2**0.5 * error)
        self.assertEqual(set(dropped.unique().tolist()), {0.0, (1 / torch.tensor(0.7)).item()})
        self.assertLess(abs((dropped == 0).float().mean().item() - 0.3), 5 * 0.21**0.5 * error)
        pairs = [(u, v), (u, second[2]), (u[1:], u[:-1]), (dropped, second[1]), (normal, second[0])]
        for a, b in pairs:
            self.assertLess(abs(torch.corrcoef(torch.stack([a, b]))[0, 1].item()), 5 * error)

    def test_a_step_with_dropout_trains_and_repeats_itself(self):
        def losses(seed, nodes):
            torch.manual_seed(0)
            model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 4))
            step = opendojo.train_step(model, F.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.1), machine="test6",
                                       nodes=nodes, seed=seed)
            x, y = networks.batches(networks.mlp)[0]
            return [step(x, y).item() for _ in range(12)], step

        first, step = losses(1, 1)
        self.assertLess(sum(first[-4:]), sum(first[:4]))
        self.assertEqual(losses(1, 1)[0], first)
        torch.testing.assert_close(losses(1, 4)[0], first, rtol=1e-4, atol=0)
        self.assertNotEqual(losses(2, 1)[0], first)
        self.assertEqual(step.state_dict()["draws"], {"seed": 1, "launch": 12})
        self.assertTrue(any("the machine's own" in one for one in step.report().said))

    def test_the_gradient_goes_through_what_was_kept(self):
        x = torch.ones(8, 50, requires_grad=True)
        y = on_machine(lambda x: F.dropout(x, 0.25) * 3)(x)
        y.sum().backward()
        torch.testing.assert_close(x.grad, y.detach())


if __name__ == "__main__":
    unittest.main()
