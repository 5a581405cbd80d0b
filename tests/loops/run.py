#!/usr/bin/env python3
"""The training loops of accelerate, Lightning and transformers as they are, with and without the one line: make loops.

Each loop trains a small network for 20 steps twice on the same data from the same weights: by PyTorch alone, and with
`backend="opendojo"`. Both losses of every step are compared. Exit code 1 if one departs by more than 1e-3, or if nothing ran
on the machine.
"""
import argparse
import os
import sys
import tempfile
import warnings

import torch
from torch import nn
from torch.nn import functional as F

import opendojo
from opendojo.watch import ledger

STEPS, BATCH, BOUND = 20, 8, 1e-3
ON = {"machine": "test6"}


def pictures():
    """Four kinds of small pictures, which a network tells apart better and better."""
    generator = torch.Generator().manual_seed(1)
    kind = torch.randint(0, 4, (STEPS * BATCH, ), generator=generator)
    x = 0.5 * torch.randn(len(kind), 3, 12, 12, generator=generator)
    x[torch.arange(len(kind)), kind % 3] += 1
    x[kind > 1, :, :6] -= 0.5
    return torch.utils.data.TensorDataset(x, kind)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(8, 16, 3, stride=2), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))


def of_accelerate(on_the_machine):
    """The loop of accelerate's quick tour, with its clipping and a schedule."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model = network()
    if on_the_machine:
        model = torch.compile(model, backend="opendojo", options=ON)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    loader = torch.utils.data.DataLoader(pictures(), batch_size=BATCH)
    model, optimizer, loader, schedule = accelerator.prepare(model, optimizer, loader, schedule)
    losses = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def of_lightning(on_the_machine):
    """A LightningModule and its Trainer."""
    import lightning

    class Classifier(lightning.LightningModule):

        def __init__(self, model):
            super().__init__()
            self.model, self.losses = model, []

        def training_step(self, batch):
            x, y = batch
            loss = F.cross_entropy(self.model(x), y)
            self.losses.append(loss.item())
            return loss

        def configure_optimizers(self):
            optimizer = torch.optim.AdamW(self.parameters(), lr=3e-3)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]

    model = network()
    if on_the_machine:
        model = torch.compile(model, backend="opendojo", options=ON)
    classifier = Classifier(model)
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False,
                                enable_progress_bar=False, enable_model_summary=False, gradient_clip_val=1.0)
    trainer.fit(classifier, torch.utils.data.DataLoader(pictures(), batch_size=BATCH))
    return classifier.losses


def of_transformers(on_the_machine):
    """transformers' Trainer on a small GPT-2. The line is nn.Module.compile(), which leaves the model's class and names: the
    names that TrainingArguments takes for back ends are those of a list in accelerate."""
    import transformers

    transformers.set_seed(0)
    config = transformers.GPT2Config(vocab_size=32, n_positions=16, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0,
                                     resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    model = transformers.GPT2LMHeadModel(config)
    if on_the_machine:
        model.compile(backend="opendojo", options=ON)
    generator = torch.Generator().manual_seed(1)
    first, step = (torch.randint(low, high, (STEPS * BATCH, 1), generator=generator) for low, high in ((0, 8), (1, 3)))
    rows = first + torch.arange(16) * step
    data = [{"input_ids": row % 32, "labels": row % 32} for row in rows]
    losses = []

    class Noted(transformers.Trainer):

        def training_step(self, *arguments, **how):
            loss = super().training_step(*arguments, **how)
            losses.append(loss.item())
            return loss

    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            output_dir=folder, max_steps=STEPS, per_device_train_batch_size=BATCH, learning_rate=3e-3, use_cpu=True,
            report_to=[], save_strategy="no", disable_tqdm=True, logging_strategy="no")
        Noted(model=model, args=arguments, train_dataset=data).train()
    return losses


LOOPS = {"accelerate": of_accelerate, "lightning": of_lightning, "transformers": of_transformers}


def compared(name):
    """Whether the two are the same, with a line for people."""
    theirs = LOOPS[name](False)
    torch._dynamo.reset()
    ledger.reset()
    mine = LOOPS[name](True)
    report = opendojo.report()
    apart = max(abs(a - b) / abs(b) for a, b in zip(mine, theirs, strict=True))
    runs = sum(program.costs.runs for program in report.programs)
    version = __import__(name).__version__
    good = len(mine) == STEPS and apart <= BOUND and runs >= 2 * STEPS
    print(f"{name} {version}: {len(mine)} losses from {theirs[0]:.4f} to {theirs[-1]:.4f}, at most {apart:.2g} apart; "
          f"{len(report.programs)} programs, {runs} runs, {100 * (report.outside_share or 0):.0f} % of the time outside: "
          f"{'the same' if good else 'DEPARTS'}", flush=True)
    for said in report.said:
        print(f"  said: {said}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loops", nargs="*", choices=[[], *LOOPS], help=", ".join(LOOPS))
    chosen = parser.parse_args().loops or list(LOOPS)
    warnings.simplefilter("ignore")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return 0 if all([compared(name) for name in chosen]) else 1


if __name__ == "__main__":
    sys.exit(main())
