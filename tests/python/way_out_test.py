"""Does a run go on in plain PyTorch where the machine's ended, come back, and does compare() find what departs?"""

import copy
import importlib.util
import os
import tempfile
import unittest

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo

ON = {"machine": "test6", "nodes": 1}
OPTIMIZERS = {
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=1e-2),
}
FIRST_STEPS = {
    "dampening": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.5),
    "NAdam": lambda p: torch.optim.NAdam(p, lr=1e-2),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=1e-2),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "Adamax": lambda p: torch.optim.Adamax(p, lr=1e-2),
    "amsgrad": lambda p: torch.optim.AdamW(p, lr=1e-2, amsgrad=True),
}


def plain_steps(model, optimizer, data, numbers):
    losses = []
    for k in numbers:
        x, y = data[k % len(data)]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class WayOut(unittest.TestCase):

    def step(self, model, optimizer):
        return opendojo.train_step(model, F.cross_entropy, optimizer, **ON)

    def test_a_run_goes_from_the_machine_to_pytorch_and_back_without_a_jump(self):
        data = networks.batches(networks.cnn)
        for name, make in OPTIMIZERS.items():
            with self.subTest(name):
                model = networks.cnn()
                theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, make, data, 9)
                step = self.step(model, make(model.parameters()))
                mine = [step(*data[k % 3]).item() for k in range(3)]
                mine += plain_steps(*step.to_torch(), data, range(3, 6))
                opendojo.from_torch(step)
                mine += [step(*data[k % 3]).item() for k in range(6, 9)]
                torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=0)
                self.assertEqual(step.programs(), 1)

    def test_the_first_step_of_an_optimizer_is_pytorchs(self):
        data = networks.batches(networks.mlp)
        for name, make in FIRST_STEPS.items():
            with self.subTest(name):
                model = networks.mlp()
                theirs, _ = networks.losses_of_pytorch(model, F.cross_entropy, make, data, 5)
                step = self.step(model, make(model.parameters()))
                torch.testing.assert_close([step(*data[k % 3]).item() for k in range(5)], theirs, rtol=1e-4, atol=0)
                self.assertLessEqual(step.programs(), 2)

    def test_before_the_first_step_there_is_no_state_to_take_over(self):
        model = networks.mlp()
        optimizer = FIRST_STEPS["dampening"](model.parameters())
        self.assertEqual(self.step(model, optimizer).state_dict()["optimizer"], optimizer.state_dict())

    def test_other_settings_are_taken_over_from_pytorch(self):
        model, data = networks.mlp(), networks.batches(networks.mlp)
        reference = copy.deepcopy(model)
        optimizers = [OPTIMIZERS["momentum"](one.parameters()) for one in (model, reference)]
        step = self.step(model, optimizers[0])
        losses = [step(*data[0]).item()]
        step.to_torch()
        for optimizer in optimizers:
            optimizer.param_groups[0]["weight_decay"] = 0.1
        opendojo.from_torch(step)
        losses += [step(*data[k]).item() for k in (1, 2)]
        optimizers[1].param_groups[0]["weight_decay"] = 0
        theirs = plain_steps(reference, optimizers[1], data, [0])
        optimizers[1].param_groups[0]["weight_decay"] = 0.1
        torch.testing.assert_close(losses, theirs + plain_steps(reference, optimizers[1], data, [1, 2]), rtol=1e-4, atol=0)

    @unittest.skipUnless(importlib.util.find_spec("safetensors"), "the package safetensors is not there")
    def test_a_state_goes_through_a_safetensors_file(self):
        import safetensors.torch
        data = networks.batches(networks.cnn)
        model = networks.cnn()
        step = self.step(model, OPTIMIZERS["AdamW"](model.parameters()))
        step(*data[0])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.safetensors")
            step.save(path)
            weight = safetensors.torch.load_file(path)["model.0.weight"]
            torch.testing.assert_close(weight, step.state_dict()["model"]["0.weight"], rtol=0, atol=0)
            following = [step(*data[k]).item() for k in (1, 2)]
            other = networks.cnn()
            again = self.step(other, OPTIMIZERS["AdamW"](other.parameters()))
            again.load(path)
        self.assertEqual([again(*data[k]).item() for k in (1, 2)], following)

    def test_compare_finds_nothing_where_all_is_pytorchs(self):
        model = networks.cnn()
        before = copy.deepcopy(model.state_dict())
        self.assertIsNone(opendojo.compare(model, networks.batches(networks.cnn)[0][0], bound=1e-5, **ON))
        for name, value in model.state_dict().items():
            torch.testing.assert_close(value, before[name], rtol=0, atol=0)

    def test_compare_names_module_and_line_of_the_first_that_departs(self):

        class Steps(nn.Module):

            def __init__(self):
                super().__init__()
                self.narrow, self.wide = nn.Linear(12, 4), nn.Linear(4, 4)

            def forward(self, x):
                return torch.floor(self.wide(torch.round(self.narrow(x))) * 0 + x[:, :4] * 0.7)

        torch.manual_seed(0)
        found = opendojo.compare(Steps(), networks.batches(networks.mlp)[0][0], bound=1e-6, formats="bf16", **ON)
        self.assertEqual((found.op, found.module), ("aten.addmm.default", "narrow"))
        self.assertRegex(found.line, r"way_out_test\.py:\d+$")
        self.assertGreater(found.error, 1e-6)
        self.assertLess(found.error, 0.02)


if __name__ == "__main__":
    unittest.main()
