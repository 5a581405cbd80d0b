#!/usr/bin/env python3
"""Writes the example networks as ONNX files, with the standard library alone.

    tools/make_models.py                 the networks of models/
    tools/make_models.py NAME FILE       one network, into FILE

Initial weights are Kaiming-uniform (He et al. 2015, arXiv:1502.01852) from a fixed seed: uniform in +-sqrt(6 / fan-in), biases zero;
the same file comes out on every machine.
"""

import math
import pathlib
import random
import struct
import sys

# --- Protocol Buffers: a field is a varint (number << 3 | kind), then its payload. ---


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number, value):
    return varint(number << 3) + varint(value)


def single(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


def counted(number, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(fields)


# --- ONNX (field numbers of onnx.proto) ---

FLOAT, INT64 = 1, 7


def tensor(name, dims, values, kind=FLOAT):
    data = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    return message(*(integer(1, d) for d in dims), integer(2, kind), counted(8, name), counted(9, data))


def attribute(name, value):
    if isinstance(value, float):
        return message(counted(1, name), single(2, value), integer(20, 1))
    if isinstance(value, int):
        return message(counted(1, name), integer(3, value), integer(20, 2))
    return message(counted(1, name), *(integer(8, v) for v in value), integer(20, 7))


def node(op, inputs, outputs, name, **attributes):
    return message(
        *(counted(1, i) for i in inputs),
        *(counted(2, o) for o in outputs),
        counted(3, name),
        counted(4, op),
        *(counted(5, attribute(k, v)) for k, v in attributes.items()),
    )


def value(name, dims):
    shape = message(*(counted(1, counted(2, d) if isinstance(d, str) else integer(1, d)) for d in dims))
    return message(counted(1, name), counted(2, counted(1, message(integer(1, FLOAT), counted(2, shape)))))


class Network:
    """Nodes and weights of one network, added front to back; `top` is the tensor that the next layer reads."""

    def __init__(self, name, input_shape, seed):
        self.name, self.input_shape = name, input_shape
        self.random = random.Random(seed)
        self.nodes, self.weights, self.outputs, self.metadata = [], [], [], {}
        self.parameters = 0
        self.top, self.channels = "image", input_shape[1]

    def weight(self, name, dims, values=None):
        count = math.prod(dims)
        if values is None:
            bound = math.sqrt(6 / (count // dims[0]))
            values = [self.random.uniform(-bound, bound) for _ in range(count)]
        self.weights.append(tensor(name, dims, values))
        self.parameters += count
        return name

    def add(self, op, inputs, name, result=None, **attributes):
        self.top = result or name + ".out"
        self.nodes.append(node(op, inputs, [self.top], name, **attributes))
        return self.top

    def convolution(self, name, channels, kernel, stride=1, padding=0, bias=True):
        dims = [channels, self.channels, kernel, kernel]
        inputs = [self.top, self.weight(name + ".weight", dims)]
        if bias:
            inputs.append(self.weight(name + ".bias", [channels], [0.0] * channels))
        self.channels = channels
        return self.add(
            "Conv", inputs, name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[padding] * 4, dilations=[1, 1], group=1
        )

    def batch_norm(self, name):
        c = self.channels
        start = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
        inputs = [self.top] + [self.weight(f"{name}.{k}", [c], [v] * c) for k, v in start.items()]
        self.parameters -= 2 * c
        return self.add("BatchNormalization", inputs, name, epsilon=1e-5, momentum=0.9)

    def dense(self, name, inputs, outputs, result=None):
        """Fully connected, with a ReLU unless it ends in `result`, an output of the network."""
        weight = self.weight(name + ".weight", [outputs, inputs])
        bias = self.weight(name + ".bias", [outputs], [0.0] * outputs)
        self.add("Gemm", [self.top, weight, bias], name, result, alpha=1.0, beta=1.0, transB=1)
        if not result:
            self.relu(name + ".relu")

    def relu(self, name):
        return self.add("Relu", [self.top], name)

    def output(self, name, **choices):
        """Declares an output; choices such as loss="mae" go into the metadata."""
        self.outputs.append(value(name, ["N", 1]))
        self.metadata |= {f"opendojo.{key}.{name}": str(choice) for key, choice in choices.items()}

    def encoded(self):
        graph = message(
            *(counted(1, n) for n in self.nodes),
            counted(2, self.name),
            *(counted(5, w) for w in self.weights),
            counted(11, value("image", self.input_shape)),
            *(counted(12, o) for o in self.outputs),
        )
        # The graph comes last: a file that was cut off anywhere is then seen to be.
        return message(
            integer(1, 8),
            counted(2, "opendojo make_models"),
            counted(8, message(counted(1, ""), integer(2, 17))),
            *(counted(14, message(counted(1, k), counted(2, v))) for k, v in self.metadata.items()),
            counted(7, graph),
        )


# --- The networks ---


def camera_stem(net):
    """The five convolutions of PilotNet (Bojarski et al. 2016, arXiv:1604.07316): 3x66x200 to 1152."""
    for i, (channels, kernel, stride) in enumerate([(24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1)], 1):
        net.convolution(f"conv{i}", channels, kernel, stride)
        net.relu(f"conv{i}.relu")
    net.add("Flatten", [net.top], "flatten", axis=1)


def pilotnet():
    net = Network("pilotnet", ["N", 3, 66, 200], seed=1)
    camera_stem(net)
    for i, (inputs, outputs) in enumerate([(1152, 100), (100, 50), (50, 10), (10, 1)], 1):
        net.dense(f"fc{i}", inputs, outputs, "angle" if i == 4 else None)
    net.output("angle")
    assert net.parameters == 252219
    return net


def two_heads():
    net = Network("two_heads", ["N", 3, 66, 200], seed=2)
    camera_stem(net)
    net.dense("trunk", 1152, 64)
    trunk = net.top
    for head, loss, weight in [("angle", "mse", 1.0), ("throttle", "mae", 0.5)]:
        net.top = trunk
        net.dense(head + ".hidden", 64, 16)
        net.dense(head + ".fc", 16, 1, head)
        net.output(head, loss=loss, weight=weight)
    return net


def resnet_small():
    net = Network("resnet_small", ["N", 3, 33, 100], seed=3)
    net.convolution("stem", 16, 3, stride=2, padding=1, bias=False)
    net.batch_norm("stem.bn")
    net.relu("stem.relu")
    for block, (channels, stride) in enumerate([(16, 1), (32, 2), (64, 2)], 1):
        name, before, width = f"block{block}", net.top, net.channels
        net.convolution(name + ".conv1", channels, 3, stride, 1, bias=False)
        net.batch_norm(name + ".bn1")
        net.relu(name + ".relu1")
        net.convolution(name + ".conv2", channels, 3, 1, 1, bias=False)
        main = net.batch_norm(name + ".bn2")
        short = before
        if stride != 1 or width != channels:
            net.top, net.channels = before, width
            net.convolution(name + ".short", channels, 1, stride, bias=False)
            short = net.batch_norm(name + ".short_bn")
        net.add("Add", [main, short], name + ".add")
        net.relu(name + ".relu2")
    net.add("GlobalAveragePool", [net.top], "pool")
    net.add("Flatten", [net.top], "flatten", axis=1)
    net.dense("fc", 64, 1, "angle")
    net.output("angle")
    return net


def mlp_wide():
    """2048-wide layers: 4.5 million parameters, 18 MB in FP32 beside 1.25 MB of memory in a node."""
    net = Network("mlp_wide", ["N", 128], seed=4)
    for i, (inputs, outputs) in enumerate([(128, 2048), (2048, 2048), (2048, 1)], 1):
        net.dense(f"fc{i}", inputs, outputs, "angle" if i == 3 else None)
    net.output("angle")
    return net


NETWORKS = {"pilotnet": pilotnet, "two_heads": two_heads, "resnet_small": resnet_small, "mlp_wide": mlp_wide}
COMMITTED = ["pilotnet", "two_heads", "resnet_small"]  # mlp_wide is 18 MB and made when a test needs it


def main(arguments):
    models = pathlib.Path(__file__).resolve().parent.parent / "models"
    wanted = [(name, models / f"{name}.onnx") for name in COMMITTED]
    if len(arguments) == 2 and arguments[0] in NETWORKS:
        wanted = [(arguments[0], pathlib.Path(arguments[1]))]
    elif arguments:
        sys.exit(f"usage: make_models.py [{'|'.join(NETWORKS)} FILE]")
    for name, path in wanted:
        net = NETWORKS[name]()
        path.write_bytes(net.encoded())
        print(f"{path}: {net.parameters} parameters, {path.stat().st_size} bytes")


main(sys.argv[1:])
