"""riscv-vector-tests: every vector instruction, at every element width, group length and mask of its generator.

The generator's programs (its first stage) mark where a result stands in registers by a word that only its own Spike
understands; that Spike writes the checks of the second stage. Here the word becomes stores of the same registers and
of the flags into the program's signature, which has to be what it is under anybody's Spike.
"""
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from spike import ISA, same_signature
from suite import Outcome, Suite, Test, Tools, Unprepared, call, first_line

VLEN_BITS = 512
MODULE = "github.com/ksco/riscv-vector-tests"
GO_LIBRARIES = "/usr/share/gocode"  # Debian's golang-github-pelletier-go-toml.v2-dev and golang-github-x448-float16-dev
# All that the generator knows, whether a node has it or not.
GENERATED = "rv64gcv_zvbb_zvbc_zfh_zvfh_zvkg_zvkned_zvknha_zvksed_zvksh_zfbfmin_zvfbfmin_zvfbfwma"


def prepare(checkout: Path, prepared: Path, tools: Tools) -> None:
    if not shutil.which("go"):
        raise Unprepared("no Go compiler (apt install golang-go)")
    source = prepared / "path/src" / MODULE
    source.parent.mkdir(parents=True)
    source.symlink_to(checkout)
    # Without modules, which would be fetched: Debian has what it needs.
    settings = ["GO111MODULE=off", "GOFLAGS=", f"GOPATH={prepared}/path:{GO_LIBRARIES}", f"GOCACHE={prepared}/cache"]
    code, _, errors = call(["env", *settings, "go", "build", "-o", prepared / "generator", MODULE], prepared)
    if code != 0:
        raise Unprepared(f"its generator does not build: {first_line(errors)}")


MARK = re.compile(r"^\.word 0x([0-9a-f]+)$", re.M)


def with_signature(text: str) -> str:
    """The first stage's program, with each marked result kept. Its second stage uses the same registers here."""
    # Programs without floating point run with it switched off.
    flags = "csrr t0, vcsr" if re.search(r"^RVTEST_RV64UVX$", text, re.M) else "csrr t0, fcsr\ncsrw fflags, x0"
    flags_bytes, vector_bytes, total = 8, VLEN_BITS // 8, 0

    def stores(mark: re.Match) -> str:
        nonlocal total
        word = int(mark[1], 16)
        registers = range(word >> 15 & 31, (word >> 15 & 31) + (word >> 21 & 15))
        total += flags_bytes + vector_bytes * len(registers)
        return "\n".join(["la t2, kept_at", "ld a0, 0(t2)",
                          *(f"vs1r.v v{register}, (a0)\naddi a0, a0, {vector_bytes}" for register in registers),
                          flags, "sd t0, 0(a0)", f"addi a0, a0, {flags_bytes}", "sd a0, 0(t2)"])

    text = MARK.sub(stores, text)
    kept = f".balign 8\nkept_at: .quad begin_signature\nRVTEST_DATA_BEGIN\n.zero {max(total, 16)}\nRVTEST_DATA_END\n"
    return text.replace("RVTEST_DATA_END", "").replace("RVTEST_DATA_BEGIN", kept + ".balign 64\n")


def run_test(checkout: Path, generator: Path, name: str, folder: Path, tools: Tools) -> Outcome:
    # It splits programs at a number of lines, and gives each half all the data: -1 for one program.
    code, _, errors = call([generator, "-VLEN", VLEN_BITS, "-XLEN", "64", "-split=-1", f"-pattern=^{re.escape(name)}$",
                            "-testfloat3level", "2", "-repeat", "1", "-march", GENERATED, "-configs",
                            checkout / "configs", "-stage1output", folder / "stage1"], folder)
    programs = list((folder / "stage1").glob("*.S"))
    if code != 0 or len(programs) != 1:
        return Outcome("failed", f"its generator made {len(programs)} programs: {first_line(errors)}")
    text = programs[0].read_text()
    if not MARK.search(text) and text.count("TEST_CASE(") < 2:  # what vsetvli and the like check themselves
        return Outcome("failed", "its generator made a program that checks nothing")
    (folder / "test.S").write_text(with_signature(text))
    environment = checkout / "env/riscv-test-env/p"
    code, _, errors = call(["clang-22", "--target=riscv64-unknown-elf", f"-march={ISA}", "-mabi=lp64d", "-c", "test.S",
                            "-o", "test.o", f"-I{environment}", f"-I{checkout}/macros/general"], folder)
    if code != 0:
        return Outcome("failed", f"clang does not assemble it: {first_line(errors)}")
    # Without relaxation, which takes longer than all the rest.
    code, _, errors = call(["riscv64-unknown-elf-ld", "--no-relax", "-static", "-T", environment / "link.ld",
                            "test.o", "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("failed", f"does not link: {first_line(errors)}")
    return same_signature("test.elf", folder, tools)


def tests(checkout: Path, prepared: Path) -> Iterator[Test]:
    for config in sorted((checkout / "configs").rglob("v*.toml")):
        yield Test(f"{config.parent.name}-{config.stem}", lambda folder, tools, name=config.stem:
                   run_test(checkout, prepared / "generator", name, folder, tools))


VECTOR_TESTS = Suite("riscv-vector-tests", ("configs/v", "env/riscv-test-env/p/link.ld"), tests, prepare)
