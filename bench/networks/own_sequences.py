"""Networks over sequences written here after their papers: recurrent ones, convolutions over time, mixers of tokens."""

import torch
from torch import nn
from torch.nn import functional as F

from row import Row, classed_texts, per_token, texts

_WORDS, _WIDTH = 64, 64


class Recurrent(nn.Module):
    """A language model of recurrent layers (nn.LSTM, nn.GRU, nn.RNN)."""

    def __init__(self, kind, layers=3, **options):
        super().__init__()
        self.words = nn.Embedding(_WORDS, 32)
        self.layers = kind(32, 32, layers, batch_first=True, **options)
        self.head = nn.Linear(32 * (2 if options.get("bidirectional") else 1), _WORDS)

    def forward(self, text):
        return self.head(self.layers(self.words(text))[0])


class AttentiveTranslator(nn.Module):
    """Encoder and decoder with additive attention (Bahdanau et al., arXiv:1409.0473)."""

    def __init__(self):
        super().__init__()
        self.words, self.others = nn.Embedding(_WORDS, 32), nn.Embedding(_WORDS, 32)
        self.encoder = nn.GRU(32, 32, 2, batch_first=True)
        self.cell = nn.GRUCell(64, 32)
        self.query, self.key, self.energy = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 1)
        self.head = nn.Linear(64, _WORDS)

    def forward(self, text):
        seen, last = self.encoder(self.words(text))
        state, keys, given, results = last[-1], self.key(seen), self.others(text), []
        for t in range(text.shape[1]):
            weights = torch.softmax(self.energy(torch.tanh(keys + self.query(state)[:, None])), 1)
            context = (weights * seen).sum(1)
            state = self.cell(torch.cat([given[:, t], context], 1), state)
            results.append(self.head(torch.cat([state, context], 1)))
        return torch.stack(results, 1)


class CausalConv(nn.Conv1d):

    def forward(self, x):
        return super().forward(F.pad(x, ((self.kernel_size[0] - 1) * self.dilation[0], 0)))


class Temporal(nn.Module):
    """A temporal convolutional network (Bai et al., arXiv:1803.01271)."""

    def __init__(self, blocks=3):
        super().__init__()
        self.words, self.head = nn.Embedding(_WORDS, 32), nn.Linear(32, _WORDS)
        make = lambda k: nn.Sequential(CausalConv(32, 32, 3, dilation=2**k), nn.ReLU(), CausalConv(32, 32, 3, dilation=2**k), nn.ReLU())
        self.blocks = nn.ModuleList(make(k) for k in range(blocks))

    def forward(self, text):
        x = self.words(text).transpose(1, 2)
        for block in self.blocks:
            x = F.relu(x + block(x))
        return self.head(x.transpose(1, 2))


class WaveNet(nn.Module):
    """Gated dilated convolutions with skips (van den Oord et al., arXiv:1609.03499)."""

    def __init__(self, layers=4):
        super().__init__()
        self.words = nn.Embedding(_WORDS, 32)
        self.gated = nn.ModuleList(CausalConv(32, 64, 2, dilation=2**k) for k in range(layers))
        self.past, self.skip = (nn.ModuleList(nn.Conv1d(32, 32, 1) for _ in range(layers)) for _ in range(2))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(32, 32, 1), nn.ReLU(), nn.Conv1d(32, _WORDS, 1))

    def forward(self, text):
        x, total = self.words(text).transpose(1, 2), 0
        for gated, past, skip in zip(self.gated, self.past, self.skip):
            value, gate = gated(x).chunk(2, 1)
            value = torch.tanh(value) * torch.sigmoid(gate)
            x, total = x + past(value), total + skip(value)
        return self.head(total).transpose(1, 2)


class GatedConvolutions(nn.Module):
    """Gated linear units over time (Dauphin et al., arXiv:1612.08083)."""

    def __init__(self):
        super().__init__()
        self.words, self.head = nn.Embedding(_WORDS, 32), nn.Linear(32, _WORDS)
        self.layers = nn.ModuleList(CausalConv(32, 64, 3) for _ in range(4))

    def forward(self, text):
        x = self.words(text).transpose(1, 2)
        for layer in self.layers:
            x = x + F.glu(layer(x), 1)
        return self.head(x.transpose(1, 2))


