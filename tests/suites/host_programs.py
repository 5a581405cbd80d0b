"""Programs whose output is that of the same program on this computer: the Lua interpreter and CoreMark."""
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from suite import Outcome, Suite, Test, Tools, call, first_line


def same_output(sources: list[Path], flags: list[str], arguments: list[str], text: str, kept: Callable[[str], str],
                folder: Path, tools: Tools) -> Outcome:
    code, _, errors = call(["clang-22", "-O2", "-w", *flags, *sources, "-lm", "-o", "host"], folder)
    if code != 0:
        return Outcome("failed", f"does not build on this computer: {first_line(errors)}")
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


def lua(checkout: Path, _: Path) -> Iterator[Test]:
    sources = [s for s in sorted(checkout.glob("*.c")) if s.stem not in ("onelua", "ltests", "luac")]
    no_addresses = lambda words: "\n".join(w for w in words.splitlines() if "0x" not in w)
    yield Test("script", partial(same_output, sources, [], ["-"], LUA_SCRIPT, no_addresses))


def coremark(checkout: Path, _: Path) -> Iterator[Test]:
    sources = sorted(checkout.glob("core_*.c")) + [checkout / "posix/core_portme.c"]
    checksums = lambda words: "\n".join(w for w in words.splitlines() if "crc" in w)
    flags = [f"-I{checkout}", f"-I{checkout}/posix", '-DFLAGS_STR="-O2"']
    # The seeds that its makefile runs it with, and few iterations instead of ten seconds.
    for name, seeds in (("performance", "0 0 0x66"), ("validation", "0x3415 0x3415 0x66"), ("profile", "8 8 8")):
        arguments = [*seeds.split(), "10", "7", "1", "2000" if name != "profile" else "1200"]
        yield Test(name, partial(same_output, sources, flags, arguments, "", checksums))


LUA = Suite("lua", ("lua.c",), lua)
COREMARK = Suite("coremark", ("core_main.c", "posix/core_portme.c"), coremark)
