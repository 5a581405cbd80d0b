"""The results as a page for people, in Markdown."""

import re
from collections import Counter

from opendojo.conformance.entries import ERRORS, FLOAT32, KINDS
from opendojo.conformance.judge import ERROR, OUTCOMES, PASSED, REFUSED, WRONG

_MOST_WORDS = 160  # characters of a reason

_MACHINES = {"interpreter": "each value computed by the interpreter, without a machine"}


def reason_of(result):
    """A refusal without the names of this one case."""
    why = re.sub(r"^.*?node '[^']*' \(([^)]*)\)[^:]*: ", "", result["why"])
    why = re.sub(r"'[^']*'", "'...'", why)
    why = re.sub(r"(?<![a-z\d])-?\d[\d,.]*", "N", why)  # but for names of types
    op = re.sub(r"^arg\d+_\d+$", "an argument", result["op"])
    return f"{op}: {why}" if op else why


def _kind_of(name):
    return name.rsplit(" ", 1)[1]


def counted(results):
    """(kind, outcome) -> how many. Errors count for the entries whose values pass."""
    passing = {name for name, one in results.items() if one["outcome"] == PASSED}
    counts = Counter()
    for name, one in results.items():
        kind = _kind_of(name)
        if kind != ERRORS or name.removesuffix(ERRORS) + FLOAT32 in passing:
            counts[kind, one["outcome"]] += 1
    return counts


def _head(about, results, names):
    machine = _MACHINES.get(about["machine"], f"each value computed on the emulated machine (`{about['machine']}`, one node)")
    passed = [one for one in results.values() if one["outcome"] == PASSED and _kind_of(one["node"]) != ERRORS]
    tried = f"all {len(names):,} nodes" if len(results) == len(names) else f"{len(results):,} of the {len(names):,} nodes; the others were not tried"
    versions = len({one.get("version") for one in results.values()})
    return [
        "# PyTorch's operators on the machine", "",
        "Written by `python -m opendojo.conformance --page`, not by hand. It tries every entry of `op_db`, the list by which",
        "PyTorch tests its own operators. A *node* is an entry with float32 values, with bfloat16 values, or with its float32",
        "gradients. It passes when every sample that the entry gives equals PyTorch's result on the CPU within the tolerance that",
        "the entry declares (the widest for the CPU or for any device), else within that of torch.testing. A node `errors` passes",
        "when every call that PyTorch refuses is refused.", "",
        f"{about['date']}, PyTorch {about['torch']}, {machine}, in FP32; bfloat16 results are rounded operator by operator.",
        f"This is of {tried}. {versions} versions of the library gave it." if versions > 1 else f"This is of {tried}.", "",
        *_counts(results, names), "",
        "Errors count for entries whose float32 values pass. Of the "
        f"{sum(one['samples'] for one in passed):,} samples of the nodes that pass, {sum(one['by_double'] for one in passed):,} are within the",
        "tolerance of PyTorch's double precision, rounded once, and not of its own result in the type.", "",
    ]


def _counts(results, names):
    counts, listed = counted(results), Counter(map(_kind_of, names))
    lines = ["| kind | in the list | " + " | ".join(OUTCOMES) + " |", "|---|" + "---:|" * (1 + len(OUTCOMES))]
    for kind in KINDS:
        lines.append(f"| {kind} | {listed[kind]} | " + " | ".join(str(counts[kind, outcome]) for outcome in OUTCOMES) + " |")
    return lines


def _cell_text(text):
    return text.replace("|", "/")[:_MOST_WORDS]


def _numbered(results):
    """The reasons of refusals, each with its number, the most frequent first."""
    counts = Counter(reason_of(one) for one in results.values() if one["outcome"] == REFUSED)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return counts, {reason: number for number, (reason, _) in enumerate(ordered, 1)}


def _reasons(counts, numbers):
    lines = ["## What is refused", "", "| | nodes | operator and reason |", "|---:|---:|---|"]
    return lines + [f"| {number} | {counts[reason]} | {_cell_text(reason)} |" for reason, number in numbers.items()] + [""]


def _bad(results):
    bad = [one for one in results.values() if one["outcome"] in (WRONG, ERROR)]
    if not bad:
        return []
    lines = ["## Wrong results and errors", "", "| node | outcome | what |", "|---|---|---|"]
    return lines + [f"| {one['node']} | {one['outcome']} | {_cell_text(one['why'])} |" for one in bad] + [""]


def _entries(results, names, numbers):
    cells = {}
    for name in names:
        entry, kind = name.rsplit(" ", 1)
        one = results.get(name)
        said = "" if one is None else "+" if one["outcome"] == PASSED else one["outcome"]
        cells.setdefault(entry, {})[kind] = str(numbers[reason_of(one)]) if said == REFUSED else said
    lines = ["## Entry by entry", "", "`+` passes; a number is that of the reason above; `.` is not in the list; nothing: not tried.", "",
             "| entry | " + " | ".join(KINDS) + " |", "|---|" + "---|" * len(KINDS)]
    return lines + [f"| {entry} | " + " | ".join(kinds.get(kind, ".") for kind in KINDS) + " |" for entry, kinds in sorted(cells.items())]


def page(about, results, names):
    """about: date, torch (its version), machine. results: what was tried, by node; names: all nodes of the list."""
    counts, numbers = _numbered(results)
    lines = [*_head(about, results, names), *_bad(results), *_reasons(counts, numbers), *_entries(results, names, numbers)]
    return "\n".join(lines) + "\n"