class TextConvolutions(nn.Module):
    """Convolutions of three widths over words, the largest of each (Kim, arXiv:1408.5882)."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(_WORDS, 64)
        self.layers = nn.ModuleList(nn.Conv1d(64, 32, width) for width in (3, 4, 5))
        self.head = nn.Linear(96, 4)

    def forward(self, text):
        x = self.words(text).transpose(1, 2)
        return self.head(torch.cat([F.relu(layer(x)).amax(2) for layer in self.layers], 1))


class Layered(nn.Module):
    """A language model of blocks made one after the other."""

    def __init__(self, make, layers=3, tokens=16, words=_WORDS, width=_WIDTH, places=True):
        super().__init__()
        self.words, self.head = nn.Embedding(words, width), nn.Linear(width, words)
        self.places = nn.Parameter(torch.randn(tokens, width) * 0.02) if places else None
        self.layers, self.norm = nn.ModuleList(make() for _ in range(layers)), nn.LayerNorm(width)

    def forward(self, text):
        x = self.words(text)
        if self.places is not None:
            x = x + self.places
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


def _hidden(width=_WIDTH, times=2):
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, times * width), nn.GELU(), nn.Linear(times * width, width))


class Linformer(nn.Module):
    """Attention to projected keys and values (Wang et al., arXiv:2006.04768)."""

    def __init__(self, width=_WIDTH, heads=2, tokens=16, kept=8):
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.k, self.v = nn.Linear(tokens, kept, bias=False), nn.Linear(tokens, kept, bias=False)
        self.hidden, self._heads = _hidden(width), heads

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, t, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        k, v = self.k(k.transpose(-1, -2)), self.v(v.transpose(-1, -2))
        weights = torch.softmax(q @ k / (c // self._heads)**0.5, -1)
        x = x + self.out((weights @ v.transpose(-1, -2)).transpose(1, 2).reshape(n, t, c))
        return x + self.hidden(x)


class LinearAttention(nn.Module):
    """Attention by a feature map, in order (Katharopoulos et al., arXiv:2006.16236)."""

    def __init__(self, width=_WIDTH, heads=2):
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.hidden, self._heads = _hidden(width), heads

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, t, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        weights = torch.tril(q @ k.transpose(-1, -2))
        made = (weights @ v) / weights.sum(-1, keepdim=True)
        x = x + self.out(made.transpose(1, 2).reshape(n, t, c))
        return x + self.hidden(x)


class Retention(nn.Module):
    """Products that fade with distance (Sun et al., arXiv:2307.08621)."""

    def __init__(self, width=_WIDTH, heads=2, tokens=16):
        super().__init__()
        self.norm, self.qkvg, self.out = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(width, width)
        apart = torch.arange(tokens)[:, None] - torch.arange(tokens)
        rates = 1 - 2.0**(-5 - torch.arange(heads))
        self.register_buffer("fading", torch.where(apart >= 0, rates[:, None, None]**apart.clamp(min=0), 0.0))
        self.groups, self.hidden, self._heads = nn.GroupNorm(heads, width), _hidden(width), heads

    def forward(self, x):
        n, t, c = x.shape
        q, k, v, g = self.qkvg(self.norm(x)).reshape(n, t, 4, self._heads, -1).permute(2, 0, 3, 1, 4)
        made = (q @ k.transpose(-1, -2) * self.fading) @ v
        made = self.groups(made.transpose(1, 2).reshape(n * t, c)).reshape(n, t, c)
        x = x + self.out(made * F.silu(g.transpose(1, 2).reshape(n, t, c)))
        return x + self.hidden(x)


class SelectiveScan(nn.Module):
    """A state-space model whose steps depend on the data (Gu and Dao, arXiv:2312.00752), token after token."""

    def __init__(self, width=_WIDTH, states=4):
        super().__init__()
        inner = width
        self.norm, self.into = nn.LayerNorm(width), nn.Linear(width, 2 * inner)
        self.conv = CausalConv(inner, inner, 4, groups=inner)
        self.rates = nn.Parameter(torch.log(torch.arange(1.0, states + 1)).repeat(inner, 1))
        self.select, self.step = nn.Linear(inner, 2 * states), nn.Linear(inner, inner)
        self.past, self.out = nn.Parameter(torch.ones(inner)), nn.Linear(inner, width)

    def forward(self, x):
        value, gate = self.into(self.norm(x)).chunk(2, -1)
        value = F.silu(self.conv(value.transpose(1, 2)).transpose(1, 2))
        b, c = self.select(value).chunk(2, -1)
        step = F.softplus(self.step(value))
        fade = torch.exp(-step[..., None] * self.rates.exp())
        given = (step * value)[..., None] * b[:, :, None]
        state, made = torch.zeros_like(given[:, 0]), []
        for t in range(x.shape[1]):
            state = fade[:, t] * state + given[:, t]
            made.append((state * c[:, t, None]).sum(-1))
        return x + self.out((torch.stack(made, 1) + self.past * value) * F.silu(gate))


def _text(make, family, source, cut, name, tokens=16):
    return Row(name, family, make, texts(_WORDS, tokens, 2), cut, source, loss=per_token, optimizer="adamw")


_RNN, _TIME, _TOKENS = "recurrent", "convolutions over time", "token mixers"
_CUT = "3 layers of width 64, 16 tokens"


def rows():
    for kind, name in ((nn.LSTM, "lstm"), (nn.GRU, "gru"), (nn.RNN, "rnn")):
        yield _text(lambda kind=kind: Recurrent(kind), _RNN, f"torch.nn.{kind.__name__}", "3 layers of width 32, 6 tokens", f"{name}_language_model", 6)
    yield _text(lambda: Recurrent(nn.LSTM, bidirectional=True), _RNN, "torch.nn.LSTM", "3 layers of width 32, 6 tokens", "bidirectional_lstm", 6)
    yield _text(AttentiveTranslator, _RNN, "written here, arXiv:1409.0473", "3 recurrent layers of width 32, 6 tokens", "attentive_translator", 6)
    yield _text(Temporal, _TIME, "written here, arXiv:1803.01271", "3 blocks of width 32, 16 tokens", "tcn")
    yield _text(WaveNet, _TIME, "written here, arXiv:1609.03499", "4 of 30 layers, width 32, 16 samples", "wavenet")
    yield _text(GatedConvolutions, _TIME, "written here, arXiv:1612.08083", "4 layers of width 32, 16 tokens", "gated_convolutions")
    yield Row("text_cnn", _TIME, TextConvolutions, classed_texts(), "32 of 100 channels a width, 16 tokens", "written here, arXiv:1408.5882", optimizer="adamw")
    yield _text(lambda: Layered(Linformer), _TOKENS, "written here, arXiv:2006.04768", _CUT, "linformer")
    yield _text(lambda: Layered(LinearAttention), _TOKENS, "written here, arXiv:2006.16236", _CUT, "linear_transformer")
    yield _text(lambda: Layered(Retention), _TOKENS, "written here, arXiv:2307.08621", _CUT, "retnet")
    yield _text(lambda: Layered(SelectiveScan, places=False), _TOKENS, "written here, arXiv:2312.00752", _CUT + ", 4 states", "mamba")
