"""The C ABI (src/api/opendojo.h) through ctypes: programs, tensors as (pointer, shape, type), errors as exceptions."""

import ctypes
import json
import os
import pathlib
import threading
import typing

from opendojo.explained import Explanation

ABI = 2

FLOAT32, UINT8, INT8, INT16, INT32, INT64, BOOL, BFLOAT16 = 1, 2, 3, 5, 6, 7, 9, 16
INPUT, OUTPUT, STATE = 0, 1, 2
OK, INTERRUPTED = 0, 5


class Refused(Exception):
    """What the machine, or this package, does not do, as one sentence.

    op, module, line: the operator that is refused, the path of the module that it comes from and its source line,
    where they are known; else empty.
    """

    def __init__(self, sentence, op="", module="", line=""):
        super().__init__(sentence)
        self.op, self.module, self.line = op, module, line


class _Error(ctypes.Structure):
    _fields_ = [("sentence", ctypes.c_char * 2048), ("op", ctypes.c_char * 128), ("module", ctypes.c_char * 256),
                ("line", ctypes.c_char * 512)]


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("machine", ctypes.c_char_p), ("formats", ctypes.c_char_p),
                ("nodes", ctypes.c_uint32), ("threads", ctypes.c_uint32)]


class _Description(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_int32),
                ("type", ctypes.c_int32), ("replaced", ctypes.c_int32), ("samples_dimension", ctypes.c_int32),
                ("samples_outer", ctypes.c_int64), ("samples_inner", ctypes.c_int64)]


class _Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("shape", ctypes.POINTER(ctypes.c_int64)), ("rank", ctypes.c_int32),
                ("type", ctypes.c_int32)]


class Costs(ctypes.Structure):
    """Of a program: nodes, samples (spread over them), runs, cycles of the last run, total_cycles, clock_ghz, and alike:
    why every node computes all alike; empty if the samples are spread."""

    _fields_ = [("nodes", ctypes.c_uint32), ("samples", ctypes.c_uint32), ("runs", ctypes.c_uint64),
                ("cycles", ctypes.c_uint64), ("total_cycles", ctypes.c_uint64), ("clock_ghz", ctypes.c_double), ("_alike", ctypes.c_char_p)]


_lock = threading.Lock()
_loaded = None


def _load():
    """The library beside this package, or the one that OPENDOJO_LIBRARY names; loaded when it is first wanted."""
    global _loaded
    with _lock:
        if _loaded is None:
            beside = pathlib.Path(__file__).parent / "lib" / "libopendojo.so"
            path = os.environ.get("OPENDOJO_LIBRARY", str(beside))
            if not os.path.exists(path):
                raise Refused(f"{path}: no such file; the package is installed by 'pip install .', and "
                              "OPENDOJO_LIBRARY names a libopendojo.so elsewhere")
            library = ctypes.CDLL(os.path.abspath(path))
            library.opendojo_operators.restype = ctypes.c_char_p
            library.opendojo_count.restype = ctypes.c_size_t
            library.opendojo_abi.restype = ctypes.c_uint32
            if library.opendojo_abi() != ABI:
                raise Refused(f"{path}: has version {library.opendojo_abi()} of the C ABI, this package needs {ABI}")
            _loaded = library
    return _loaded


def path():
    """The library's file."""
    return _load()._name


class Array(typing.NamedTuple):
    """Dense memory with a shape and an element type; `owner` is what it belongs to, and keeps it."""

    address: int
    shape: tuple
    kind: int
    owner: object


class Described(typing.NamedTuple):
    """A tensor of a program. `samples`: where it holds those that are spread, as (dimension, outer, inner), or None."""

    name: str
    shape: tuple
    kind: int
    samples: tuple


def operators():
    """The names of ATen's operators that the machine has, as "add.Tensor"."""
    return frozenset(_load().opendojo_operators().decode().split())


def _tensors(arrays):
    """Arrays as the ABI has them. The second result keeps the shapes alive."""
    made, kept = (_Tensor * len(arrays))(), []
    for place, array in zip(made, arrays):
        extents = (ctypes.c_int64 * len(array.shape))(*array.shape)
        kept.append(extents)
        place.data, place.rank, place.type = array.address, len(array.shape), array.kind
        place.shape = ctypes.cast(extents, ctypes.POINTER(ctypes.c_int64))
    return made, kept


class Program:
    """A program in a machine of its own; what goes in and out are lists of Array."""

    def __init__(self, container, machine="d1", formats="fp32", nodes=0, threads=0):
        self._library = _load()
        self._handle = ctypes.c_void_p()
        options = _Options(ctypes.sizeof(_Options), str(machine).encode(), str(formats).encode(), nodes, threads)
        self._call("opendojo_compile", container, ctypes.c_size_t(len(container)), ctypes.byref(options),
                   ctypes.byref(self._handle))
        self.inputs, self.outputs, self.states = (self._describe(kind) for kind in (INPUT, OUTPUT, STATE))

    def __del__(self):
        if getattr(self, "_handle", None):
            self._library.opendojo_release(self._handle)
            self._handle = None

    def _call(self, function, *arguments):
        error = _Error()
        status = getattr(self._library, function)(*arguments, ctypes.byref(error))
        if status == OK:
            return
        if status == INTERRUPTED:
            raise KeyboardInterrupt
        said = [bytes(getattr(error, field)).decode(errors="replace") for field in ("sentence", "op", "module", "line")]
        raise Refused(*said)

    def _describe(self, kind):
        """Described, of every tensor of a kind."""
        made = []
        for index in range(self._library.opendojo_count(self._handle, kind)):
            one = _Description()
            self._call("opendojo_describe", self._handle, kind, ctypes.c_size_t(index), ctypes.byref(one))
            place = (one.samples_dimension, one.samples_outer, one.samples_inner)
            made.append(Described(one.name.decode(), tuple(one.shape[d] for d in range(one.rank)), one.type,
                                  place if place[0] >= 0 else None))
        return made

    def run(self, inputs, outputs):
        """One run, from arrays into arrays. Ctrl-C ends it, and the states are as before."""
        given, kept = _tensors(inputs)
        taken, also_kept = _tensors(outputs)
        self._interruptible("opendojo_run", self._handle, given, ctypes.c_size_t(len(given)), taken,
                            ctypes.c_size_t(len(taken)))

    def _interruptible(self, function, *arguments):
        """The call on a thread of its own, since Python serves signals on the main thread alone, between its steps."""
        if threading.current_thread() is not threading.main_thread():
            return self._call(function, *arguments)
        raised = []

        def work():
            try:
                self._call(function, *arguments)
            except BaseException as error:  # handed over to the caller
                raised.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(0.5)
        except BaseException:
            while worker.is_alive():  # it may not have begun yet
                self._library.opendojo_interrupt(self._handle)
                worker.join(0.005)
            raise
        if raised:
            raise raised[0]

    def write_states(self, arrays):
        given, kept = _tensors(arrays)
        self._call("opendojo_write_states", self._handle, given, ctypes.c_size_t(len(given)))

    def read_states(self, arrays):
        taken, kept = _tensors(arrays)
        self._call("opendojo_read_states", self._handle, taken, ctypes.c_size_t(len(taken)))

    def costs(self):
        made = Costs()
        self._call("opendojo_report", self._handle, ctypes.byref(made))
        made.alike = made._alike.decode()
        return made

    def explanation(self):
        """What the compiler made of it, op by op: opendojo.explained.Explanation."""
        text = ctypes.c_char_p()
        self._call("opendojo_explain", self._handle, ctypes.byref(text))
        return Explanation(json.loads(text.value.decode()))
