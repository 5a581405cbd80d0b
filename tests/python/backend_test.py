"""Does torch.compile with our back end give what PyTorch gives, and say what it does not?"""

import unittest

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo
from opendojo.backend import opendojo as backend

ON = {"machine": "test6", "nodes": 1}


class Backend(unittest.TestCase):

    def setUp(self):
        torch._dynamo.reset()

    def compiled(self, model):
        return torch.compile(model, backend=backend, options=ON, dynamic=False)

    def test_an_ordinary_loop_trains_as_without_it(self):
        model, data = networks.cnn(), networks.batches(networks.cnn)
        sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
        theirs, reference = networks.losses_of_pytorch(model, F.cross_entropy, sgd, data, 6)
        mine, trained = networks.losses_of_pytorch(model, F.cross_entropy, sgd, data, 0)
        optimizer, compiled = sgd(trained.parameters()), self.compiled(trained)
        for k in range(6):
            optimizer.zero_grad()
            loss = F.cross_entropy(compiled(data[k % 3][0]), data[k % 3][1])
            loss.backward()
            optimizer.step()
            mine.append(loss.item())
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=0)
        trained.eval(), reference.eval()
        with torch.no_grad():
            torch.testing.assert_close(compiled(data[0][0]), reference(data[0][0]), rtol=1e-4, atol=1e-5)

    def test_what_the_machine_lacks_is_refused_before_anything_runs(self):
        compiled = torch.compile(lambda x: torch.special.airy_ai(x), backend=backend, options=ON, dynamic=False)
        with self.assertRaisesRegex(torch._dynamo.exc.BackendCompilerFailed, r"airy_ai\.default") as raised:
            compiled(torch.ones(3))
        self.assertIsInstance(raised.exception.inner_exception, opendojo.Refused)

    def test_tensors_without_elements_pass_by_the_machine(self):

        def parts(x, none):
            return x[:0], torch.cat([x * 2, x[:, :0], none], 1), none + 1

        given = torch.ones(2, 3), torch.ones(2, 0)
        compiled = torch.compile(parts, backend=backend, options=ON, dynamic=False, fullgraph=True)
        torch.testing.assert_close(compiled(*given), parts(*given))

    def test_an_unknown_option_is_refused(self):
        compiled = torch.compile(lambda x: x + 1, backend=backend, options={"speed": 3}, dynamic=False)
        with self.assertRaisesRegex(torch._dynamo.exc.BackendCompilerFailed, "option 'speed' is none of machine"):
            compiled(torch.ones(3))


if __name__ == "__main__":
    unittest.main()
