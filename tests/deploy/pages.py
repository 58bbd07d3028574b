"""Does what the pages say, in a network, a process space and a home of its own for each: as root,
`pages.py BINARIES PAGE…`. BINARIES is a folder that comes first in the path."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
from page import SYSTEMD, Step, missing, steps_of

REPOSITORY = Path(__file__).resolve().parents[2]
# How long any step may take; what takes longer is stuck.
PATIENCE_S = 120
LOOK_AGAIN_S = 0.02
# A shell has what it starts in the background ignore Ctrl-C, and this undoes that.
HEARS_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Failed(Exception):
    """What a page says does not happen."""


class Reader:
    """Someone with a shell who types what a page says."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.outputs = folder / ".said"
        self.outputs.mkdir()
        self.terminals: dict[str, Path] = {}
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, cwd=folder, text=True
        )
        self._say("set -eo pipefail")

    def take(self, number: int, step: Step) -> None:
        """Takes one step, and looks at what comes of it."""
        script = self.outputs / f"{number}.sh"
        script.write_text(step.text)
        said, done = self.outputs / f"{number}.txt", self.outputs / f"{number}.done"
        match step.kind:
            case "Ctrl-C":
                self._interrupt(step.terminal)
            case "look":
                said = self.outputs / f"{step.terminal}.txt"
                self._wait(lambda: step.text in _read(said), step, said)
            case "keep running":
                said, pid = (self.outputs / f"{step.terminal}.{kind}" for kind in ("txt", "pid"))
                run = "exec " + shlex.join(["python3", "-c", HEARS_CTRL_C, "bash", "-e", str(script)])
                self._say(f"({run}) >{said} 2>&1 </dev/null & disown; echo $! >{pid}.new; mv {pid}.new {pid}")
                self._wait(pid.exists, step, said)
                self.terminals[step.terminal] = pid
            case _:
                self._say(f"source {script} >{said} 2>&1 </dev/null; echo >{done}")
                self._wait(done.exists, step, said)
        if (line := missing(step.expected, _read(said))) and step.expected:
            raise Failed(f"{step.text}\nprints\n\n{_read(said)}\nand the page says\n\n{line}")

    def _say(self, line: str) -> None:
        self.shell.stdin.write(line + "\n")
        self.shell.stdin.flush()

    def _wait(self, condition, step: Step, said: Path) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if self.shell.poll() is not None:
                raise Failed(f"{step.text}\nfails, and prints\n\n{_read(said)}")
            if time.monotonic() > end:
                raise Failed(f"{step.text}\nis not done in {PATIENCE_S} s, and prints\n\n{_read(said)}")
            time.sleep(LOOK_AGAIN_S)

    def _interrupt(self, terminal: str) -> None:
        file = self.terminals.pop(terminal)
        pid = int(file.read_text())
        file.unlink()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in [int(child) for child in children] or [pid]:
            os.kill(process, signal.SIGINT)
        end = time.monotonic() + PATIENCE_S
        while Path(f"/proc/{pid}/stat").exists():
            if time.monotonic() > end:
                raise Failed(f"what runs in terminal {terminal} does not end by Ctrl-C")
            time.sleep(LOOK_AGAIN_S)


def _read(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def read(page: Path, folder: Path) -> None:
    """Does what one page says, in `folder`."""
    (folder / "vectordoc").symlink_to(REPOSITORY)
    os.environ["HOME"] = str(folder)
    reader = Reader(folder)
    for number, step in enumerate(steps_of(page)):
        try:
            reader.take(number, step)
        except Failed as failed:
            sys.exit(f"{page.relative_to(REPOSITORY)}:{step.line}: {failed}")
    if reader.terminals:
        sys.exit(f"{page.name}: these terminals are left running: {', '.join(reader.terminals)}")


# Ends with everything that the page has started.
ALONE = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]


def is_done(page: Path, folder: Path, binaries: str) -> bool:
    """Whether one page can be done as it says."""
    command = [sys.executable, __file__, binaries, str(page)]
    environment = {**os.environ, "PAGE_FOLDER": str(folder)}
    if page.read_text().startswith(SYSTEMD):
        return machine.runs(command, environment, [folder, Path(binaries).parent])
    return subprocess.run([*ALONE, *command], env=environment).returncode == 0


def main() -> None:
    binaries, *pages = sys.argv[1:]
    if folder := os.environ.get("PAGE_FOLDER"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        try:
            return read(Path(pages[0]), Path(folder))
        finally:
            # The next page, in a network of its own, would find them dead and yet listed.
            subprocess.run(["podman", "rm", "--all", "--force", "--time", "0"], capture_output=True)
    os.environ["PATH"] = f"{binaries}:{os.environ['PATH']}"
    os.environ["PAGES"] = str(Path(__file__).parent)
    failed = 0
    for page in (Path(page).resolve() for page in pages):
        folder, started = Path(tempfile.mkdtemp(prefix="page-")), time.monotonic()
        is_right = is_done(page, folder, binaries)
        failed += not is_right
        shutil.rmtree(folder, ignore_errors=True)
        commands = sum(step.commands() for step in steps_of(page))
        outcome = "do what it says" if is_right else "FAILED"
        print(f"{page.name}: {commands} commands {outcome} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(pages) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
