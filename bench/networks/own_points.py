"""Networks over points, graphs, tables and fields, written here after their papers."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from row import Row


class PointNet(nn.Module):
    """The same layers for every point, and the largest of all (Qi et al., arXiv:1612.00593)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, 32, 1), nn.BatchNorm1d(32), nn.ReLU(),
                                    nn.Conv1d(32, 64, 1), nn.BatchNorm1d(64), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))

    def forward(self, points):
        return self.head(self.layers(points).amax(2))


class DynamicGraph(nn.Module):
    """Layers over each point's nearest ones, found anew in every layer (Wang et al., arXiv:1801.07829)."""

    def __init__(self, near=4):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(2 * into, out, 1) for into, out in ((3, 32), (32, 32), (32, 64)))
        self.head, self._near = nn.Linear(64, 8), near

    def forward(self, points):
        x = points
        for layer in self.layers:
            apart = torch.cdist(x.detach().transpose(1, 2), x.detach().transpose(1, 2), compute_mode="donot_use_mm_for_euclid_dist")
            near = apart.topk(self._near, largest=False)[1]
            n, c, count = x.shape
            beside = x.gather(2, near.reshape(n, 1, -1).expand(n, c, -1)).reshape(n, c, count, self._near)
            own = x[..., None].expand_as(beside)
            x = F.leaky_relu(layer(torch.cat([own, beside - own], 1)), 0.2).amax(3)
        return self.head(x.amax(2))


class GroupedPoints(nn.Module):
    """Groups of points, and groups of these, at fixed places (after Qi et al., arXiv:1706.02413)."""

    def __init__(self, points=32, groups=(16, 8, 4), size=4):
        super().__init__()
        generator, widths, before = torch.Generator().manual_seed(3), (32, 32, 64), points
        for k, count in enumerate(groups):
            self.register_buffer(f"group{k}", torch.randint(0, before, (count * size, ), generator=generator))
            before = count
        self.layers = nn.ModuleList(nn.Conv2d(into, out, 1) for into, out in zip((3, *widths), widths))
        self.head, self._size = nn.Linear(64, 8), size

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            grouped = x.index_select(2, getattr(self, f"group{k}"))
            grouped = grouped.reshape(*grouped.shape[:2], -1, self._size)
            x = F.relu(layer(grouped)).amax(3)
        return self.head(x.amax(2))


class PointAttention(nn.Module):
    """Attention of vectors among all points, by where they lie (after Zhao et al., arXiv:2012.09164)."""

    def __init__(self, width=32, blocks=3):
        super().__init__()
        self.into, self.head = nn.Linear(3, width), nn.Linear(width, 8)
        make = lambda: nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "place": nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, width)),
                                      "weigh": nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))})
        self.blocks = nn.ModuleList(make() for _ in range(blocks))

    def forward(self, points):
        points = points.transpose(1, 2)
        x, apart = self.into(points), points[:, :, None] - points[:, None]
        for block in self.blocks:
            q, k, v = block["qkv"](x).chunk(3, -1)
            place = block["place"](apart)
            weights = torch.softmax(block["weigh"](q[:, :, None] - k[:, None] + place), 2)
            x = x + (weights * (v[:, None] + place)).sum(2)
        return self.head(x.mean(1))


def _ring(count=24, more=24):
    """Edges of a graph: a ring, and others between any two."""
    generator = torch.Generator().manual_seed(4)
    around = torch.arange(count)
    others = torch.randint(0, count, (2, more), generator=generator)
    return torch.cat([torch.stack([around, (around + 1) % count]), torch.stack([(around + 1) % count, around]), others], 1)


