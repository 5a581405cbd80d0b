"""Does an exception in a hook, Ctrl-C, a second machine, a fork or a loader's worker leave nothing broken?"""

import os
import signal
import sys
import threading
import traceback
import unittest
import warnings
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F

import networks
import opendojo
from opendojo import versions


def sgd_step(model, nodes=1, **how):
    return opendojo.train_step(model, F.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.1), machine="test6",
                               nodes=nodes, threads=1, **how)


def losses(step, data):
    return [step(*one).item() for one in data]


class Robust(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.data = networks.batches(networks.mlp)
        cls.wanted = losses(sgd_step(networks.mlp()), cls.data)

    def test_an_exception_in_a_hook_or_a_loss_leaves_nothing_behind(self):
        model = networks.mlp()
        step = sgd_step(model)
        hooks = torch.nn.modules.module
        before = dict(hooks._global_forward_pre_hooks), dict(hooks._global_forward_hooks)
        groups = [dict(group) for group in step._optimizer.param_groups]

        def fail(module, arguments):
            raise ValueError("the hook's own")

        handle = model[2].register_forward_pre_hook(fail)
        with self.assertRaisesRegex(ValueError, "the hook's own"):
            step(*self.data[0])
        handle.remove()
        with mock.patch.object(step._optimizer, "step", side_effect=OSError("of the optimizer")), self.assertRaises(OSError):
            step(*self.data[0])
        self.assertEqual((dict(hooks._global_forward_pre_hooks), dict(hooks._global_forward_hooks)), before)
        self.assertEqual([dict(group) for group in step._optimizer.param_groups], groups)
        self.assertEqual(losses(step, self.data), self.wanted)

    def test_ctrl_c_in_a_step_ends_it_and_the_next_one_goes_on(self):
        step = sgd_step(networks.mlp())
        first = step(*self.data[0]).item()
        main = threading.get_ident()
        timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
        try:
            timer.start()
            while True:
                again = sgd_step(networks.mlp())
                again(*self.data[0])
        except KeyboardInterrupt:
            pass
        timer.join()
        self.assertEqual([first] + losses(step, self.data[1:]), self.wanted)

    def test_machines_in_one_process_do_not_know_of_each_other(self):
        steps = [sgd_step(networks.mlp(), nodes) for nodes in (1, 1)]
        mine = [[], []]
        for one in self.data:
            for k, step in enumerate(steps):
                mine[k].append(step(*one).item())
        self.assertEqual(mine, [self.wanted, self.wanted])

    def test_steps_are_made_in_threads_that_know_nothing_of_each_other(self):
        models = [networks.mlp() for _ in range(4)]  # here, since all threads have one generator
        found, ended = {}, threading.Event()

        def eager():
            while not ended.is_set():
                models[3](self.data[0][0])

        threads = [threading.Thread(target=lambda k=k: found.update({k: losses(sgd_step(models[k]), self.data)}))
                   for k in range(3)]
        beside, former = threading.Thread(target=eager), sys.getswitchinterval()
        sys.setswitchinterval(1e-5)  # as many changes between them as a second allows
        try:
            beside.start()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            ended.set()
            beside.join()
            sys.setswitchinterval(former)
        self.assertEqual(found, {k: self.wanted for k in range(3)})

    def in_a_child(self, work):
        """What work() returns in a forked process, as a float."""
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of threads that a fork leaves behind
            child = os.fork()
        if child == 0:
            try:
                os.write(writing, repr(work()).encode())
            except BaseException:
                os.write(writing, traceback.format_exc().encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            said = file.read()
        os.waitpid(child, 0)
        return float(said)

    def test_a_forked_process_has_a_step_of_its_own(self):
        step = sgd_step(networks.mlp())
        first = step(*self.data[0]).item()
        self.assertEqual(self.in_a_child(lambda: step(*self.data[1]).item()), self.wanted[1])
        self.assertEqual([first] + losses(step, self.data[1:]), self.wanted)

    def test_a_loaders_workers_come_and_go_beside_a_step(self):
        step = sgd_step(networks.mlp())
        x, y = (torch.cat(part) for part in zip(*self.data))
        mine = []
        for _ in range(2):
            loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=8, num_workers=2)
            mine += losses(step, loader)
        self.assertEqual(mine[:3], self.wanted)
        self.assertEqual(len(mine), 6)

    def test_another_pytorch_is_tried_and_warned_of(self):
        with mock.patch.object(torch, "__version__", "2.99.0"), mock.patch.object(versions, "_tried", False), \
                warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sgd_step(networks.mlp())
            sgd_step(networks.mlp())
        said = [str(one.message) for one in caught if "2.99.0" in str(one.message)]
        self.assertEqual(said, ["this package is tested with torch 2.13.0; of 2.99.0 a trial gave what PyTorch gives"])
        with mock.patch.object(torch, "__version__", "2.99.0"), mock.patch.object(versions, "_tried", False), \
                mock.patch("opendojo.step.TrainStep.__call__", return_value=torch.tensor(0.0)), \
                self.assertWarnsRegex(UserWarning, "a trial failed: a training step gives another loss"):
            versions.try_another()


if __name__ == "__main__":
    unittest.main()
