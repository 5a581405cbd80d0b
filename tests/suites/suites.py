"""What each suite is made of: which tests it has, how one is built, and what its outcome is held to.

A suite is a generator of tests from the folder that its checkout lies in. A test is built and run in a folder
of its own and returns an Outcome; the checkout is only read.
"""
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ISA = "rv64gcv_zba_zbb_zbs_zfh_zvl512b_zvfh_zicsr_zifencei"
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Tools:
    dojo: Path
    spike: Path


@dataclass(frozen=True)
class Outcome:
    kind: str  # passed, failed, refused: what a table counts
    reason: str = ""


@dataclass(frozen=True)
class Test:
    name: str
    run: Callable[[Path, Tools], Outcome]  # in an empty folder


def call(command: list, folder: Path, text: str = "") -> tuple[int, str, str]:
    """Exit code (124: it took too long), output and errors of a command."""
    try:
        done = subprocess.run([str(part) for part in command], cwd=folder, input=text, capture_output=True,
                              text=True, errors="replace", timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return 124, "", "took too long"
    return done.returncode, done.stdout, done.stderr


def first_line(text: str) -> str:
    lines = [line for line in text.splitlines() if "error" in line] or text.splitlines() or ["no message"]
    return lines[0].strip()


# --- The oracle itself ------------------------------------------------------------------------------------

PROGRAM = """
  .globl _start
_start:
  la t0, tohost
  li t1, {word}
  sd t1, 0(t0)
1: j 1b
  .balign 64
  .globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0
"""


def ask_spike(program: str, folder: Path, tools: Tools, extension: str = "") -> tuple[int, str, str]:
    """A program's exit code there. Accesses need not be aligned (zicclsm), as on a node."""
    return call([tools.spike, f"--isa={ISA}_zicclsm{extension}", program], folder)


def objection_to_spike(folder: Path, tools: Tools) -> str:
    """Why Spike cannot be asked: it must tell a program that passes from one that fails. Empty: it can."""
    for word, right in ((1, 0), (2 * 5 + 1, 5)):
        (folder / "probe.S").write_text(PROGRAM.format(word=word))
        code, _, errors = call(["riscv64-unknown-elf-gcc", "-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany", "-static",
                                "-nostdlib", "-Wl,-N,-Ttext=0x80000000", "probe.S", "-o", "probe.elf"], folder)
        if code != 0:
            return f"riscv64-unknown-elf-gcc does not build its probe: {first_line(errors)}"
        code, _, errors = ask_spike("probe.elf", folder, tools)
        if code != right:
            return f"Spike ends with {code} where {right} is right: {first_line(errors)}"
    return ""


# --- riscv-tests: a program says through tohost whether it passed -----------------------------------------

# Folder of tests, and what its instructions are called beyond ISA.
RISCV_TESTS = [
    ("rv64ui", ""), ("rv64um", ""), ("rv64ua", ""), ("rv64uc", ""), ("rv64uf", ""), ("rv64ud", ""),
    ("rv64uzfh", ""), ("rv64uzba", ""), ("rv64uzbb", ""), ("rv64uzbs", ""), ("rv64uzbc", "_zbc"),
    ("rv64uzicond", "_zicond"), ("rv64mi", ""),
]


def riscv_test(checkout: Path, source: Path, extension: str, folder: Path, tools: Tools) -> Outcome:
    includes = [f"-I{checkout}/env/p", f"-I{checkout}/env", f"-I{checkout}/isa/macros/scalar"]
    # The link script is GNU ld's. Its assembler knows .float16, clang's the newer instructions, Debian's gcc
    # neither: it is a preprocessor here.
    code, _, errors = call(["riscv64-unknown-elf-gcc", "-E", "-march=rv64gc", "-mabi=lp64d", *includes, source, "-o",
                            "test.s"], folder)
    gnu = ["riscv64-unknown-elf-as", f"-march=rv64gc_zba_zbb_zbs_zbc_zfh_zicsr_zifencei{extension.replace('_zbc', '')}",
           "-mabi=lp64d"]
    clang = ["clang-22", "--target=riscv64-unknown-elf", f"-march={ISA}{extension}", "-mabi=lp64d", "-c"]
    for assembler in (gnu, clang) if code == 0 else ():
        code, _, errors = call([*assembler, "test.s", "-o", "test.o"], folder)
        if code == 0:
            break
    if code == 0:
        code, _, errors = call(["riscv64-unknown-elf-ld", "-N", "-static", "-T", checkout / "env/p/link.ld",
                                "test.o", "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("refused", f"neither GNU's assembler nor clang builds it: {first_line(errors)}")
    spike, _, errors = ask_spike("test.elf", folder, tools, extension)
    if spike != 0:
        return Outcome("refused", f"Spike fails it, too ({spike})")
    code, _, errors = call([tools.dojo, "exec", "--quiet", "--no-timing", "test.elf"], folder)
    return Outcome("passed") if code == 0 else Outcome("failed", f"exit code {code}: {first_line(errors)}")


def riscv_tests(checkout: Path) -> Iterator[Test]:
    for name, extension in RISCV_TESTS:
        for source in sorted((checkout / "isa" / name).glob("*.S")):
            yield Test(f"{name}-{source.stem}",
                       lambda folder, tools, s=source, e=extension: riscv_test(checkout, s, e, folder, tools))


# --- Programs whose output is that of the same program on this computer -----------------------------------

def same_output(sources: list[Path], flags: list[str], arguments: list[str], text: str, kept: Callable[[str], str],
                folder: Path, tools: Tools) -> Outcome:
    code, _, errors = call(["clang-22", "-O2", "-w", *flags, *sources, "-lm", "-o", "host"], folder)
    if code != 0:
        return Outcome("refused", f"does not build on this computer: {first_line(errors)}")
    code, _, errors = call([tools.dojo, "cc", "-O2", "-w", *flags, *sources, "-lm", "-o", "test.elf"], folder)
    if code != 0:
        return Outcome("failed", f"dojo cc: {first_line(errors)}")
    right_code, right, _ = call(["./host", *arguments], folder, text)
    code, words, errors = call([tools.dojo, "exec", "--quiet", "--memory", "16M", "test.elf", "--", *arguments],
                               folder, text)
    if (code, kept(words)) == (right_code, kept(right)):
        return Outcome("passed")
    return Outcome("failed", f"exit code {code} for {right_code}, or other words: {first_line(errors)}")


LUA_SCRIPT = """
local function queens(n, row, taken)
  if row > n then return 1 end
  local found = 0
  for column = 1, n do
    local a, b, c = column, n + row + column, 4 * n + row - column
    if not (taken[a] or taken[b] or taken[c]) then
      taken[a], taken[b], taken[c] = true, true, true
      found = found + queens(n, row + 1, taken)
      taken[a], taken[b], taken[c] = nil, nil, nil
    end
  end
  return found
end
print(queens(6, 1, {}), 7 // 2, 2^53, ("%.3f"):format(math.sin(1)))
local words = {}
for word in ("the quick brown fox"):gmatch("%a+") do words[#words + 1] = word:upper() end
table.sort(words)
print(table.concat(words, ","), select("#", table.unpack(words)))
print(pcall(error, {code = 3}), io.open("nothing") == nil, os.rename("a", "b") == nil)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(co(), co(), co(), #string.rep("x", 1000), os.time() ~= nil)
"""


def lua(checkout: Path) -> Iterator[Test]:
    sources = [s for s in sorted(checkout.glob("*.c")) if s.stem not in ("onelua", "ltests", "luac")]
    no_addresses = lambda words: "\n".join(w for w in words.splitlines() if "0x" not in w)
    yield Test("script", lambda folder, tools: same_output(sources, [], ["-"], LUA_SCRIPT, no_addresses, folder, tools))


def coremark(checkout: Path) -> Iterator[Test]:
    sources = sorted(checkout.glob("core_*.c")) + [checkout / "posix/core_portme.c"]
    checksums = lambda words: "\n".join(w for w in words.splitlines() if "crc" in w)
    flags = [f"-I{checkout}", f"-I{checkout}/posix", '-DFLAGS_STR="-O2"']
    # The seeds that its makefile runs it with, and few iterations instead of ten seconds.
    for name, seeds in (("performance", "0 0 0x66"), ("validation", "0x3415 0x3415 0x66"), ("profile", "8 8 8")):
        arguments = [*seeds.split(), "10", "7", "1", "2000" if name != "profile" else "1200"]
        yield Test(name, lambda folder, tools, a=arguments: same_output(sources, flags, a, "", checksums, folder, tools))


# The usual name of a checkout, its tests, and a file by which one knows it.
SUITES = [
    ("riscv-tests", riscv_tests, "env/p/link.ld"),
    ("lua", lua, "lua.c"),
    ("coremark", coremark, "core_main.c"),
]
