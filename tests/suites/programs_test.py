"""Do the suites pick the right tests, and change nothing in them but what is to be looked at?"""
import re
import sys
import unittest
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import spike  # noqa: E402
from arch_tests import described, wanted  # noqa: E402
from testfloat_operations import MODES, operations, rows  # noqa: E402
from vector_tests import with_signature  # noqa: E402


class InstructionSet(unittest.TestCase):
    def test_is_the_table_of_docs_without_what_only_we_have(self):
        names = spike.ISA.split("_")
        self.assertEqual(names[0], "rv64imafdcv")
        self.assertLessEqual({"zicntr", "zfa", "zvbb", "zvfbfwma", "zvl512b", "za64rs"}, set(names))
        self.assertFalse([name for name in names if name.startswith("x")])
        self.assertEqual(len(names), len(set(names)))
        known = spike.architecture.spike().split("_")
        self.assertLess(set(known[1:]), set(names))
        self.assertNotIn("za64rs", known)


def arch_test(alternatives, *cases):
    return f'RVTEST_ISA("{alternatives}")\n' + "\n".join(f'RVTEST_CASE({i},"//{c}",x)' for i, c in enumerate(cases))


class ArchTests(unittest.TestCase):
    node = "RV64IMAFDCVZicboz_Zicsr_Zfa_Zca_Zcb_Zba"

    def test_an_architecture_is_written_as_riscof_writes_it(self):
        self.assertEqual(described("rv64imafdcv_zba_zkt_zcb_zca_zicsr_zicclsm_zic64b_zvl512b_zfa"),
                         "RV64IMAFDCVZicsr_Zfa_Zca_Zcb_Zba")

    def test_a_test_for_this_node_is_assembled_for_the_longest_of_its_instruction_sets(self):
        text = arch_test("RV32IF_Zicsr,RV64IF_Zicsr,RV64IFD_Zicsr,RV64EFD_Zicsr",
                         "check ISA:=regex(.*I.*F.*);def TEST_CASE_1=True;",
                         "check ISA:=regex(.*E.*F.*);def OTHER=True;")
        how = wanted(text, self.node)
        self.assertEqual((how.march, how.macros), ("rv64ifd_zicsr", ("TEST_CASE_1=True", "XLEN=64", "FLEN=64")))
        how = wanted(text.replace("RV64IFD_Zicsr,", ""), self.node)
        self.assertEqual((how.march, how.macros[-1]), ("rv64if_zicsr", "FLEN=32"))

    def test_letters_and_names_may_stand_without_a_line_between_them(self):
        text = arch_test("RV64ICZcb_Zba", "check ISA:=regex(.*64.*I.*Zca.*Zcb.*.Zba.*);def TEST_CASE_1=True;")
        self.assertEqual(wanted(text, self.node).march, "rv64ic_zcb_zba")

    def test_tests_for_other_machines_are_none_of_ours(self):
        yes = "check ISA:=regex(.*I.*);def A=True;"
        for alternatives, case in (("RV32I", yes), ("RV64IZk,RV32I", yes), ("RV64IP", yes), ("RV64E", yes),
                                   ("RV64IC", "check ISA:=regex(^[^C]+$);def A=True;"),
                                   ("RV64I", "check ISA:=regex(.*32.*);def A=True;"),
                                   ("RV64I", "check hw_data_misaligned_support:=False;def A=True;")):
            self.assertIsNone(wanted(arch_test(alternatives, case), self.node), alternatives)
        self.assertIsNotNone(wanted(arch_test("RV64I", yes), self.node))
        case = "check hw_data_misaligned_support:=True;def A=True;"
        self.assertIsNotNone(wanted(arch_test("RV64I", case), self.node))

    def test_macros_of_all_cases_that_hold_are_defined(self):
        text = arch_test("RV64IC", "check ISA:=regex(.*I.*C.*); def rvtest_mtrap_routine=True; def TEST_CASE_1=True;",
                         "check ISA:=regex(.*I.*); def OTHER=True;")
        self.assertEqual(wanted(text, self.node).macros,
                         ("OTHER=True", "TEST_CASE_1=True", "rvtest_mtrap_routine=True", "XLEN=64", "FLEN=64"))


STAGE1 = """
RVTEST_RV64UV{}
RVTEST_CODE_BEGIN
vadd.vv v20, v1, v31
.word 0x4a000b
vadd.vv v8, v16, v24
.word 0x114000b
RVTEST_CODE_END
  .data
RVTEST_DATA_BEGIN
resultdata:
  .zero 4096
RVTEST_DATA_END
"""


class VectorTests(unittest.TestCase):
    def test_marks_become_stores_of_their_registers_and_of_the_flags(self):
        text = with_signature(STAGE1.format("X"))
        # 0x4a000b: rs1 20, rs2 4: two registers; 0x114000b: rs1 8, rs2 17: eight, and vxsat.
        self.assertEqual(re.findall(r"vs1r\.v v(\d+), \(a0\)", text), ["20", "21", *map(str, range(8, 16))])
        self.assertEqual(text.count("addi a0, a0, 64\n"), 10)
        self.assertEqual(text.count("csrr t0, vcsr\nsd t0, 0(a0)\naddi a0, a0, 8\n"), 2)
        self.assertNotIn(".word 0x", text)
        self.assertEqual([line for line in text.splitlines() if line.startswith("vadd")],
                         ["vadd.vv v20, v1, v31", "vadd.vv v8, v16, v24"])

    def test_the_signature_is_what_was_kept_and_not_the_data(self):
        text = with_signature(STAGE1.format("X"))
        self.assertRegex(text, r"kept_at: \.quad begin_signature\nRVTEST_DATA_BEGIN\n\.zero 656\nRVTEST_DATA_END\n")
        self.assertEqual(text.count("RVTEST_DATA_END"), 1)
        self.assertIn("resultdata:\n  .zero 4096\n", text)

    def test_programs_with_floating_point_keep_its_flags(self):
        text = with_signature(STAGE1.format(""))
        self.assertEqual(text.count("csrr t0, fcsr\ncsrw fflags, x0\n"), 2)
        self.assertNotIn("vcsr", text)


class TestFloat(unittest.TestCase):
    def test_every_scalar_floating_point_instruction_that_computes_is_executed(self):
        page = (here.parents[1] / "docs" / "isa.md").read_text()
        tables = {title: table for title, _, table in (part.partition("\n") for part in page.split("\n## "))}
        mnemonics = {name for section in ("F", "D", "Zfh", "Zfhmin", "Zfbfmin", "Zfa")
                     for name in re.findall(r"^\| (f\S+) \|", tables[section], re.M)}
        # What TestFloat has no operation for.
        others = re.compile(r"fl[hwd]|fs[hwd]|fmv.*|fsgnj.*|fclass.*|fmin.*|fmax.*|fli\..*|fcvtmod\.w\.d")
        executed = set(re.findall(r"\b(f[a-z0-9]+\.[a-z0-9.]+)", rows()))
        self.assertEqual({m for m in mnemonics if not others.fullmatch(m)} - executed, set())
        self.assertGreater(len(mnemonics), 100)

    def test_each_spelling_has_a_row_with_every_mode(self):
        for row, spelling in zip(rows().splitlines(), [s for o in operations() for s in o.spellings], strict=True):
            self.assertEqual(row.count("RUN("), len(MODES) + 1)
            if "{mode}" in spelling:
                self.assertEqual(re.findall(r", (rne|rtz|rdn|rup|rmm|dyn);? ?", row), [*MODES, "dyn"])


if __name__ == "__main__":
    unittest.main()
