"""Networks that make pictures, compare pairs, or are among the first of their kind, written here after their papers."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from row import Row, pictures, restored


class Coded(nn.Module):
    """An autoencoder; with `spread` a variational one (Kingma and Welling, arXiv:1312.6114) whose noise is given."""

    def __init__(self, spread=False):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 64 if spread else 32))
        self.up = nn.Sequential(nn.Linear(32, 512), nn.Unflatten(1, (32, 4, 4)), nn.ReLU(), nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1))

    def forward(self, x, noise=None):
        code = self.down(x)
        if noise is None:
            return self.up(code)
        mean, spread = code.chunk(2, 1)
        return self.up(mean + noise * (0.5 * spread).exp()), mean, spread


def evidence(given, target):
    made, mean, spread = given
    return F.mse_loss(made, target) + 0.01 * 0.5 * (mean**2 + spread.exp() - 1 - spread).mean()


class Quantised(nn.Module):
    """Codes out of a book, gradients past the choice (van den Oord et al., arXiv:1711.00937)."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1))
        self.book = nn.Parameter(torch.randn(16, 32) * 0.3)
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1))

    def forward(self, x):
        code = self.down(x).permute(0, 2, 3, 1)
        apart = ((code[..., None, :] - self.book)**2).sum(-1)
        chosen = F.embedding(apart.argmin(-1), self.book)
        passed = code + (chosen - code).detach()
        return self.up(passed.permute(0, 3, 1, 2)), code, chosen


def with_commitment(given, target):
    made, code, chosen = given
    return F.mse_loss(made, target) + F.mse_loss(chosen, code.detach()) + 0.25 * F.mse_loss(code, chosen.detach())


