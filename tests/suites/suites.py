"""The suites, in the order of the table. Each is a file of this folder."""
from host_programs import COREMARK, LUA
from riscv_tests import RISCV_TESTS

SUITES = [RISCV_TESTS, LUA, COREMARK]