class GraphNetwork(nn.Module):
    """Layers over a fixed graph. `kind`: how what comes along the edges is summed."""

    def __init__(self, kind, layers=3, width=32, count=24):
        super().__init__()
        edges = _ring(count)
        self.register_buffer("begins", edges[0])
        self.register_buffer("ends", edges[1])
        degree = torch.zeros(count).index_add(0, edges[1], torch.ones(edges.shape[1])) + 1
        self.register_buffer("scale", degree.rsqrt())
        self.into, self.head = nn.Linear(16, width), nn.Linear(width, 4)
        self.layers = nn.ModuleList(nn.Linear(width if kind != "sage" else 2 * width, width) for _ in range(layers))
        self.scores = nn.ModuleList(nn.Linear(2 * width, 1) for _ in range(layers)) if kind == "gat" else None
        self.more = nn.ModuleList(nn.Sequential(nn.ReLU(), nn.Linear(width, width)) for _ in range(layers)) if kind == "gin" else None
        self._kind = kind

    def _summed(self, values):
        return torch.zeros_like(values[:1]).expand(len(self.scale), -1).index_add(0, self.ends, values)

    def forward(self, x):
        x = self.into(x)
        for k, layer in enumerate(self.layers):
            if self._kind == "gcn":  # Kipf and Welling, arXiv:1609.02907
                x = x * self.scale[:, None]
                x = F.relu(layer((self._summed(x[self.begins]) + x) * self.scale[:, None]))
            elif self._kind == "sage":  # Hamilton et al., arXiv:1706.02216
                x = F.relu(layer(torch.cat([x, self._summed(x[self.begins]) * self.scale[:, None]**2], 1)))
            elif self._kind == "gin":  # Xu et al., arXiv:1810.00826
                x = F.relu(self.more[k](layer(x + self._summed(x[self.begins]))))
            else:  # Velickovic et al., arXiv:1710.10903
                x = layer(x)
                score = F.leaky_relu(self.scores[k](torch.cat([x[self.begins], x[self.ends]], 1)), 0.2).exp()
                x = F.elu(self._summed(score * x[self.begins]) / (self._summed(score) + 1e-6))
        return self.head(x)


class Recommender(nn.Module):
    """Categories and numbers to a click: `kind` dlrm (arXiv:1906.00091), wide (arXiv:1606.07792), fm (arXiv:1703.04247) or cross
    (arXiv:1708.05123)."""

    def __init__(self, kind, fields=4, words=32, width=32):
        super().__init__()
        self.words = nn.ModuleList(nn.Embedding(words, width) for _ in range(fields))
        self.alone = nn.ModuleList(nn.Embedding(words, 1) for _ in range(fields))
        self.bottom = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, width), nn.ReLU())
        pairs, flat = (fields + 1) * fields // 2, (fields + 1) * width
        self.top = nn.Sequential(nn.Linear(width + pairs if kind == "dlrm" else flat, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.cross = nn.ModuleList(nn.Linear(flat, 1) for _ in range(3))
        self.last, self._kind = nn.Linear(flat, 1), kind

    def forward(self, numbers, categories):
        dense = self.bottom(numbers)
        each = torch.stack([dense] + [table(categories[:, k]) for k, table in enumerate(self.words)], 1)
        flat = each.flatten(1)
        if self._kind == "dlrm":
            place = torch.tril_indices(each.shape[1], each.shape[1], -1)
            return self.top(torch.cat([dense, (each @ each.transpose(1, 2))[:, place[0], place[1]]], 1))[:, 0]
        made = self.top(flat)[:, 0]
        if self._kind == "cross":
            x = flat
            for layer in self.cross:
                x = flat * layer(x) + x
            return made + self.last(x)[:, 0]
        made = made + sum(table(categories[:, k])[:, 0] for k, table in enumerate(self.alone))
        return made + 0.5 * (each.sum(1)**2 - (each**2).sum(1)).sum(1) if self._kind == "fm" else made


class RadianceField(nn.Module):
    """Colour and density along rays (Mildenhall et al., arXiv:2003.08934)."""

    def __init__(self, width=64, octaves=4):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6 * octaves + 3, width), nn.Linear(width, width), nn.Linear(width + 6 * octaves + 3, width), nn.Linear(width, width)])
        self.density, self.colour = nn.Linear(width, 1), nn.Linear(width, 3)
        self.register_buffer("octaves", 2.0**torch.arange(octaves))

    def forward(self, points):
        waves = (points[..., None] * self.octaves * math.pi).flatten(-2)
        given = torch.cat([points, waves.sin(), waves.cos()], -1)
        x = given
        for k, layer in enumerate(self.layers):
            x = F.relu(layer(torch.cat([x, given], -1) if k == 2 else x))
        opaque = 1 - torch.exp(-F.softplus(self.density(x))[..., 0] * 0.25)
        through = torch.cumprod(torch.cat([torch.ones_like(opaque[..., :1]), 1 - opaque[..., :-1] + 1e-6], -1), -1)
        return ((opaque * through)[..., None] * torch.sigmoid(self.colour(x))).sum(-2)