class Adversaries(nn.Module):
    """A generator and what tells its pictures from real ones (Radford et al., arXiv:1511.06434), both at once: the gradient
    that the generator gets is turned round."""

    def __init__(self):
        super().__init__()
        self.maker = nn.Sequential(nn.ConvTranspose2d(16, 64, 4), nn.BatchNorm2d(64), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
                                   nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Tanh())
        self.judge = nn.Sequential(nn.Conv2d(3, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(1024, 1))

    def forward(self, noise, real):
        made = self.maker(noise)
        turned = 2 * made.detach() - made
        return torch.cat([self.judge(turned), self.judge(real)])[:, 0]


def _steps(count, width):
    octaves = torch.exp(-math.log(1000) * torch.arange(width // 2) / (width // 2))
    waves = count[:, None] * octaves
    return torch.cat([waves.sin(), waves.cos()], 1)


class Denoiser(nn.Module):
    """The noise in a picture, of a U-Net that knows the step (Ho et al., arXiv:2006.11239)."""

    def __init__(self, width=32):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.into, self.down, self.up, self.out = nn.Conv2d(3, width, 3, 1, 1), nn.Conv2d(width, width, 3, 2, 1), nn.Conv2d(width, width, 3, 1, 1), nn.Conv2d(width, 3, 3, 1, 1)
        self.norms, self.first, self.second, self.shift = (nn.ModuleList(make() for _ in range(3)) for make in
            (lambda: nn.GroupNorm(4, width), lambda: nn.Conv2d(width, width, 3, 1, 1), lambda: nn.Conv2d(width, width, 3, 1, 1), lambda: nn.Linear(width, width)))
        self.qkv, self.joined = nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)

    def _block(self, k, x, time):
        return x + self.second[k](F.silu(self.first[k](F.silu(self.norms[k](x))) + self.shift[k](time)[..., None, None]))

    def forward(self, x, step):
        time = self.time(_steps(step, 32))
        first = self._block(0, self.into(x), time)
        x = self._block(1, self.down(first), time)
        q, k, v = self.qkv(x).flatten(2).chunk(3, 1)
        x = x + self.joined((v @ torch.softmax(q.transpose(1, 2) @ k / 32**0.5, -1).transpose(1, 2)).reshape(x.shape))
        return self.out(self._block(2, self.up(F.interpolate(x, scale_factor=2, mode="nearest")) + first, time))


class DiffusionTransformer(nn.Module):
    """Blocks scaled and shifted by the step and the class (Peebles and Xie, arXiv:2212.09748)."""

    def __init__(self, width=64, layers=3):
        super().__init__()
        self.patch, self.places, self.classes = nn.Conv2d(3, width, 4, 4), nn.Parameter(torch.randn(16, width) * 0.02), nn.Embedding(10, width)
        self.time = nn.Sequential(nn.Linear(32, width), nn.SiLU(), nn.Linear(width, width))
        self.shift, self.qkv, self.out = (nn.ModuleList(nn.Linear(width, times * width) for _ in range(layers)) for times in (6, 3, 1))
        self.hidden = nn.ModuleList(nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(approximate="tanh"), nn.Linear(2 * width, width)) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, elementwise_affine=False), nn.Linear(width, 48)

    def forward(self, x, step, label):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.places
        given = F.silu(self.time(_steps(step, 32)) + self.classes(label))
        for shift, qkv, out, hidden in zip(self.shift, self.qkv, self.out, self.hidden):
            a, b, c, d, e, f = shift(given)[:, None].chunk(6, -1)
            q, k, v = qkv(self.norm(x) * (1 + a) + b).unflatten(-1, (3, 2, 32)).permute(2, 0, 3, 1, 4)
            x = x + c * out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
            x = x + f * hidden(self.norm(x) * (1 + d) + e)
        return F.pixel_shuffle(self.head(self.norm(x)).transpose(1, 2).unflatten(2, (4, 4)), 4)


class Flow(nn.Module):
    """Couplings whose determinant is known (Dinh et al., arXiv:1605.08803)."""

    def __init__(self, width=8, layers=4):
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(width // 2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, width)) for _ in range(layers))

    def forward(self, x):
        total = 0
        for layer in self.layers:
            a, b = x.chunk(2, 1)
            scale, shift = layer(a).chunk(2, 1)
            scale = torch.tanh(scale)
            x, total = torch.cat([b * scale.exp() + shift, a], 1), total + scale.sum(1)
        return 0.5 * (x**2).sum(1) - total


class Pair(nn.Module):
    """Two pictures through one network (Chopra et al. 2005); `contrast`: every one against every other (arXiv:2002.05709)."""

    def __init__(self, contrast=False):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                    nn.Linear(64, 32))
        self._contrast = contrast

    def forward(self, first, second):
        a, b = self.layers(first), self.layers(second)
        return F.normalize(a) @ F.normalize(b).T / 0.2 if self._contrast else F.pairwise_distance(a, b)


class Fire(nn.Module):

    def __init__(self, into, squeezed, out):
        super().__init__()
        self.squeeze, self.one, self.three = nn.Conv2d(into, squeezed, 1), nn.Conv2d(squeezed, out // 2, 1), nn.Conv2d(squeezed, out // 2, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.one(x), self.three(x)], 1))


class Inception(nn.Module):
    """Four ways side by side (Szegedy et al., arXiv:1409.4842)."""

    def __init__(self, into):
        super().__init__()
        self.ways = nn.ModuleList([nn.Conv2d(into, 16, 1), nn.Sequential(nn.Conv2d(into, 32, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1)),
                                   nn.Sequential(nn.Conv2d(into, 32, 1), nn.ReLU(), nn.Conv2d(32, 16, 5, padding=2)),
                                   nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(into, 16, 1))])

    def forward(self, x):
        return F.relu(torch.cat([way(x) for way in self.ways], 1))


class Shuffled(nn.Module):
    """Half of the channels pass, and all are mixed afterwards (Ma et al., arXiv:1807.11164)."""

    def __init__(self, width):
        super().__init__()
        half = width // 2
        self.way = nn.Sequential(nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False), nn.BatchNorm2d(half),
                                 nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())

    def forward(self, x):
        a, b = x.chunk(2, 1)
        return F.channel_shuffle(torch.cat([a, self.way(b)], 1), 2)


class Involved(nn.Module):
    """A kernel for every place, made of what is there (Li et al., arXiv:2103.06255)."""

    def __init__(self, width=32, groups=4):
        super().__init__()
        self.kernel, self._groups = nn.Sequential(nn.Conv2d(width, 16, 1), nn.ReLU(), nn.Conv2d(16, 9 * groups, 1)), groups

    def forward(self, x):
        n, c, height, wide = x.shape
        kernel = self.kernel(x).reshape(n, self._groups, 1, 9, height * wide)
        around = F.unfold(x, 3, padding=1).reshape(n, self._groups, c // self._groups, 9, height * wide)
        return F.relu(x + (kernel * around).sum(3).reshape(x.shape))


def _classes(*layers, width):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def _first(width=32, stride=2):
    return nn.Sequential(nn.Conv2d(3, width, 3, stride, 1), nn.ReLU())


def _alexnet():
    pool = lambda: nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(nn.Conv2d(3, 32, 5, 2, 2), nn.ReLU(), pool(), nn.Conv2d(32, 32, 5, 1, 2), nn.ReLU(), pool(), nn.Conv2d(32, 64, 3, 1, 1), nn.ReLU(),
                         nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 32, 3, 1, 1), nn.ReLU(), pool(), nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def _pilotnet():
    layers, into = [], 3
    for out, size, stride in ((24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1)):
        layers += [nn.Conv2d(into, out, size, stride), nn.ReLU()]
        into = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1152, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10), nn.ReLU(), nn.Linear(10, 1))


