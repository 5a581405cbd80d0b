"""Networks for pictures whose result is a picture or places in it, written here after their papers: segmentation, detection,
views from above, flow."""

import torch
from torch import nn
from torch.nn import functional as F

from row import Row, maps, pictures, restored


def conv(into, out, size=3, stride=1, **options):
    return nn.Sequential(nn.Conv2d(into, out, size, stride, size // 2 * options.get("dilation", 1), bias=False, **options), nn.BatchNorm2d(out), nn.ReLU())


def twice(into, out):
    return nn.Sequential(conv(into, out), conv(out, out))


class Backbone(nn.Module):
    """Pictures at a half, a quarter and an eighth of their size."""

    def __init__(self, widths=(32, 32, 64)):
        super().__init__()
        self.stages = nn.ModuleList(conv(into, out, stride=2) for into, out in zip((3, *widths), widths))

    def forward(self, x):
        results = []
        for stage in self.stages:
            x = stage(x)
            results.append(x)
        return results


def larger(x, like):
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class UNet(nn.Module):
    """Down and up, with what was on the way (Ronneberger et al., arXiv:1505.04597)."""

    def __init__(self, out=8, gated=False):
        super().__init__()
        self.down = nn.ModuleList([twice(3, 32), twice(32, 32), twice(32, 64)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, 2), nn.ConvTranspose2d(32, 32, 2, 2)])
        self.joined = nn.ModuleList([twice(64, 32), twice(64, 32)])
        self.gates = nn.ModuleList(nn.Sequential(nn.Conv2d(64, 32, 1), nn.ReLU(), nn.Conv2d(32, 1, 1), nn.Sigmoid()) for _ in range(2)) if gated else None
        self.head = nn.Conv2d(32, out, 1)

    def forward(self, x):
        seen = []
        for k, stage in enumerate(self.down):
            x = stage(x if k == 0 else F.max_pool2d(x, 2))
            seen.append(x)
        for k, (up, joined) in enumerate(zip(self.up, self.joined)):
            x, past = up(x), seen[1 - k]
            if self.gates is not None:  # Oktay et al., arXiv:1804.03999
                past = past * self.gates[k](torch.cat([x, past], 1))
            x = joined(torch.cat([past, x], 1))
        return self.head(x)


class NestedUNet(nn.Module):
    """A U-Net whose ways across are networks (Zhou et al., arXiv:1807.10165)."""

    def __init__(self):
        super().__init__()
        self.nodes = nn.ModuleDict({f"{i}{j}": conv(3 if i + j == 0 else 32 if j == 0 else 32 * (j + 1), 32) for i in range(3) for j in range(3 - i)})
        self.head = nn.Conv2d(32, 8, 1)

    def forward(self, x):
        made = {}
        for j in range(3):
            for i in range(3 - j):
                given = (x if i == 0 else F.max_pool2d(made[i - 1, 0], 2)) if j == 0 else \
                    torch.cat([made[i, k] for k in range(j)] + [F.interpolate(made[i + 1, j - 1], scale_factor=2, mode="nearest")], 1)
                made[i, j] = self.nodes[f"{i}{j}"](given)
        return self.head(made[0, 2])


class SegNet(nn.Module):
    """Unpools by the places of the largest (Badrinarayanan et al., arXiv:1511.00561)."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.ModuleList([conv(3, 32), conv(32, 32)]), nn.ModuleList([conv(32, 32), conv(32, 32)])
        self.head = nn.Conv2d(32, 8, 1)

    def forward(self, x):
        places = []
        for stage in self.down:
            x, place = F.max_pool2d(stage(x), 2, return_indices=True)
            places.append(place)
        for stage in self.up:
            x = stage(F.max_unpool2d(x, places.pop(), 2))
        return self.head(x)


class Segmenter(nn.Module):
    """A backbone and a head: `kind` fcn (arXiv:1411.4038), deeplab (arXiv:1706.05587), pspnet (arXiv:1612.01105), linknet
    (arXiv:1707.03718) or fpn (arXiv:1612.03144)."""

    def __init__(self, kind):
        super().__init__()
        self.backbone, self._kind = Backbone(), kind
        if kind == "fcn":
            self.heads = nn.ModuleList(nn.Conv2d(width, 8, 1) for width in (32, 32, 64))
        elif kind == "deeplab":
            self.dilated = nn.ModuleList([conv(64, 32, 1), conv(64, 32, dilation=2), conv(64, 32, dilation=3)])
            self.whole, self.joined, self.head = nn.Conv2d(64, 32, 1), conv(128, 32, 1), nn.Conv2d(32, 8, 1)
        elif kind == "pspnet":
            self.pooled = nn.ModuleList(nn.Conv2d(64, 32, 1) for _ in (1, 2, 3))
            self.joined, self.head = conv(160, 32), nn.Conv2d(32, 8, 1)
        elif kind == "linknet":
            self.up = nn.ModuleList(nn.ConvTranspose2d(into, 32, 4, 2, 1) for into in (64, 32, 32))
            self.head = nn.Conv2d(32, 8, 1)
        else:
            self.side, self.smooth = nn.ModuleList(nn.Conv2d(width, 32, 1) for width in (32, 32, 64)), conv(32, 32)
            self.head = nn.Conv2d(32, 8, 1)

    def forward(self, picture):
        a, b, x = self.backbone(picture)
        if self._kind == "fcn":
            made = self.heads[2](x)
            made = larger(made, b) + self.heads[1](b)
            made = larger(made, a) + self.heads[0](a)
        elif self._kind == "deeplab":
            whole = F.relu(self.whole(x.mean((2, 3), keepdim=True))).expand(-1, -1, *x.shape[2:])
            made = self.head(self.joined(torch.cat([layer(x) for layer in self.dilated] + [whole], 1)))
        elif self._kind == "pspnet":
            pooled = [larger(F.relu(layer(F.adaptive_avg_pool2d(x, k + 1))), x) for k, layer in enumerate(self.pooled)]
            made = self.head(self.joined(torch.cat([x, *pooled], 1)))
        elif self._kind == "linknet":
            x = F.relu(self.up[0](x)) + b
            x = F.relu(self.up[1](x)) + a
            made = self.head(F.relu(self.up[2](x)))
        else:
            x = self.side[2](x)
            x = self.side[1](b) + F.interpolate(x, scale_factor=2, mode="nearest")
            x = self.side[0](a) + F.interpolate(x, scale_factor=2, mode="nearest")
            made = self.head(self.smooth(x))
        return larger(made, picture)


class BiPyramid(nn.Module):
    """Up and down again with learnt weights (Tan et al., arXiv:1911.09070), over a RegNet-like backbone; a class for each place."""

    def __init__(self, width=32):
        super().__init__()
        self.backbone = nn.ModuleList([conv(3, 32, stride=2), nn.Sequential(conv(32, 32, 1), conv(32, 32, stride=2, groups=4), conv(32, 32, 1)),
                                       nn.Sequential(conv(32, 64, 1), conv(64, 64, stride=2, groups=4), conv(64, 64, 1))])
        self.side = nn.ModuleList(nn.Conv2d(into, width, 1) for into in (32, 32, 64))
        self.weights = nn.ParameterList(nn.Parameter(torch.ones(count)) for count in (2, 2, 3, 2))
        self.after, self.head = nn.ModuleList(conv(width, width) for _ in range(4)), nn.Conv2d(width, 8, 1)

    def _joined(self, k, *values):
        weights = F.relu(self.weights[k])
        return self.after[k](sum(w * value for w, value in zip(weights / (weights.sum() + 1e-4), values)))

    def forward(self, x):
        levels = []
        for stage, side in zip(self.backbone, self.side):
            x = stage(x)
            levels.append(side(x))
        a, b, c = levels
        up = lambda value: F.interpolate(value, scale_factor=2, mode="nearest")
        middle = self._joined(0, b, up(c))
        first = self._joined(1, a, up(middle))
        second = self._joined(2, b, middle, F.max_pool2d(first, 2))
        third = self._joined(3, c, F.max_pool2d(second, 2))
        return self.head(first + up(second) + up(up(third)))


class Detector(nn.Module):
    """Classes and boxes at every place of two levels: `kind` retina (arXiv:1708.02002), fcos (arXiv:1904.01355), center
    (arXiv:1904.07850) or yolo (arXiv:1804.02767)."""

    def __init__(self, kind, classes=4):
        super().__init__()
        self.backbone, self._kind = Backbone(), kind
        self.side = nn.ModuleList(nn.Conv2d(width, 32, 1) for width in (32, 64))
        extra = {"retina": 0, "fcos": 1, "center": 2, "yolo": 1}[kind]
        self.tower = nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.GroupNorm(4, 32), nn.ReLU())
        self.classes, self.boxes = nn.Conv2d(32, classes, 3, padding=1), nn.Conv2d(32, 4 + extra, 3, padding=1)

    def forward(self, picture):
        _, b, c = self.backbone(picture)
        c = self.side[1](c)
        b = self.side[0](b) + F.interpolate(c, scale_factor=2, mode="nearest")
        results = []
        for x in (b,) if self._kind == "center" else (b, c):
            x = self.tower(x)
            boxes = self.boxes(x)
            if self._kind == "fcos":
                boxes = torch.cat([boxes[:, :4].exp(), boxes[:, 4:]], 1)
            if self._kind == "yolo":
                boxes = torch.cat([boxes[:, :2].sigmoid(), boxes[:, 2:4].exp(), boxes[:, 4:]], 1)
            results.append(torch.cat([self.classes(x), boxes], 1).flatten(2))
        return torch.cat(results, 2)


def focal(given, target):
    """Focal loss for classes, smooth L1 for boxes."""
    score, wanted = given[:, :4], (target[:, :4] > 1).float()
    entropy = F.binary_cross_entropy_with_logits(score, wanted, reduction="none")
    sure = torch.exp(-entropy)
    return ((1 - sure)**2 * entropy).mean() + F.smooth_l1_loss(given[:, 4:], target[:, 4:])


def _boxes(places, values):
    return lambda: (torch.randn(2, 3, 32, 32), torch.randn(2, 4 + values, places))


class SetDetector(nn.Module):
    """Queries that look at a picture (Carion et al., arXiv:2005.12872), matched in a fixed order."""

    def __init__(self, width=32):
        super().__init__()
        self.backbone, self.side = Backbone(), nn.Conv2d(64, width, 1)
        self.places, self.queries = nn.Parameter(torch.randn(16, width) * 0.1), nn.Parameter(torch.randn(6, width))
        self.transformer = nn.Transformer(width, 2, 3, 3, 64, 0.0, batch_first=True)
        self.classes, self.boxes = nn.Linear(width, 4), nn.Linear(width, 4)

    def forward(self, picture):
        seen = self.side(self.backbone(picture)[2]).flatten(2).transpose(1, 2) + self.places
        made = self.transformer(seen, self.queries.expand(len(seen), -1, -1))
        return torch.cat([self.classes(made), self.boxes(made).sigmoid()], 2).transpose(1, 2)


class Lifted(nn.Module):
    """Pictures of two cameras lifted by a distribution over depths and laid upon the ground (Philion and Fidler,
    arXiv:2008.05711); which cell a place falls into is fixed."""

    def __init__(self, depths=4, width=32, cells=64):
        super().__init__()
        self.backbone, self.head = Backbone(), nn.Conv2d(64, depths + width, 1)
        self.register_buffer("cell", torch.randint(0, cells, (2 * depths * 16, ), generator=torch.Generator().manual_seed(5)))
        self.above = nn.Sequential(conv(width, 32), conv(32, 32), nn.Conv2d(32, 8, 1))
        self._depths, self._cells = depths, cells

    def forward(self, cameras):
        n, count = cameras.shape[:2]
        x = self.head(self.backbone(cameras.flatten(0, 1))[2])
        depth, values = x[:, :self._depths].softmax(1), x[:, self._depths:]
        lifted = (depth[:, None] * values[:, :, None]).reshape(n, count, values.shape[1], -1).transpose(1, 2).flatten(2)
        ground = torch.zeros(n, lifted.shape[1], self._cells).index_add(2, self.cell, lifted)
        return self.above(ground.reshape(n, -1, 8, 8))


class Deformable(nn.Module):
    """Each place looks at a few others, at computed offsets (Zhu et al., arXiv:2010.04159)."""

    def __init__(self, width=32, heads=2, points=2, layers=3):
        super().__init__()
        self.backbone, self.side, self.head = Backbone(), nn.Conv2d(64, width, 1), nn.Linear(width, 10)
        self.offsets, self.weights = (nn.ModuleList(nn.Linear(width, heads * points * n) for _ in range(layers)) for n in (2, 1))
        self.values, self.norms = nn.ModuleList(nn.Linear(width, width) for _ in range(layers)), nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self._heads, self._points = heads, points

    def forward(self, picture):
        x = self.side(self.backbone(picture)[2])
        n, c, height, wide = x.shape
        rows, columns = torch.meshgrid(torch.linspace(-0.75, 0.75, height), torch.linspace(-0.75, 0.75, wide), indexing="ij")
        places = torch.stack([columns, rows], -1).reshape(1, 1, -1, 1, 2)
        x = x.flatten(2).transpose(1, 2)
        for offsets, weights, values, norm in zip(self.offsets, self.weights, self.values, self.norms):
            apart = offsets(x).reshape(n, -1, self._heads, self._points, 2).permute(0, 2, 1, 3, 4) * 0.3
            share = weights(x).reshape(n, -1, self._heads, self._points).softmax(-1).permute(0, 2, 1, 3)
            maps = values(x).transpose(1, 2).reshape(n * self._heads, -1, height, wide)
            seen = F.grid_sample(maps, (places + apart).flatten(0, 1), align_corners=False)
            seen = (seen.reshape(n, self._heads, -1, height * wide, self._points) * share[:, :, None]).sum(-1)
            x = norm(x + seen.flatten(1, 2).transpose(1, 2))
        return self.head(x.mean(1))


class Warped(nn.Module):
    """A flow between two pictures that warps one onto the other (after Dosovitskiy et al., arXiv:1504.06852)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(conv(6, 32, stride=2), conv(32, 32), conv(32, 32), nn.Conv2d(32, 2, 3, padding=1))

    def forward(self, first, second):
        flow = larger(self.layers(torch.cat([first, second], 1)), first).permute(0, 2, 3, 1)
        lines = torch.linspace(-1, 1, first.shape[2])
        grid = torch.stack(torch.meshgrid(lines, lines, indexing="xy"), -1)
        return F.grid_sample(second, grid + 0.2 * flow, padding_mode="border", align_corners=True)


class SuperResolved(nn.Module):
    """Four pixels of one (Shi et al., arXiv:1609.05158; Lim et al., arXiv:1707.02921)."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 12, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1)) for _ in range(3))

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = x + 0.1 * block(x)
        return F.pixel_shuffle(self.last(x), 2)


def rows():
    made = lambda number: f"written here, arXiv:{number}"
    cut = "a picture of 32, 3 stages of 32 to 64 channels"
    for name, make, number in (("unet", UNet, "1505.04597"), ("attention_unet", lambda: UNet(gated=True), "1804.03999"), ("unet_plus_plus", NestedUNet, "1807.10165"),
                               ("segnet", SegNet, "1511.00561"), *((kind, lambda kind=kind: Segmenter(kind), number) for kind, number in
                               (("fcn", "1411.4038"), ("deeplab", "1706.05587"), ("pspnet", "1612.01105"), ("linknet", "1707.03718"), ("fpn", "1612.03144")))):
        yield Row(name, "segmentation", make, maps(32, 2), cut if name != "segnet" else "a picture of 32, 4 of 26 convolutions of 32 channels", made(number))
    yield Row("regnet_bifpn", "detection", BiPyramid, maps(32, 2, stride=2), cut, made("1911.09070"))
    for kind, number, values, places in (("retina", "1708.02002", 4, 80), ("fcos", "1904.01355", 5, 80), ("center", "1904.07850", 6, 64), ("yolo", "1804.02767", 5, 80)):
        yield Row({"retina": "retinanet", "center": "centernet"}.get(kind, kind), "detection", lambda kind=kind: Detector(kind), _boxes(places, values), cut + ", 2 levels, a fixed assignment",
                  made(number), loss=focal)
    yield Row("detr", "detection", SetDetector, _boxes(6, 4), cut + ", 3 of 6 layers each, 6 queries, a fixed assignment", made("2005.12872"), loss=focal, optimizer="adamw")
    yield Row("deformable_attention", "detection", Deformable, pictures(32, 2), cut + ", 3 of 6 layers, 2 points a head", made("2010.04159"), optimizer="adamw")
    yield Row("lift_splat", "view from above", Lifted, lambda: (torch.randn(2, 2, 3, 32, 32), torch.randint(0, 8, (2, 8, 8))), cut + ", 2 cameras, 4 depths", made("2008.05711"))
    yield Row("flow_warp", "view from above", Warped, lambda: (torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)), "pictures of 16, 4 of 9 convolutions of 32 channels",
              made("1504.06852"), loss=F.mse_loss)
    yield Row("edsr", "restoration", SuperResolved, lambda: (torch.randn(2, 3, 16, 16), torch.randn(2, 3, 32, 32)), "pictures of 16, 3 of 16 blocks of 32 channels", made("1707.02921"), loss=F.mse_loss)
    yield Row("denoising_unet", "restoration", lambda: UNet(out=3), restored(32, 2), cut, made("1505.04597"), loss=F.l1_loss)