class Siren(nn.Module):
    """A field of sines (Sitzmann et al., arXiv:2006.09661)."""

    def __init__(self, width=64):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, width), nn.Linear(width, width), nn.Linear(width, width)])
        self.last = nn.Linear(width, 3)

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = torch.sin((5 if k == 0 else 1) * layer(x))
        return self.last(x)


class NeuralOde(nn.Module):
    """A differential equation solved by 4 fixed steps of Runge and Kutta's (Chen et al., arXiv:1806.07366)."""

    def __init__(self, width=32):
        super().__init__()
        self.into, self.head = nn.Linear(2, width), nn.Linear(width, 4)
        self.rate = nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, width))

    def forward(self, x):
        x, h = self.into(x), 0.25
        for _ in range(4):
            a = self.rate(x)
            b = self.rate(x + h / 2 * a)
            c = self.rate(x + h / 2 * b)
            d = self.rate(x + h * c)
            x = x + h / 6 * (a + 2 * b + 2 * c + d)
        return self.head(x)


class Tabular(nn.Module):
    """Each number of a table as a token (Gorishniy et al., arXiv:2106.11959)."""

    def __init__(self, fields=8, width=32):
        super().__init__()
        self.scale, self.shift, self.first = (nn.Parameter(torch.randn(count, width) * 0.1) for count in (fields, fields, 1))
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(width, 2, 64, 0.0, batch_first=True, norm_first=True) for _ in range(3))
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = torch.cat([self.first.expand(len(x), 1, -1), x[..., None] * self.scale + self.shift], 1)
        for layer in self.layers:
            x = layer(x)
        return self.head(x[:, 0])


def _points(count=32):
    return lambda: (torch.randn(4, 3, count), torch.randint(0, 8, (4, )))


def _clicks():
    return torch.randn(16, 8), torch.randint(0, 32, (16, 4)), torch.randint(0, 2, (16, )).float()


def rows():
    made = lambda number: f"written here, arXiv:{number}"
    for name, make, number, cut in (("pointnet", PointNet, "1612.00593", "32 points, 3 layers of 32 to 64, no transforms"),
                                    ("pointnet2", GroupedPoints, "1706.02413", "32 points, 3 stages of 32 to 64, groups of 4 at fixed places"),
                                    ("dgcnn", DynamicGraph, "1801.07829", "32 points, 4 nearest, 3 of 4 layers of 32 to 64"),
                                    ("point_transformer", PointAttention, "2012.09164", "32 points, all neighbours, 3 blocks of width 32")):
        yield Row(name, "points", make, _points(16 if name == "point_transformer" else 32), cut, made(number), optimizer="adamw")
    for kind, number in (("gcn", "1609.02907"), ("sage", "1706.02216"), ("gin", "1810.00826"), ("gat", "1710.10903")):
        yield Row(kind, "graphs", lambda kind=kind: GraphNetwork(kind), lambda: (torch.randn(24, 16), torch.randint(0, 4, (24, ))),
                  "24 nodes, 72 edges, 3 layers of width 32, a head of attention", made(number), optimizer="adamw")
    for kind, number in (("dlrm", "1906.00091"), ("wide", "1606.07792"), ("fm", "1703.04247"), ("cross", "1708.05123")):
        name = {"wide": "wide_and_deep", "fm": "deepfm", "cross": "deep_and_cross"}.get(kind, kind)
        yield Row(name, "recommenders", lambda kind=kind: Recommender(kind), _clicks, "4 tables of 32 rows, width 32, layers of 64 and 32",
                  made(number), loss=F.binary_cross_entropy_with_logits, optimizer="adamw")
    yield Row("tabular_transformer", "recommenders", Tabular, lambda: (torch.randn(8, 8), torch.randint(0, 4, (8, ))), "8 fields, 3 blocks of width 32",
              made("2106.11959"), optimizer="adamw")
    yield Row("nerf", "fields", RadianceField, lambda: (torch.rand(16, 8, 3), torch.rand(16, 3)), "16 rays of 8 points, 4 of 8 layers of width 64",
              made("2003.08934"), loss=F.mse_loss, optimizer="adamw")
    yield Row("siren", "fields", Siren, lambda: (torch.rand(64, 2), torch.rand(64, 3)), "3 layers of width 64", made("2006.09661"), loss=F.mse_loss,
              optimizer="adamw")
    yield Row("neural_ode", "fields", NeuralOde, lambda: (torch.randn(16, 2), torch.randint(0, 4, (16, ))), "width 32, 4 fixed steps",
              made("1806.07366"), optimizer="adamw")