def rows():
    made = lambda number: f"written here, arXiv:{number}"
    learnt = dict(loss=F.mse_loss, optimizer="adamw")
    layers = "pictures of 16, 4 layers of 32 channels"
    yield Row("autoencoder", "autoencoders", Coded, restored(16, 4), layers, "written here", **learnt)

    def noisy():
        x = torch.randn(4, 3, 16, 16)
        return x, torch.randn(4, 32), x.clone()

    yield Row("vae", "autoencoders", lambda: Coded(True), noisy, layers, made("1312.6114"), loss=evidence, optimizer="adamw")
    yield Row("vq_vae", "autoencoders", Quantised, restored(16, 4), layers + ", 16 codes", made("1711.00937"), loss=with_commitment, optimizer="adamw")
    yield Row("dcgan", "adversaries", Adversaries, lambda: (torch.randn(4, 16, 1, 1), torch.randn(4, 3, 16, 16), torch.cat([torch.zeros(4), torch.ones(4)])),
              "pictures of 16, 3 of 5 layers each of 32 and 64 channels; one loss, the gradient turned round", made("1511.06434"), loss=F.binary_cross_entropy_with_logits, optimizer="adamw")
    yield Row("ddpm", "diffusion", Denoiser, lambda: (torch.randn(4, 3, 16, 16), torch.rand(4) * 100, torch.randn(4, 3, 16, 16)), "pictures of 16, 3 blocks of 32 channels",
              made("2006.11239"), **learnt)
    yield Row("dit", "diffusion", DiffusionTransformer, lambda: (torch.randn(4, 3, 16, 16), torch.rand(4) * 100, torch.randint(0, 10, (4, )), torch.randn(4, 3, 16, 16)),
              "pictures of 16, 3 of 12 blocks of width 64", made("2212.09748"), **learnt)
    yield Row("real_nvp", "diffusion", Flow, lambda: (torch.randn(16, 8), torch.zeros(16)), "8 numbers, 4 couplings of width 32", made("1605.08803"),
              loss=lambda given, target: (given + target).mean(), optimizer="adamw")
    yield Row("siamese", "two towers", Pair, lambda: (torch.randn(4, 3, 16, 16), torch.randn(4, 3, 16, 16), torch.tensor([0.0, 1.0, 0.0, 1.0])), "pictures of 16, 3 convolutions of 32 to 64",
              "written here, Chopra et al. 2005", loss=lambda d, y: (y * d**2 + (1 - y) * F.relu(2 - d)**2).mean(), optimizer="adamw")
    yield Row("simclr", "two towers", lambda: Pair(True), lambda: (torch.randn(4, 3, 16, 16), torch.randn(4, 3, 16, 16), torch.arange(4)), "pictures of 16, 3 convolutions of 32 to 64",
              made("2002.05709"), optimizer="adamw")
    few = "a picture of 32, 3 blocks of 32 to 64 channels"
    yield Row("alexnet", "plain", _alexnet, pictures(), "a picture of 32, widths a half to a 6th, hidden layers of 64", "written here, Krizhevsky et al. 2012", optimizer="adamw")
    yield Row("pilotnet", "plain", _pilotnet, lambda: (torch.randn(2, 3, 66, 200), torch.randn(2, 1)), "nothing", made("1604.07316"), **learnt)
    yield Row("squeezenet", "plain", lambda: _classes(_first(), Fire(32, 32, 64), Fire(64, 32, 64), nn.MaxPool2d(3, 2, 1), Fire(64, 32, 64), width=64), pictures(), few + " of 8", made("1602.07360"), optimizer="adamw")
    yield Row("googlenet", "aggregated", lambda: _classes(_first(), Inception(32), Inception(80), nn.MaxPool2d(3, 2, 1), Inception(80), width=80), pictures(), "a picture of 32, 3 of 9 blocks of 80 channels", made("1409.4842"), optimizer="adamw")
    yield Row("shufflenet_v2", "mobile", lambda: _classes(_first(64), Shuffled(64), Shuffled(64), nn.MaxPool2d(3, 2, 1), Shuffled(64), width=64), pictures(), "a picture of 32, 3 of 16 blocks of 64 channels", made("1807.11164"))
    yield Row("involution", "attention in convolutions", lambda: _classes(_first(), Involved(), Involved(), Involved(), width=32), pictures(16), "a picture of 16, 3 of 16 blocks of 32 channels", made("2103.06255"), optimizer="adamw")
