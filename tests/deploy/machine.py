"""A machine with systemd, for who may change it: a container that boots over the root of this one, in
memory, and is gone when it stops."""

import shlex
import subprocess
import tempfile
from pathlib import Path

PATIENCE_S = 300

TARGET = """[Unit]
Requires=basic.target
Wants=reader.service
After=basic.target
"""
SERVICE = """[Unit]
After=basic.target dbus.socket
Wants=dbus.socket
[Service]
Type=oneshot
ExecStart=/bin/bash {script}
ExecStopPost=/bin/systemctl --no-block poweroff
"""
# The root with what is changed in memory, and a machine that boots it without any network but its own.
MACHINE = """set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/changed" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changed,workdir=$1/work" "$1/root"
cp "$2"/reader.* "$1/root/etc/systemd/system/"
shift 2
exec systemd-nspawn --register=no --keep-unit --link-journal=no --machine=reader --private-network \\
  --console=pipe "$@" systemd.unit=reader.target
"""


def runs(command: list[str], environment: dict[str, str], folders: list[Path]) -> bool:
    """Whether `command` succeeds there; it has these folders, which stay what they are."""
    with tempfile.TemporaryDirectory(prefix="machine-") as path:
        place = Path(path)
        mounted, log, script = place / "mounted", place / "log", place / "script"
        mounted.mkdir()
        set_up = "".join(
            f"export {name}={shlex.quote(value)}\n"
            for name, value in environment.items()
            if name.isidentifier()
        )
        script.write_text(
            f"{set_up}exec >{log} 2>&1\n{shlex.join(command)} && echo {place.name} is right\n"
        )
        (place / "reader.target").write_text(TARGET)
        (place / "reader.service").write_text(SERVICE.format(script=script))
        binds = [f"--bind={folder}" for folder in [place, *folders]]
        machine = subprocess.run(
            ["unshare", "--mount", "--kill-child", "--fork", "bash", "-c", MACHINE, "machine",
             str(mounted), str(place), f"--directory={mounted}/root", *binds, "--boot"],
            timeout=PATIENCE_S,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        said = log.read_text() if log.exists() else machine.stdout + machine.stderr
        is_right = said.endswith(f"{place.name} is right\n")
        if not is_right:
            print(said)
        return is_right
