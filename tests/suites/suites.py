"""The suites, in the order of the table. Each is a file of this folder."""
from arch_tests import ARCH_TESTS
from embench import EMBENCH
from host_programs import COREMARK, LUA
from riscv_tests import RISCV_TESTS
from testfloat import TESTFLOAT
from vector_tests import VECTOR_TESTS

SUITES = [RISCV_TESTS, ARCH_TESTS, VECTOR_TESTS, TESTFLOAT, EMBENCH, COREMARK, LUA]
