#!/usr/bin/env python3
"""How fast the emulated node is, beside qemu-riscv64 in the same run.

usage: run.py [--dojo build/dojo] [--than OTHER/dojo] [--rounds 5] [--only NAME...] [--host-vectors none|avx2|avx512]

Every kernel is built twice, with few and with many repeats; the difference of the two runs' CPU times is the
kernel's own, without start and set-up. Runs of all emulators alternate, and the median over rounds is printed.
What counts floating-point operations is also given as a share of what a loop of this computer's own vector
multiply-adds does in the same rounds.
With --than the other program runs in turn, too, and the last column says how many times as fast the first is
with timing: the median of the rounds' ratios, with the least and the greatest.
The last line of the table is wall time: the whole die on one host thread and on two.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
device = here.parent.parent / "device"
sys.path.append(str(here.parent.parent / "tools"))
import architecture  # noqa: E402

# name: title, source, floating-point operations per repeat (None: count instructions),
# repeats here and under qemu 7.2 (None: it does not know the instructions): about as long in both
kernels = {
    "matmul":      ("FP32 RVV matmul 64x64x64",   "matmul.cpp",      2 * 64**3,    20000, 100),
    "saxpy_dot":   ("FP32 saxpy, dot, 4096",      "saxpy_dot.cpp",   3 * 2 * 4096, 200000, 1000),
    "matrix_bf16": ("bf16 matrix unit 256^3",     "matrix_bf16.cpp", 2 * 256**3,   300, None),
    "matrix_fp8":  ("fp8 matrix unit 128^3",      "matrix_fp8.cpp",  2 * 128**3,   2000, None),
    "integer":     ("integer code",               "integer.cpp",     None,         40000, 40000),
    "random_jumps":  ("4 threads, random jumps",  "random_jumps.cpp",  None,             30, None),
    "saxpy_threads": ("4 threads, FP32 saxpy",    "saxpy_threads.cpp", 4 * 2 * 2 * 1024, 30000, None),
}
node_threads = {"random_jumps": 4, "saxpy_threads": 4}  # of the others: 1

die_repeats = 500
peak_rounds, peak_flops = 100, 2 * 14  # millions; of a round, for each element of a vector


def build(folder, name, repeats):
    _, source, *_ = kernels[name]
    program = folder / f"{name}-{repeats}.elf"
    if program.exists():
        return program
    threads = node_threads.get(name, 1)
    main = "main.cpp" if threads == 1 else "threads.cpp"
    files = [device / "start.S", here / main, here / source, device / "memory.cpp"]
    if name == "matrix_bf16":
        files.append(device / "matmul.cpp")
    subprocess.run(
        ["clang++-22", "--target=riscv64-unknown-elf", "-menable-experimental-extensions",
         "-march=" + architecture.march(), "-mabi=lp64d", "-mcmodel=medany", "-std=c++23", "-O3",
         "-fno-exceptions", "-fno-rtti", "-fno-vectorize", "-fno-slp-vectorize", "-ffunction-sections", "-nostdlib", "-static", "-fuse-ld=lld-22",
         "-Wno-unused-command-line-argument", f"-DREPEATS={repeats}", "-I", device, "-I", device.parent / "src",
         "-Wl,--gc-sections", "-Wl,-z,max-page-size=4096",
         f"-Wl,--defsym=__dojo_threads={threads}", "-o", program, *files],
        check=True)
    return program


def run(command):
    """(user CPU seconds, exit code, output)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode < 0 or "dojo:" in done.stderr:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, done.returncode, done.stdout


def best_vectors():
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "avx512" if all(f" {flag} " in flags for flag in ("avx512f", "avx512bw", "avx512dq", "avx512vl")) else "avx2"


def build_peak(folder):
    program = folder / "peak"
    subprocess.run(["g++", "-O2", "-o", program, here / "peak.cpp"], check=True)
    return program


