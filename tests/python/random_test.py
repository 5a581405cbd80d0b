"""Do random small networks train on the machine as in PyTorch? More of them, by other seeds: make random."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "random"))
import drawing  # noqa: E402
import run  # noqa: E402

SEEDS = range(1, 21)


class Random(unittest.TestCase):

    def test_what_they_learn_is_pytorchs_or_refused_by_name(self):
        passed = 0
        for seed in SEEDS:
            with self.subTest(seed):
                network = drawing.network_of(seed)
                found = run.attempted(network, {"machine": "test6", "nodes": 2})
                self.assertNotEqual(found.kind, "departed", f"{found.words}\n{network}")
                passed += found.kind == "passed"
        self.assertGreater(passed, len(SEEDS) * 2 // 3)

    def test_a_seed_draws_the_same_network_again(self):
        self.assertEqual(str(drawing.network_of(3)), str(drawing.network_of(3)))
        self.assertNotEqual(str(drawing.network_of(3)), str(drawing.network_of(4)))

    def test_a_departure_is_seen_and_made_small(self):
        network = drawing.network_of(1)
        cause = network.made[len(network.made) // 2].expression
        has_it = lambda network: any(made.expression == cause for made in network.made)
        wrong = lambda network, where: run.Outcome("departed" if has_it(network) else "passed", "by design")
        attempted, run.attempted = run.attempted, wrong
        try:
            small, found = run.smallest(network, {}, seconds=30)
        finally:
            run.attempted = attempted
        self.assertEqual(([made.expression for made in small.made], found.kind), ([cause], "departed"))

    def test_what_is_not_pytorchs_departs(self):
        import torch

        one = torch.ones(3)
        self.assertEqual(run.judged("w", one, one, one.double(), 0.1), "")
        self.assertIn("departs by", run.judged("w", one + 1e-3, one, one.double(), 0.1))
        self.assertIsNone(run.judged("w", one, one, one.double() + 0.01, 0.1))
        self.assertIn("not finite", run.judged("w", one / 0, one, one.double(), 0.1))
        self.assertIn("shape", run.judged("w", one[:2], one, one.double(), 0.1))


if __name__ == "__main__":
    unittest.main()
