"""The rows that random networks are made of: an operator of PyTorch's, what it takes, and how its settings are drawn.

A row gives code: of a module (or ""), and of an expression in which {0}, {1}... are the operands and {m} is the module. So a
network that departs is printed as the lines that one can run. Whether shapes fit is PyTorch's own judgement: what it
refuses is not taken.

What jumps (a sort, an index, a comparison) is kept from values that are equal or near to it by `spread`, since there
rounding alone decides.
"""

def image(tensor):
    return tensor.is_floating_point() and tensor.dim() == 4 and min(tensor.shape[2:]) >= 2


def sequence(tensor):
    return tensor.is_floating_point() and tensor.dim() == 3


def floats(tensor):
    return tensor.is_floating_point()


def ranked(tensor):
    return tensor.is_floating_point() and tensor.dim() >= 2


def tokens(tensor):
    return not tensor.is_floating_point() and tensor.dim() == 2


def inner(draw, tensor):
    """A dimension that is not the samples'; now and then one of those, counted from the end."""
    dimension = draw.randrange(1, tensor.dim())
    return dimension - tensor.dim() if draw.random() < 0.3 else dimension


def any_dimension(draw, tensor):
    return draw.randrange(tensor.dim()) if draw.random() < 0.15 else inner(draw, tensor)


# --- Convolutions and pools ---

def conv2d(draw, x):
    into, out = x.shape[1], draw.choice([1, 3, 4, 8])
    groups = draw.choice([1, 1, 1, into])
    out = into * draw.choice([1, 2]) if groups > 1 else out
    kernel, mode = draw.choice([1, 2, 3]), draw.choice(["zeros", "zeros", "zeros", "reflect", "replicate", "circular"])
    return (f"nn.Conv2d({into}, {out}, {kernel}, stride={draw.choice([1, 1, 2])}, padding={draw.choice([0, 1])}, "
            f"dilation={draw.choice([1, 1, 2])}, groups={groups}, bias={draw.random() < 0.7}, padding_mode='{mode}')", "{m}({0})")


def conv1d(draw, x):
    return (f"nn.Conv1d({x.shape[1]}, {draw.choice([2, 5])}, {draw.choice([1, 2, 3])}, stride={draw.choice([1, 2])}, "
            f"padding={draw.choice([0, 1, repr('same')])})".replace("stride=2, padding='same'", "padding='same'"), "{m}({0})")


def conv_transpose(draw, x):
    kind, stride = ("2d", draw.choice([1, 2, 3])) if x.dim() == 4 else ("1d", draw.choice([1, 2]))
    return (f"nn.ConvTranspose{kind}({x.shape[1]}, {draw.choice([2, 3])}, {draw.choice([2, 3])}, stride={stride}, "
            f"padding={draw.choice([0, 1])}, output_padding={draw.choice([0, stride - 1])})", "{m}({0})")


def max_pool(draw, x):
    kernel = draw.choice([2, 3])
    return "", (f"F.max_pool2d({{0}}, {kernel}, stride={draw.choice([1, 2])}, padding={draw.choice([0, 1])}, "
                f"dilation={draw.choice([1, 1, 2])}, ceil_mode={draw.random() < 0.3})")


def average_pool(draw, x):
    return "", (f"F.avg_pool2d({{0}}, {draw.choice([2, 3])}, stride={draw.choice([1, 2])}, padding={draw.choice([0, 1])}, "
                f"ceil_mode={draw.random() < 0.3}, count_include_pad={draw.random() < 0.5})")


def adaptive_pool(draw, x):
    size = (draw.randrange(1, 4), draw.randrange(1, 4))
    return "", f"F.adaptive_{draw.choice(['avg', 'max'])}_pool2d({{0}}, {size})"


