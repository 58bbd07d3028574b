"""A page of documentation as the steps that its reader takes.

A block of `sh` is typed as it stands; a block of `text` after it is what is printed then, in which
`…` stands for anything within a line and, alone, for any lines, and spaces for any. Remarks for the test are comments of
HTML, which readers do not see:

    <!-- systemd -->                      first of all: the page is for a machine with systemd
    <!-- terminal NAME -->                the next block keeps running in a terminal of its own
    <!-- NAME prints "TEXT" -->           the reader goes on when there is TEXT in that terminal
    <!-- Ctrl-C NAME -->                  what runs in that terminal is ended so
    <!-- prepare                          commands of the test, for what the reader has
    COMMANDS
    -->
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

TERMINAL = re.compile(r"<!-- terminal (\w+) -->")
PRINTS = re.compile(r'<!-- (\w+) prints "(.+)" -->')
CTRL_C = re.compile(r"<!-- Ctrl-C (\w+) -->")
SYSTEMD = "<!-- systemd -->"
FENCE = re.compile(r"```(\w*)")


@dataclass
class Step:
    """Something the reader does, and what is to be seen then."""

    line: int
    kind: str  # "type", "keep running", "look", "Ctrl-C" or "prepare"
    text: str = ""
    terminal: str = ""
    expected: list[str] = field(default_factory=list)

    def commands(self) -> int:
        """How many commands it has: lines that are not remarks, continued or fed to a command."""
        if self.kind not in ("type", "keep running"):
            return 0
        count, end, continued = 0, None, False
        for line in self.text.splitlines():
            if end:
                end = None if line.strip() == end else end
                continue
            is_new = line.strip() and not line.lstrip().startswith("#") and not continued
            count += bool(is_new)
            continued = line.endswith("\\")
            if fed := re.search(r"<<-?\s*'?(\w+)'?", line):
                end = fed.group(1)
        return count


def steps_of(path: Path) -> list[Step]:
    """The steps of the page, in order."""
    steps: list[Step] = []
    terminal = None
    lines = iter(enumerate(path.read_text().splitlines(), 1))
    for number, line in lines:
        if found := TERMINAL.fullmatch(line):
            terminal = found.group(1)
        elif found := PRINTS.fullmatch(line):
            steps.append(Step(number, "look", found.group(2), found.group(1)))
        elif found := CTRL_C.fullmatch(line):
            steps.append(Step(number, "Ctrl-C", terminal=found.group(1)))
        elif line == "<!-- prepare":
            steps.append(Step(number, "prepare", _until(lines, "-->")))
        elif line.startswith("<!--") and line != SYSTEMD:
            raise SystemExit(f"{path}:{number}: no such remark: {line}")
        elif found := FENCE.match(line):
            text = _until(lines, "```")
            if found.group(1) == "sh" and terminal:
                steps.append(Step(number, "keep running", text, terminal))
                terminal = None
            elif found.group(1) == "sh":
                steps.append(Step(number, "type", text))
            elif found.group(1) == "text":
                steps[-1].expected = text.splitlines()
    return steps


def _until(lines, end: str) -> str:
    text = []
    for _, line in lines:
        if line == end:
            return "\n".join(text) + "\n"
        text.append(line)
    raise SystemExit(f"a block does not end with {end}")


def missing(expected: list[str], said: str) -> str | None:
    """The first line of `expected` that `said` does not have, after those before it."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    at, may_skip = 0, False
    for line in expected:
        if line.strip() == "…":
            may_skip = True
            continue
        parts = " ".join(line.split()).split("…")
        pattern = re.compile(" ?.* ?".join(re.escape(part.strip(" ")) for part in parts))
        places = range(at, len(lines)) if may_skip else range(at, at + 1)
        found = next((i for i in places if i < len(lines) and pattern.fullmatch(lines[i])), None)
        if found is None:
            return line
        at, may_skip = found + 1, False
    if not may_skip and at < len(lines):
        return f"nothing after it, and there is {lines[at]!r}"
    return None
