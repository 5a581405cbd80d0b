"""Holds the figures of a validation run to what the project promises of them; prints both, and exits with 1 if one falls short.

usage: judge.py RESULTS_FOLDER    (made by run.sh: pytorch.json, and per format FORMAT/run.json and FORMAT-onnxruntime.json)
"""
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
formats = ("bf16", "cfloat8", "fp32")


def load(name):
    return json.loads((folder / name).read_text())


pytorch = load("pytorch.json")
runs = {name: load(f"{name}/run.json") for name in formats}
exported = {name: load(f"{name}-onnxruntime.json")["r2"] for name in formats}
r2 = {name: run["validation"]["r2"] for name, run in runs.items()}

print(f"{'run':<18}{'R2':>8}{'RMSE':>8}{'exported R2':>13}{'frames/CPU-s':>14}{'us a step':>11}{'peak GB':>9}")
print(f"{'PyTorch, FP32':<18}{pytorch['r2']:>8.4f}{'':>8}{'':>13}{pytorch['frames_per_cpu_second']:>14.1f}")
for name, run in runs.items():
    host, steps = run["host"], run["steps"]
    print(f"{'OpenDojo, ' + name:<18}{r2[name]:>8.4f}{run['validation']['rmse']:>8.4f}{exported[name]:>13.4f}"
          f"{host['frames_per_cpu_second']:>14.1f}{1e6 * run['simulated_seconds'] / steps:>11.0f}{host['peak_bytes'] / 1e9:>9.2f}")

judgements = []


def judge(what, value, limit, met):
    judgements.append(met)
    print(f"{'met   ' if met else 'MISSED'}  {what}: {value:.4f} (limit {limit:.4f})")


print()
for name in ("bf16", "cfloat8"):
    judge(f"{name}: R2 at least", r2[name], 0.67, r2[name] >= 0.67)
    judge(f"{name}: R2 away from PyTorch's by at most", abs(r2[name] - pytorch["r2"]), 0.03,
          abs(r2[name] - pytorch["r2"]) <= 0.03)
    judge(f"{name}: R2 away from fp32's by at most", abs(r2[name] - r2["fp32"]), 0.03, abs(r2[name] - r2["fp32"]) <= 0.03)
for name in formats:
    judge(f"{name}: exported network's R2 away from the die's by at most", abs(exported[name] - r2[name]), 0.01,
          abs(exported[name] - r2[name]) <= 0.01)
    judge(f"{name}: peak memory in GB below", runs[name]["host"]["peak_bytes"] / 1e9, 6, runs[name]["host"]["peak_bytes"] < 6e9)
speed = runs["bf16"]["host"]["frames_per_cpu_second"] / pytorch["frames_per_cpu_second"]
judge("bf16: frames per CPU-second as a share of PyTorch's at least", speed, 1 / 15, speed >= 1 / 15)
sys.exit(0 if all(judgements) else 1)
