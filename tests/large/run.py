#!/usr/bin/env python3
"""Networks of which no sample fits a node, trained on the emulated die beside PyTorch's FP32: make large.

A line a step: both losses and how far apart they are. Exit code 1 if a loss departs by more than 1e-3 of PyTorch's.
"""
import argparse
import copy
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

import opendojo

BOUND = 1e-3


class Block(nn.Module):
    """Two convolutions and what goes past them (He et al. 2015, arXiv:1512.03385, figure 2)."""

    def __init__(self, into, out, stride):
        super().__init__()
        self.a, self.b = nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm_a, self.norm_b = nn.BatchNorm2d(out), nn.BatchNorm2d(out)
        same = stride == 1 and into == out
        self.past = nn.Identity() if same else nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return F.relu(self.norm_b(self.b(F.relu(self.norm_a(self.a(x))))) + self.past(x))


class Bottleneck(nn.Module):
    """Three convolutions, of which the middle one has a quarter of the channels (figure 5 there)."""

    def __init__(self, into, out, stride):
        super().__init__()
        narrow = out // 4
        self.layers = nn.Sequential(nn.Conv2d(into, narrow, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(),
                                    nn.Conv2d(narrow, narrow, 3, stride, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU(),
                                    nn.Conv2d(narrow, out, 1, bias=False), nn.BatchNorm2d(out))
        same = stride == 1 and into == out
        self.past = nn.Identity() if same else nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return F.relu(self.layers(x) + self.past(x))


def resnet(block, blocks, width, classes=1000):
    """`blocks` of each stage, the first of `width` channels, each next one of twice as many."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    into = 64
    for stage, count in enumerate(blocks):
        for k in range(count):
            out = width << stage
            layers.append(block(into, out, 2 if stage > 0 and k == 0 else 1))
            into = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(into, classes))


class Gpt(nn.Module):

    def __init__(self, words, tokens, width, heads, layers):
        super().__init__()
        self.words, self.places = nn.Embedding(words, width), nn.Embedding(tokens, width)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, 0.0, F.gelu, batch_first=True, norm_first=True)
        self.layers = nn.ModuleList(copy.deepcopy(layer) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(tokens), persistent=False)
        self.register_buffer("counted", torch.arange(tokens), persistent=False)

    def forward(self, text):
        x = self.words(text) + self.places(self.counted)
        for layer in self.layers:
            x = layer(x, src_mask=self.mask)
        return self.head(self.norm(x)).transpose(1, 2)  # classes in dimension 1, as cross entropy wants them


def pictures(batch):
    return torch.randn(batch, 3, 224, 224), torch.randint(0, 1000, (batch, ))


def texts(batch, tokens, words):
    text = torch.randint(0, words, (batch, tokens + 1))
    return text[:, :-1], text[:, 1:]


# name: the network, a batch of so many samples, and how many samples and steps are usual here
CASES = {
    "resnet18": (lambda: resnet(Block, (2, 2, 2, 2), 64), pictures, 2, 1),
    "resnet10": (lambda: resnet(Block, (1, 1, 1, 1), 64), pictures, 8, 2),
    "resnet50": (lambda: resnet(Bottleneck, (3, 4, 6, 3), 256), pictures, 2, 1),
    "gpt": (lambda: Gpt(256, 128, 256, 4, 4), lambda batch: texts(batch, 128, 256), 4, 2),
    "gpt10m": (lambda: Gpt(256, 256, 320, 5, 8), lambda batch: texts(batch, 256, 256), 4, 1),
}


def train(name, batch, steps, machine):
    """Whether the losses agree."""
    make, sample, usual_batch, usual_steps = CASES[name]
    torch.manual_seed(0)
    model, (x, y) = make(), sample(batch or usual_batch)
    twin = copy.deepcopy(model)
    optimizer, other = (torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9) for m in (model, twin))
    step = opendojo.train_step(model, F.cross_entropy, optimizer, machine=machine)
    agree = True
    for k in range(steps or usual_steps):
        began = time.monotonic()
        loss = step(x, y).item()
        other.zero_grad()
        wanted = F.cross_entropy(twin(x), y)
        wanted.backward()
        other.step()
        apart = abs(loss - wanted.item()) / abs(wanted.item())
        agree &= apart <= BOUND
        parameters = sum(p.numel() for p in model.parameters())
        print(f"{name} ({parameters / 1e6:.1f} M parameters, batch {len(x)}) step {k + 1}: PyTorch {wanted.item():.6f}, "
              f"{machine} {loss:.6f}, {apart:.1e} apart, {step.report().cycles} cycles, {time.monotonic() - began:.0f} s",
              flush=True)
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(CASES), help=", ".join(CASES))
    parser.add_argument("--batch", type=int, default=0, help="samples a step; 0: as many as are usual here")
    parser.add_argument("--steps", type=int, default=0, help="0: as many as are usual here")
    parser.add_argument("--machine", default="d1")
    options = parser.parse_args()
    if unknown := set(options.names) - set(CASES):
        parser.error(f"there is no {', '.join(sorted(unknown))}, only {', '.join(CASES)}")
    agree = [train(name, options.batch, options.steps, options.machine) for name in options.names]
    return 0 if all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
