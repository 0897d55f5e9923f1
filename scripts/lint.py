#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""House rules that a machine can check: who may include whom (and no cycles),
file length, the licence line, banned words. Prints how many guesses remain.

Exit 1 with one line per finding. Files over the limit need a row in LONG_FILES
with the reason.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400
LONG_FILES: dict[str, str] = {
    "kernels/rows.def": "a table: one line per kernel row",
    "tests/asm/loops_pipeline.s": "a table: one micro-loop per timing rule",
}

# folder -> folders it may include; longest prefix wins.
MAY_INCLUDE = {
    "kernels": ["kernels", "memmap/base"],
    "memmap": ["memmap"],
    "memmap/base": ["memmap/base"],
    "traces": ["traces", "memmap/base"],
    "sim": ["sim", "traces", "memmap", "kernels/net_format.h"],
    "sim/image": ["sim", "traces", "memmap", "kernels"],
    "sim/run": ["sim", "traces", "memmap", "kernels"],
    "sim/cli": ["sim", "traces", "memmap", "kernels"],
    "quant": ["quant", "memmap", "kernels"],
    "bench": ["bench", "sim", "traces", "memmap", "kernels", "quant"],
    "tests": ["tests", "sim", "traces", "memmap", "kernels", "quant", "bench"],
}
NEVER_INCLUDED = {"sim/cli": ["sim/cli", "tests"], "quant/cli": ["quant/cli", "tests"]}
BANNED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
SOURCE = {".cc", ".h", ".S", ".s", ".py", ".cmake", ".def", ".in", ".toml", ".fbs"}


def under(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def rule_for(path: str, table: dict) -> str | None:
    matches = [folder for folder in table if under(path, folder)]
    return max(matches, key=len) if matches else None


def includes(text: str) -> list[str]:
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)


def find_cycle(graph: dict[str, list[str]]) -> list[str] | None:
    state: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> list[str] | None:
        state[node] = 1
        stack.append(node)
        for target in graph.get(node, []):
            if state.get(target) == 1:
                return stack[stack.index(target):] + [target]
            if target not in state and (cycle := visit(target)):
                return cycle
        stack.pop()
        state[node] = 2
        return None

    for node in graph:
        if node not in state and (cycle := visit(node)):
            return cycle
    return None


def tracked() -> list[str]:
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                         cwd=ROOT, capture_output=True, text=True)
    return [name for name in out.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    findings: list[str] = []
    graph: dict[str, list[str]] = {}
    guesses = 0
    for name in tracked():
        path = ROOT / name
        if path.suffix not in SOURCE and not name.startswith("scripts/"):
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if "SPDX-License-Identifier: MIT" not in "\n".join(lines[:3]):
            findings.append(f"{name}:1: no SPDX licence line")
        if len(lines) > MAX_LINES and name not in LONG_FILES:
            findings.append(f"{name}: {len(lines)} lines, limit {MAX_LINES}")
        for number, line in enumerate(lines, 1):
            if BANNED.search(line):
                findings.append(f"{name}:{number}: unfinished-work mark")
        guesses += text.count("guess:") if name != "scripts/lint.py" else 0
        if path.suffix not in {".cc", ".h"}:
            continue
        targets = [t for t in includes(text) if (ROOT / t).is_file()]
        graph[name] = targets
        rule = rule_for(name, MAY_INCLUDE)
        for target in targets:
            if rule and not any(under(target, allowed) for allowed in MAY_INCLUDE[rule]):
                findings.append(f"{name}: {rule}/ may not include {target}")
            closed = rule_for(target, NEVER_INCLUDED)
            if closed and not any(under(name, allowed) for allowed in NEVER_INCLUDED[closed]):
                findings.append(f"{name}: nothing outside {closed}/ includes {target}")
    if cycle := find_cycle(graph):
        findings.append("include cycle: " + " -> ".join(cycle))
    for finding in findings:
        print(finding)
    print(f"lint: {len(graph)} C++ files, {guesses} marked guesses, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
