"""Where a benchmark runs and on what: binaries, the generated file, facts about the checkout. Also for benches/whole, which has no systems but weir."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from peers.measured import Failed


def binary(name):
    path = Path(os.environ.get(name.upper(), f"target/release/{name}"))
    if not path.is_file():
        raise Failed(f"no binary {path}: build it in the release profile, or name another in {name.upper()}")
    return path


def say(text):
    print(text, file=sys.stderr, flush=True)


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def traffic(file, numbers, more=None):
    """The file of generated transfers, unless a whole one is there. `more` gives lines to put behind, by the last one."""
    if file.exists():
        return file
    say(f"generating {numbers[0]:,} transfers")
    part = file.with_suffix(".part")
    with open(part, "wb") as to:
        written = subprocess.run([binary("traffic"), *map(str, numbers)], stdout=to)
    if written.returncode:
        raise Failed(f"traffic: exit {written.returncode}")
    if more:
        with open(part, "r+b") as to:
            # A line is far shorter.
            to.seek(-min(4096, part.stat().st_size), os.SEEK_END)
            last = to.read().splitlines()[-1]
            to.writelines(line.encode() for line in more(last))
    part.rename(file)
    return file


def provenance(script):
    """What a table says of where it comes from."""
    return {
        "checkout": output("git", "describe", "--always", "--dirty"),
        "command": shlex.join([script, *sys.argv[1:]]),
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def to_its_end(script, main):
    """Runs a benchmark; what stops it is told in a line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"{script}: {failure}")
    except KeyboardInterrupt:
        sys.exit(f"{script}: interrupted")