def interpolate(draw, x):
    mode = draw.choice(["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
    size = draw.choice(["scale_factor=2", "size=(3, 5)", "scale_factor=1.5"])
    corners = f", align_corners={draw.random() < 0.5}" if mode in ("bilinear", "bicubic") else ""
    return "", f"F.interpolate({{0}}, {size}, mode='{mode}'{corners})"


def grid_sample(draw, x):
    return (f"nn.Parameter(0.3 * torch.randn({x.shape[0]}, 2, 3) + torch.eye(2, 3))",
            f"F.grid_sample({{0}}, F.affine_grid({{m}}, ({x.shape[0]}, {x.shape[1]}, 3, 4), align_corners=False), "
            f"mode='bilinear', padding_mode='{draw.choice(['zeros', 'border'])}', align_corners=False)")


def pad(draw, x):
    mode = draw.choice(["constant", "reflect", "replicate", "circular"])
    return "", f"F.pad({{0}}, (1, {draw.choice([0, 1])}" + (", 1, 1" if x.dim() == 4 else "") + f"), mode='{mode}')"


# --- Norms ---

def batch_norm(draw, x):
    kind = "2d" if x.dim() == 4 else "1d"
    return f"nn.BatchNorm{kind}({x.shape[1]}, affine={draw.random() < 0.8}, momentum={draw.choice([0.1, 0.3])})", "{m}({0})"


def group_norm(draw, x):
    groups = draw.choice([g for g in (1, 2, 3, 4) if x.shape[1] % g == 0])
    return f"nn.GroupNorm({groups}, {x.shape[1]})", "{m}({0})"


def layer_norm(draw, x):
    kind = draw.choice(["nn.LayerNorm", "nn.LayerNorm", "nn.RMSNorm"])
    return f"{kind}({list(x.shape[-draw.randrange(1, x.dim()):])})", "{m}({0})"


# --- What acts element by element ---

UNARY = [
    "F.relu({0})", "F.gelu({0})", "F.gelu({0}, approximate='tanh')", "F.silu({0})", "F.mish({0})", "F.elu({0})",
    "F.selu({0})", "F.celu({0}, 0.7)", "F.hardswish({0})", "F.hardsigmoid({0})", "F.hardtanh({0}, -0.6, 0.9)",
    "F.softplus({0}, 2)", "F.softsign({0})", "torch.tanh({0})", "torch.sigmoid({0})", "F.leaky_relu({0}, 0.2)",
    "F.logsigmoid({0})", "F.tanhshrink({0})", "F.softshrink({0}, 0.2)", "F.hardshrink({0}, 0.3)", "F.relu6(4 * {0})",
    "F.threshold({0}, 0.1, -0.2)", "torch.exp({0}.clamp(-3, 2))", "torch.log({0}.abs() + 0.5)", "torch.sqrt({0}.abs() + 0.1)",
    "torch.rsqrt({0} ** 2 + 1)", "1 / (1 + {0}.square())", "torch.sin({0})", "torch.cos({0})", "torch.atan({0})",
    "torch.erf({0})", "torch.expm1({0}.clamp(max=2))", "torch.log1p({0}.abs())", "({0}.abs() + 0.3) ** 1.7", "{0}.abs()",
    "-{0}", "{0} ** 3", "torch.sinh({0}.clamp(-2, 2))", "torch.asinh({0})", "torch.sinc({0})",
    "torch.logit(torch.sigmoid({0}))", "{0}.clamp(-0.7, 1.1)", "{0} * torch.sign({0}.detach())", "torch.nan_to_num({0})",
    "{0}.detach() * 0.5 + {0}", "torch.where({0} > 0.1, {0} * 2, {0} - 0.1)", "{0}.masked_fill({0} < -0.2, 0.25)",
    "{0} - {0}.mean()", "{0}.clone().mul_(1.5).add_(0.1)", "F.relu({0}.clone(), inplace=True)",
    "torch.special.erfcx({0}.abs())", "torch.special.ndtr({0})", "torch.digamma({0}.abs() + 1)", "torch.frac({0}) * {0}",
    "torch.floor(3 * {0}) * {0}", "torch.round(2 * {0}) + {0}", "({0} > 0).to({0}.dtype) + {0}",
    "torch.xlogy({0}, {0}.abs() + 0.2)", "torch.exp2({0}.clamp(max=3))",
]

BINARY = [
    "{0} + {1}", "{0} * {1}", "{0} - 0.5 * {1}", "{0} / (1 + {1}.abs())", "torch.maximum({0}, {1})",
    "torch.minimum({0}, {1})", "torch.where({1} > 0, {0}, -{0})", "torch.atan2({0}, {1}.abs() + 1)",
    "torch.hypot({0}, {1} + 2)", "torch.lerp({0}, {1}, 0.3)", "torch.addcmul({0}, {1}, {1}, value=0.2)",
    "torch.addcdiv({0}, {1}, {1}.abs() + 1)", "torch.logaddexp({0}, {1})", "({0}.abs() + 0.5).pow({1}.clamp(-2, 2))",
    "torch.copysign({0}, {1})", "torch.fmax({0}, {1})", "{0}.add({1}, alpha=-0.3)", "torch.rsub({0}, {1}, alpha=2)",
    "torch.heaviside({0}.detach(), {1}.detach())", "torch.where({0} < {1}, {0}, {1})", "{0} * torch.logical_and({0} > 0, {1} > 0)",
    "torch.eq({0} > 0, {1} > 0).to({0}.dtype) * {0}", "F.smooth_l1_loss({0}, {1}, reduction='none')",
]

# Along a dimension {d}.
ALONG = [
    "F.softmax({0}, {d})", "F.log_softmax({0}, {d})", "F.softmin({0}, {d})", "torch.cumsum({0}, {d})",
    "torch.cumprod(1 + 0.3 * {0}.clamp(-1, 1), {d})", "torch.logcumsumexp({0}, {d})", "torch.flip({0}, [{d}])",
    "torch.roll({0}, 1, {d})", "torch.diff({0}, dim={d})", "F.normalize({0}, dim={d})", "torch.sum({0}, {d})",
    "torch.mean({0}, {d}, keepdim=True)", "torch.amax({0}, {d})", "torch.amin({0}, {d}, keepdim=True)",
    "torch.logsumexp({0}, {d})", "torch.var({0}, {d}, correction=0)",
    "torch.sqrt(torch.var({0}, {d}, keepdim=True, correction=0) + 0.1)", "torch.linalg.vector_norm(1 + {0}.abs(), dim={d})",
    "torch.prod(1 + 0.2 * torch.tanh({0}), {d})", "torch.max(spread({0}), {d})[0]",
    "torch.min(spread({0}), {d}, keepdim=True)[0]", "torch.median(spread({0}), {d})[0]", "torch.sort(spread({0}), {d})[0]",
    "torch.sort(spread({0}), {d}, descending=True)[0]", "torch.cummax(spread({0}), {d})[0]",
    "torch.argsort(spread({0}), {d}).to({0}.dtype) * {0}", "torch.kthvalue(spread({0}), 1, {d})[0]",
    "torch.topk(spread({0}), 1, {d})[0]", "F.one_hot(torch.argmax(spread({0}), {d}) % 3, 3).to({0}.dtype)",
    "torch.unsqueeze({0}, {d})", "torch.repeat_interleave({0}, 2, {d})", "{0}.select({d}, 0)", "{0}.narrow({d}, 0, 1)",
    "torch.cat([{0}, -{0}], {d})", "torch.stack([{0}, 2 * {0}], {d})", "torch.unbind({0}, {d})[-1]",
    "torch.chunk({0}, 2, {d})[0]", "torch.split({0}, 1, {d})[0]", "torch.cat(torch.tensor_split({0}, 2, {d})[::-1], {d})",
    "{0}.index_select({d}, torch.tensor([0, 0]))", "{0}.index_fill({d}, torch.tensor([0]), 0.3)",
    "{0}.index_add({d}, torch.tensor([0]), {0}.narrow({d}, 0, 1))",
    "{0}.index_copy({d}, torch.tensor([0]), 2 * {0}.narrow({d}, 0, 1))",
    "torch.gather({0}, {d}, torch.argsort(spread({0}), {d}))",
    "torch.take_along_dim({0}, torch.argmin(spread({0}), {d}, keepdim=True), {d})",
    "{0}.scatter_add({d}, torch.zeros_like({0}, dtype=torch.long), {0})",
    "torch.scatter({0}, {d}, torch.zeros_like({0}.narrow({d}, 0, 1), dtype=torch.long), 0.5)",
    "{0}.scatter_reduce({d}, torch.zeros_like({0}, dtype=torch.long), {0}, 'amax')", "{0}.unfold({d}, 2, 1)",
    "F.glu(torch.cat([{0}, {0} + 1], {d}), {d})", "torch.renorm({0}, 2, {d}, 1.5)", "torch.all({0} > 0, {d}).to({0}.dtype)",
    "torch.any({0} > 0, {d}, keepdim=True) * {0}", "torch.count_nonzero({0} > 0, {d}).to({0}.dtype)",
    "torch.std_mean({0} + spread({0}), {d})[1]", "torch.trapezoid({0}, dim={d})", "torch.aminmax(spread({0}), dim={d})[1]",
    "torch.nanmean({0}, {d})", "torch.squeeze({0}.narrow({d}, 0, 1), {d})",
]


def along(text):
    return lambda draw, x: ("", text.replace("{d}", str(any_dimension(draw, x))))


# --- Views, indices ---

def reshape(draw, x):
    sizes = list(x.shape[1:])
    rest = 1
    for size in sizes:
        rest *= size
    fits = [a for a in range(1, rest + 1) if rest % a == 0]
    first = draw.choice(fits)
    return "", f"{{0}}.reshape({x.shape[0]}, {first}, {rest // first})"


def permute(draw, x):
    order = list(range(1, x.dim()))
    draw.shuffle(order)
    return "", f"{{0}}.permute({[0, *order]})"


def permute_samples(draw, x):
    order = list(range(x.dim()))
    draw.shuffle(order)
    return "", f"{{0}}.permute({order})"


def index(draw, x):
    last = x.shape[-1]
    return "", draw.choice(["{0}[:, ::2]", "{0}[..., 1:]", "{0}[:, -1]", "{0}[..., None, 0]", "{0}[:, torch.tensor([0, -1, 0])]",
                            "{0}[..., :-1]", f"{{0}}[..., torch.arange({last} - 1, -1, -1)]", "{0}[:1] + {0}",
                            "{0}[torch.arange(len({0}) - 1, -1, -1)]"])


def expand(draw, x):
    return "", f"{{0}}.unsqueeze(1).expand(-1, 2, {', '.join(['-1'] * (x.dim() - 1))})"


SHAPING = [
    "{0}.flatten(1)", "{0}.transpose(-1, -2)", "torch.tril({0})", "torch.triu({0}, 1)",
    "torch.diagonal({0}, dim1=-2, dim2=-1)", "torch.rot90({0}, 1, (-2, -1))", "{0}.repeat(1, 2{ones})",
    "torch.movedim({0}, -1, 1)", "{0}.contiguous().view({0}.shape[0], -1)", "torch.tile({0}, (2,))", "torch.diag_embed({0})",
    "torch.kron({0}, torch.ones(1, 2))", "{0}.masked_fill(torch.ones({0}.shape[-2:], dtype=torch.bool).triu(1), -1.5)",
    "{0}.sum((-1, -2), keepdim=True) * 0.1 + {0}", "torch.einsum('...ij,...kj->...ik', {0}, {0})",
]


def shaping(text):
    return lambda draw, x: ("", text.replace("{ones}", ", 1" * (x.dim() - 2)))


# --- Products ---

def linear(draw, x):
    return f"nn.Linear({x.shape[-1]}, {draw.choice([2, 4, 7])}, bias={draw.random() < 0.7})", "{m}({0})"


def bilinear(draw, x):
    return f"nn.Bilinear({x.shape[-1]}, {x.shape[-1]}, 3)", "{m}({0}, torch.tanh({0}))"


def parameter(draw, x):
    return (f"nn.Parameter(torch.randn({list(x.shape[draw.randrange(1, x.dim()):])}))",
            draw.choice(["{0} * {m}", "{0} + {m}", "torch.where({m} > 0, {0}, {m})", "{0} / (1 + {m} ** 2)",
                         "torch.maximum({0}, {m})"]))


def attention(draw, x):
    width = x.shape[-1]
    heads = draw.choice([h for h in (1, 2, 4) if width % h == 0])
    return f"nn.MultiheadAttention({width}, {heads}, batch_first=True)", "{m}({0}, {0}, {0}, need_weights=False)[0]"


def scaled_dot_product(draw, x):
    return "", f"F.scaled_dot_product_attention({{0}}, torch.tanh({{0}}), {{0}}, is_causal={draw.random() < 0.5})"


def encoder(draw, x):
    norm = draw.random() < 0.5
    return f"nn.TransformerEncoderLayer({x.shape[-1]}, 1, 8, dropout=0, batch_first=True, norm_first={norm})", "{m}({0})"


def recurrent(draw, x):
    kind = draw.choice(["GRU", "LSTM", "RNN"])
    both = draw.random() < 0.3
    return f"nn.{kind}({x.shape[-1]}, 3, batch_first=True, bidirectional={both})", "{m}({0})[0]"


def embedding(draw, x):
    return f"nn.Embedding(7, {draw.choice([3, 4])}, padding_idx={draw.choice([None, 0])})", "{m}({0})"


def position(draw, x):
    return (f"nn.Embedding({x.shape[1]}, {x.shape[2]})", f"{{0}} + {{m}}(torch.arange({x.shape[1]}))")


def prelu(draw, x):
    return f"nn.PReLU({draw.choice([1, x.shape[1]])})", "{m}({0})"


def fixed(module, expression="{m}({0})"):
    return lambda draw, x: (module.replace("{c}", str(x.shape[1])), expression)


# What a row takes (a test of each operand; two tests: two operands) and how it is made. Rows of lists are drawn as one and
# then from the list, more often than others.
ROWS = [
    ((image,), conv2d),
    ((image,), conv2d),
    ((sequence,), conv1d),
    ((lambda x: image(x) or sequence(x),), conv_transpose),
    ((image,), max_pool),
    ((image,), average_pool),
    ((image,), adaptive_pool),
    ((image,), interpolate),
    ((image,), grid_sample),
    ((lambda x: image(x) or sequence(x),), pad),
    ((image,), fixed("", "F.lp_pool2d({0}.abs() + 0.1, 2, 2)")),
    ((sequence,), fixed("", "F.max_pool1d({0}, 2)")),
    ((sequence,), fixed("", "F.avg_pool1d({0}, 2, 1)")),
    ((image,), fixed("", "F.unfold({0}, 2)")),
    ((image,), fixed("", "F.pixel_shuffle(torch.cat([{0}] * 4, 1), 2)")),
    ((image,), fixed("", "F.pixel_unshuffle(F.interpolate({0}, scale_factor=2), 2)")),
    ((image,), fixed("", "F.channel_shuffle(torch.cat([{0}, -{0}], 1), 2)")),
    ((image,), fixed("", "F.local_response_norm({0}, 3)")),
    ((image,), fixed("nn.InstanceNorm2d({c}, affine=True)")),
    ((lambda x: ranked(x) and x.dim() < 5 and x.dim() != 3 or sequence(x),), batch_norm),
    ((lambda x: ranked(x) and x.dim() > 2,), group_norm),
    ((ranked,), layer_norm),
    *[((ranked,), lambda draw, x: ("", draw.choice(UNARY)))] * 8,
    *[((ranked, ranked), lambda draw, x, y: ("", draw.choice(BINARY)))] * 8,
    *[((ranked,), lambda draw, x: along(draw.choice(ALONG))(draw, x))] * 16,
    *[((ranked,), lambda draw, x: shaping(draw.choice(SHAPING))(draw, x))] * 3,
    ((ranked,), reshape),
    ((ranked,), reshape),
    ((ranked,), permute),
    ((ranked,), permute_samples),
    ((ranked,), index),
    ((ranked,), index),
    ((ranked,), expand),
    ((ranked,), linear),
    ((ranked,), linear),
    ((ranked,), linear),
    ((ranked,), bilinear),
    ((ranked,), parameter),
    ((ranked,), parameter),
    ((ranked,), prelu),
    ((lambda x: ranked(x) and x.dim() > 2,), scaled_dot_product),
    ((sequence,), attention),
    ((sequence,), encoder),
    ((sequence,), recurrent),
    ((sequence,), position),
    ((tokens,), embedding),
    ((tokens,), fixed("", "F.one_hot({0} % 4, 4).to(torch.get_default_dtype())")),
    ((tokens,), fixed("", "({0} * 2 + 1) / 5")),
    ((ranked, ranked), lambda draw, x, y: ("", "torch.matmul({0}, {1})")),
    ((ranked, ranked), lambda draw, x, y: ("", "torch.matmul({0}, {1}.transpose(-1, -2))")),
    ((ranked, ranked), lambda draw, x, y: ("", f"torch.cat([{{0}}, {{1}}], {any_dimension(draw, x)})")),
    ((ranked, ranked), lambda draw, x, y: ("", "torch.cdist({0}, {1} + 3)")),
    ((ranked, ranked), lambda draw, x, y: ("", f"F.cosine_similarity({{0}}, {{1}}, dim={inner(draw, x)})")),
    ((ranked, ranked), lambda draw, x, y: ("", "torch.einsum('b...i,b...i->b...', {0}, {1})")),
]

# Of predictions {p}, [samples, 4], and what they are to be.
LOSSES = [
    ("float", "F.mse_loss({p}, {t})"),
    ("float", "F.l1_loss({p}, {t})"),
    ("float", "F.huber_loss({p}, {t}, delta=0.7)"),
    ("float", "F.smooth_l1_loss({p}, {t}, beta=0.5)"),
    ("class", "F.cross_entropy({p}, {t})"),
    ("class", "F.cross_entropy({p}, {t}, label_smoothing=0.1)"),
    ("class", "F.cross_entropy({p}, {t}, ignore_index=1, reduction='sum')"),
    ("class", "F.cross_entropy({p}, {t}, weight=torch.tensor([1., 2., 0.5, 1.]).to({p}.dtype))"),
    ("class", "F.nll_loss(F.log_softmax({p}, -1), {t})"),
    ("class", "F.multi_margin_loss({p}, {t})"),
    ("float", "F.binary_cross_entropy_with_logits({p}, torch.sigmoid({t}))"),
    ("float", "F.binary_cross_entropy(torch.sigmoid({p}), torch.sigmoid({t}))"),
    ("float", "F.kl_div(F.log_softmax({p}, -1), F.softmax({t}, -1), reduction='batchmean')"),
    ("float", "F.gaussian_nll_loss({p}, {t}, {p} ** 2 + 0.1)"),
    ("float", "F.poisson_nll_loss({p}.clamp(max=3), {t}.abs())"),
    ("float", "F.soft_margin_loss({p}, torch.sign({t}))"),
    ("float", "F.cosine_embedding_loss({p}, {t}, torch.ones(len({p})))"),
    ("float", "F.triplet_margin_loss({p}, {t}, -{t})"),
    ("float", "F.hinge_embedding_loss({p}, torch.sign({t}))"),
]

OPTIMIZERS = [
    "torch.optim.SGD({w}, lr=0.05)", "torch.optim.SGD({w}, lr=0.03, momentum=0.9)",
    "torch.optim.SGD({w}, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)",
    "torch.optim.AdamW({w}, lr=0.01, eps=1e-3)", "torch.optim.RMSprop({w}, lr=0.01, eps=1e-2)",
    "torch.optim.Adagrad({w}, lr=0.02, eps=1e-2)",
]
