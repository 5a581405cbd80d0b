"""Does opendojo.train_step give the losses and the state of PyTorch's own loop?"""

import threading
import unittest
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo
from opendojo.library import Program

OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-2),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=1e-3),
}


def step_of(model, make_optimizer, loss_fn=F.cross_entropy, nodes=1):
    return opendojo.train_step(model, loss_fn, make_optimizer(model.parameters()), machine="test6", nodes=nodes)


class TrainStep(unittest.TestCase):

    def check_losses(self, mine, theirs, bound=1e-4):
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            self.assertLessEqual(abs(a - b), bound * abs(b), f"step {k}: {a} where PyTorch has {b}")

    def check_twenty_losses(self, make, name):
        model, data = make(), networks.batches(make)
        theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS[name], data, 20)
        step = step_of(model, OPTIMIZERS[name])
        mine = [step(*data[k % len(data)]).item() for k in range(20)]
        self.check_losses(mine, theirs)
        self.assertLess(mine[-1], mine[0])

    def test_twenty_losses_of_an_mlp_are_pytorchs(self):
        for name in OPTIMIZERS:
            with self.subTest(name):
                self.check_twenty_losses(networks.mlp, name)

    def test_twenty_losses_of_a_cnn_are_pytorchs(self):
        for name in ("SGD", "momentum", "AdamW"):
            with self.subTest(name):
                self.check_twenty_losses(networks.cnn, name)

    def test_the_corrections_of_averages_keep_their_digits(self):
        """1 - 0.999 has four digits less in FP32 than 0.999 has: PyTorch computes it in double precision."""
        models = nn.Linear(4, 3, bias=False), nn.Linear(4, 3, bias=False)
        for model in models:
            nn.init.zeros_(model.weight)
        theirs, mine = (torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.9999), eps=1e-12) for model in models)
        x, y = torch.randn(8, 4), torch.randn(8, 3)
        step = opendojo.train_step(models[1], F.mse_loss, mine, machine="test6", nodes=1)
        for _ in range(3):
            theirs.zero_grad()
            F.mse_loss(models[0](x), y).backward()
            theirs.step()
            step(x, y)
            torch.testing.assert_close(step.state_dict()["model"]["weight"], models[0].weight.detach(), rtol=5e-6, atol=0)

    def test_a_step_is_explained_op_by_op(self):
        step = step_of(networks.cnn(), OPTIMIZERS["momentum"], nodes=4)
        self.assertIsNone(step.explain())
        x, y = networks.batches(networks.cnn)[0]
        step(x, y)
        said = step.explain()
        self.assertEqual((said["spread"], said["nodes"], said["batch"]), ("samples", 4, len(y)))
        self.assertEqual(set(op["shared"] for op in said["ops"]) & {"samples", "shards", "collective", "records"},
                         {"samples", "shards", "collective", "records"})
        products = [op for op in said["ops"] if op["kind"] == "matrix"]
        self.assertTrue(products)
        self.assertTrue(all(op["multiply_adds"] > 0 and op["sram_bytes"] > 0 for op in products))
        self.assertAlmostEqual(said["estimated_cycles"], sum(sum(op["estimated_cycles"].values()) for op in said["ops"]))
        lines = str(said).splitlines()
        self.assertEqual(len(lines), 2 + len(said["ops"]))
        self.assertRegex(lines[1], r"op +what +kernel +shared +SRAM +HBM +sent +cycles")

    def test_samples_are_spread_over_nodes_and_give_the_same(self):
        for make in (networks.mlp, networks.cnn):
            data = networks.batches(make)
            steps = [step_of(make(), OPTIMIZERS["momentum"], nodes=nodes) for nodes in (1, 4)]
            losses = [[step(*one).item() for one in data] for step in steps]
            self.check_losses(losses[1], losses[0])
            costs = steps[1].report()
            self.assertEqual((costs.alike, costs.nodes, costs.samples), ("", 4, len(data[0][1])))
            self.assertLess(costs.cycles, steps[0].report().cycles)

    def test_a_step_that_is_interrupted_is_done_or_changes_nothing(self):
        data = networks.batches(networks.cnn)
        step, undisturbed = (step_of(networks.cnn(), OPTIMIZERS["SGD"]) for _ in range(2))
        step(*data[0]), undisturbed(*data[0])
        join, interrupted, call = threading.Thread.join, threading.Event(), Program._call

        def interrupted_once(thread, timeout=None):
            if not interrupted.is_set():
                interrupted.set()
                raise KeyboardInterrupt
            return join(thread, timeout)

        def called_then(program, function, *arguments):
            if function == "opendojo_run":
                interrupted.wait()
            return call(program, function, *arguments)

        with mock.patch.object(threading.Thread, "join", interrupted_once), \
                mock.patch.object(Program, "_call", called_then), self.assertRaises(KeyboardInterrupt):
            step(*data[1])
        self.assertIn(step(*data[1]).item(), [undisturbed(*data[1]).item() for _ in range(2)])

    def test_the_state_is_that_of_pytorch_and_goes_on_there(self):
        model, data = networks.cnn(), networks.batches(networks.cnn)
        theirs, reference = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["momentum"], data, 6)
        step = step_of(model, OPTIMIZERS["momentum"])
        mine = [step(*data[k % 3]).item() for k in range(3)]
        state = step.state_dict()
        self.assertEqual(list(state["model"]), list(model.state_dict()))
        self.assertEqual(state["model"]["1.num_batches_tracked"].item(), 3)
        optimizer = OPTIMIZERS["momentum"](model.parameters())
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for k in range(3, 6):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(data[k % 3][0]), data[k % 3][1])
            loss.backward()
            optimizer.step()
            mine.append(loss.item())
        self.check_losses(mine, theirs)
        for name, value in reference.state_dict().items():
            torch.testing.assert_close(model.state_dict()[name], value, atol=1e-5, rtol=1e-4)

    def test_a_scheduled_rate_needs_no_new_program(self):
        model, data = networks.mlp(), networks.batches(networks.mlp)
        halve = lambda optimizer: optimizer.param_groups[0].update(lr=optimizer.param_groups[0]["lr"] / 2)
        theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["SGD"], data, 12, halve)
        optimizer = OPTIMIZERS["SGD"](model.parameters())
        step = opendojo.train_step(model, F.cross_entropy, optimizer, machine="test6", nodes=1)
        mine = []
        for k in range(12):
            mine.append(step(*data[k % 3]).item())
            halve(optimizer)
        self.check_losses(mine, theirs)
        self.assertEqual(step.programs(), 1)

    def test_a_smaller_last_batch_goes_on_with_the_same_state(self):
        model = networks.mlp()
        data = networks.batches(networks.mlp)
        data[1] = tuple(part[:5] for part in data[1])
        theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["momentum"], data, 6)
        step = step_of(model, OPTIMIZERS["momentum"])
        self.check_losses([step(*data[k % 3]).item() for k in range(6)], theirs)
        self.assertEqual(step.programs(), 2)

    def test_means_and_norms_of_batches_that_vary_are_of_the_samples_that_are_there(self):
        model = networks.cnn()
        x, y = (torch.cat(part) for part in zip(*networks.batches(networks.cnn)))
        data = [(x[:count], y[:count]) for count in (6, 4, 5, 2, 6, 3)]
        theirs, reference = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["momentum"], data, 6)
        step = step_of(model, OPTIMIZERS["momentum"], nodes=2)
        self.check_losses([step(*one).item() for one in data], theirs)
        for name, value in reference.state_dict().items():
            torch.testing.assert_close(step.state_dict()["model"][name], value, atol=1e-5, rtol=1e-4)
        self.assertEqual((step.programs(), step.report().alike, step.report().said), (2, "", []))

    def test_a_model_that_does_otherwise_for_other_batches_is_compiled_for_each(self):

        class Halves(nn.Module):

            def __init__(self):
                super().__init__()
                self.out = nn.Linear(12, 4)

            def forward(self, x):
                return self.out(x) if x.shape[0] % 2 == 0 else self.out(x) * 0.5

        model = Halves()
        x, y = networks.batches(networks.mlp)[0]
        data = [(x[:count], y[:count]) for count in (8, 6, 5, 4)]
        theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["SGD"], data, 4)
        step = step_of(model, OPTIMIZERS["SGD"])
        self.check_losses([step(*one).item() for one in data[:2]], theirs[:2])
        with self.assertWarnsRegex(opendojo.said.RunsElsewhere, "every batch size is compiled anew"):
            self.check_losses([step(*one).item() for one in data[2:]], theirs[2:])
        self.assertEqual(step.programs(), 3)

    def test_a_model_that_is_put_into_evaluation_is_evaluated(self):
        model, data = networks.cnn(), networks.batches(networks.cnn)
        step = step_of(model, OPTIMIZERS["SGD"])
        step(*data[0])
        step.to_torch()
        model.eval()
        self.check_losses([step(*data[1]).item()], [F.cross_entropy(model(data[1][0]), data[1][1]).item()])
        self.assertEqual(step.programs(), 2)

    def test_what_the_machine_lacks_is_refused_by_module_line_and_operator(self):

        class Incomplete(nn.Module):

            def forward(self, x):
                return torch.igamma(torch.ones_like(x), x.square())

        model = nn.Sequential(nn.Linear(12, 4), Incomplete())
        step = step_of(model, OPTIMIZERS["SGD"])
        with self.assertRaises(opendojo.Refused) as raised:
            step(*networks.batches(networks.mlp)[0])
        self.assertEqual(raised.exception.op, "igamma.default")
        self.assertEqual(raised.exception.module, "1")
        self.assertRegex(raised.exception.line, r"step_test\.py:\d+$")

    def test_a_float64_model_is_refused(self):
        model = networks.mlp().double()
        x, y = networks.batches(networks.mlp)[0]
        with self.assertRaisesRegex(opendojo.Refused, "float64"):
            step_of(model, OPTIMIZERS["SGD"])(x.double(), y)

    def test_a_label_that_is_no_exact_number_is_refused(self):
        model, (x, y) = networks.mlp(), networks.batches(networks.mlp)[0]
        with self.assertRaisesRegex(opendojo.Refused, r"taken up to 2\^23"):
            step_of(model, OPTIMIZERS["SGD"])(x, y + (1 << 25))

    def test_changed_settings_are_refused(self):
        model, data = networks.mlp(), networks.batches(networks.mlp)
        optimizer = OPTIMIZERS["momentum"](model.parameters())
        step = opendojo.train_step(model, F.cross_entropy, optimizer, machine="test6", nodes=1)
        step(*data[0])
        optimizer.param_groups[0]["momentum"] = 0.5
        with self.assertRaisesRegex(opendojo.Refused, "settings have changed"):
            step(*data[1])

    def test_recurrent_layers_are_trained(self):
        for kind in (nn.LSTM, nn.GRU, nn.RNN):
            with self.subTest(kind.__name__):
                torch.manual_seed(0)
                layer, head = kind(4, 8, batch_first=True), nn.Linear(8, 3)

                class Last(nn.Module):

                    def __init__(self):
                        super().__init__()
                        self.layer, self.head = layer, head

                    def forward(self, x):
                        return self.head(self.layer(x)[0][:, -1])

                model, data = Last(), [(torch.randn(4, 3, 4), torch.randint(0, 3, (4, )))]
                theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["SGD"], data, 3)
                step = step_of(model, OPTIMIZERS["SGD"])
                self.check_losses([step(*data[0]).item() for _ in range(3)], theirs)

    def test_a_step_that_is_prepared_is_compiled_and_not_done(self):
        model, data = networks.mlp(), networks.batches(networks.mlp)
        step = step_of(model, OPTIMIZERS["SGD"])
        step.prepare(*data[0])
        self.assertEqual(step.programs(), 1)
        for name, value in step.state_dict()["model"].items():
            torch.testing.assert_close(value, model.state_dict()[name], rtol=0, atol=0)
        theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["SGD"], data, 1)
        self.check_losses([step(*data[0]).item()], theirs)
        self.assertEqual(step.programs(), 1)

    def test_an_embedding_and_a_norm_are_trained(self):

        class Words(nn.Module):

            def __init__(self):
                super().__init__()
                self.table, self.norm, self.out = nn.Embedding(20, 8, padding_idx=0), nn.LayerNorm(8), nn.Linear(8, 4)

            def forward(self, words):
                return self.out(F.silu(self.norm(self.table(words))).mean(1))

        torch.manual_seed(0)
        model = Words()
        data = [(torch.randint(0, 20, (6, 5)), torch.randint(0, 4, (6, ))) for _ in range(2)]
        theirs, reference = networks.losses_of_pytorch(model, F.cross_entropy, OPTIMIZERS["AdamW"], data, 8)
        step = step_of(model, OPTIMIZERS["AdamW"])
        self.check_losses([step(*data[k % 2]).item() for k in range(8)], theirs)


if __name__ == "__main__":
    unittest.main()