def measure_peak(program, vectors):
    """This computer's multiply-adds in GFLOP/s."""
    start, *_ = run([program, vectors, 0])
    seconds, *_ = run([program, vectors, peak_rounds])
    return peak_rounds * 1e6 * peak_flops * {"avx2": 8, "avx512": 16}[vectors] / 1e9 / max(seconds - start, 1e-3)


def instructions(text):
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("instructions")), 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dojo", default=str(here.parent.parent / "build" / "dojo"))
    parser.add_argument("--than")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(kernels) + ["die"])
    parser.add_argument("--host-vectors")
    options = parser.parse_args()
    arguments = ["exec", *(["--host-vectors", options.host_vectors] if options.host_vectors else [])]
    execute = [options.dojo, *arguments]
    qemu = ["qemu-riscv64", "-cpu", architecture.qemu_processor()]
    emulators = {"no timing": [*execute, "--threads", "1", "--no-timing"],
                 "timing": [*execute, "--threads", "1"], "qemu": qemu}
    if options.than:
        emulators["than"] = [options.than, *arguments, "--threads", "1"]
    vectors = options.host_vectors if options.host_vectors in ("avx2", "avx512") else best_vectors()
    print(f"{'one core':<28}{'no timing':>12}{'timing':>12}{'qemu':>12}")
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = pathlib.Path(name_of_folder)
        peak = build_peak(folder)
        for name in options.only:
            if name == "die":
                continue
            title, _, work, *repeats = kernels[name]
            rates = {emulator: [] for emulator in emulators}
            codes, peaks = set(), []
            for _ in range(options.rounds):
                peaks.append(measure_peak(peak, vectors) if work else 0)
                for emulator, command in emulators.items():
                    times = repeats[emulator == "qemu"]
                    if times is None:
                        continue
                    few, many = (build(folder, name, n) for n in (1, 1 + times))
                    start, _, start_text = run([*command, few])
                    seconds, code, text = run([*command, many])
                    codes.add((times, code))
                    if emulator == "no timing":
                        executed = instructions(text) - instructions(start_text)
                    amount = work * times / 1e9 if work else executed / 1e6
                    rates[emulator].append(amount / max(seconds - start, 1e-3))
            if len(codes) != len({times for times, _ in codes}):
                sys.exit(f"{name}: the emulators disagree about its exit code: {codes}")
            unit = "GFLOP/s" if work else "MIPS"
            cells = [f"{statistics.median(r):.3g}" if r else "-" for r in rates.values()]
            line = f"{title:<28}{cells[0]:>12}{cells[1]:>12}{cells[2]:>12}  {unit:<8}"
            if work:
                share = statistics.median(rates["timing"]) / statistics.median(peaks)
                line += f"{share:5.0%} of {statistics.median(peaks):.3g} with {vectors}  "
            if options.than:
                ratios = [a / b for a, b in zip(rates["timing"], rates["than"])]
                line += f"{statistics.median(ratios):.3g} times ({min(ratios):.3g} to {max(ratios):.3g})"
            print(line.rstrip(), flush=True)
        if "die" in options.only:
            few, many = (build(folder, "matmul", n) for n in (1, 1 + die_repeats))
            for title, extra in (("no timing", ["--no-timing"]), ("timing", [])):
                walls = {1: [], 2: []}
                for _ in range(options.rounds):
                    for threads in walls:
                        seconds = []
                        for program in (few, many):
                            before = time.monotonic()
                            run([*execute, "--nodes", "354", "--threads", threads, *extra, program])
                            seconds.append(time.monotonic() - before)
                        walls[threads].append(seconds[1] - seconds[0])
                one, two = (statistics.median(walls[threads]) for threads in (1, 2))
                print(f"354 nodes, matmul, {title}: {354 * die_repeats * 2 * 64**3 / one / 1e9:.1f} GFLOP/s on one host thread, "
                      f"{one / two:.2f} times that on two (wall time, {os.cpu_count()} processors)", flush=True)


main()
