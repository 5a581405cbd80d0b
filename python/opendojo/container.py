"""ONNX containers, written field by field (onnx.proto of github.com/onnx/onnx): src/onnx/aten.h says what is in them."""

import struct

_PRODUCER = "opendojo"


def _varint(value):
    value &= (1 << 64) - 1
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _integer(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    if isinstance(value, str):
        value = value.encode()
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _single(field, value):
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _entry(field, key, value):
    return _bytes(field, _bytes(1, key) + _bytes(2, value))


def _is_whole(value):
    return isinstance(value, int)  # True and False, too


def _attribute(name, value):
    made = _bytes(1, name)
    if isinstance(value, str):
        return made + _bytes(4, value) + _integer(20, 3)
    if _is_whole(value):
        return made + _integer(3, int(value)) + _integer(20, 2)
    if isinstance(value, float):
        return made + _single(2, value) + _integer(20, 1)
    if all(_is_whole(element) for element in value):
        return made + b"".join(_integer(8, int(element)) for element in value) + _integer(20, 7)
    return made + b"".join(_single(7, float(element)) for element in value) + _integer(20, 6)


def _value(name, kind, shape):
    extents = b"".join(_bytes(1, _integer(1, extent)) for extent in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _integer(1, kind) + _bytes(2, extents)))


class Container:
    """A graph of ATen's operators, node by node; bytes() is the file."""

    def __init__(self, name):
        self._name = name
        self._nodes, self._initialisers, self._inputs, self._outputs, self._values = [], [], [], [], []
        self._metadata = {}

    def node(self, op, name, inputs, outputs, attributes, metadata):
        while inputs and not inputs[-1]:
            inputs = inputs[:-1]
        made = b"".join(_bytes(1, one) for one in inputs) + b"".join(_bytes(2, one) for one in outputs)
        made += _bytes(3, name) + _bytes(4, op)
        made += b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        made += _bytes(7, "aten") + b"".join(_entry(9, key, value) for key, value in metadata.items())
        self._nodes.append(made)

    def initialiser(self, name, kind, shape, data):
        self._initialisers.append(b"".join(_integer(1, extent) for extent in shape) + _integer(2, kind) +
                                  _bytes(8, name) + _bytes(9, data))

    def input(self, name, kind, shape):
        self._inputs.append(_value(name, kind, shape))

    def output(self, name, kind, shape):
        self._outputs.append(_value(name, kind, shape))

    def value(self, name, kind, shape):
        self._values.append(_value(name, kind, shape))

    def resident(self, role, name, update=""):
        """The input stays in the machine as a "parameter" or "state", and that output replaces it."""
        self._metadata[f"opendojo.{role}.{name}"] = update

    def samples(self, places):
        """These inputs hold the samples of a batch: {name: (dimension, outer, inner)}, src/onnx/aten.h."""
        if places:
            self._metadata["opendojo.samples"] = ",".join(":".join(map(str, (name, *place)))
                                                          for name, place in places.items())

    def valid(self, name):
        """This input says which samples count."""
        self._metadata["opendojo.valid"] = name

    def bytes(self):
        graph = b"".join(_bytes(1, one) for one in self._nodes) + _bytes(2, self._name)
        for field, parts in ((5, self._initialisers), (11, self._inputs), (12, self._outputs), (13, self._values)):
            graph += b"".join(_bytes(field, one) for one in parts)
        model = _integer(1, 10) + _bytes(2, _PRODUCER) + _bytes(8, _bytes(1, "aten") + _integer(2, 1))
        model += b"".join(_entry(14, key, value) for key, value in self._metadata.items())
        return model + _bytes(7, graph)
