"""A command as a whole, with all processes that come of it: wall time, CPU time, peak memory.

Flink's Java machine is a grandchild that nobody waits for, so its cost would be lost. This process therefore adopts what its children leave behind
(Linux: a subreaper) and waits for all of it. Time ends when the last of them has; peak memory is that of the largest process.
"""

import ctypes
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
LONGEST_SECONDS = 3600


class Failed(Exception):
    """What ends a run, told in a line."""


@dataclass
class Cost:
    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    # What the rest of the machine did meanwhile: where that is much, two threads had less than two cores.
    others_cpu_seconds: float
    said: dict


def adopt():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise Failed(f"cannot wait for grandchildren: {os.strerror(ctypes.get_errno())}")


def measure(command, log, extra=None):
    """Runs it. What it says in JSON in the last line of its output or, weir, of its messages is part of the answer."""
    busy, began = busy_seconds(), time.monotonic()
    with open(log, "w+b") as told:
        # A session of its own, so that one signal reaches all of it.
        child = subprocess.Popen([str(word) for word in command], stdout=told, stderr=told, env=os.environ | (extra or {}), start_new_session=True)
        code, cpu, peak = reap(child, began + LONGEST_SECONDS)
        wall = time.monotonic() - began
        others = max(0.0, busy_seconds() - busy - cpu)
        told.seek(0)
        lines = told.read().decode(errors="replace").strip().splitlines()
    if code:
        raise Failed(reason(code, lines, log))
    return Cost(round(wall, 3), round(cpu, 3), round(peak / 1024, 1), round(others, 3), last_object(lines))


def busy_seconds():
    """CPU time of everything on this machine, and what its host kept from it."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9])
    return sum((user, nice, system, *interrupts)) / os.sysconf("SC_CLK_TCK")


def reap(child, deadline):
    """Waits until no process is left; the exit code is the child's."""
    code, cpu, peak = None, 0.0, 0
    try:
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid:
                cpu += used.ru_utime + used.ru_stime
                peak = max(peak, used.ru_maxrss)
                if pid == child.pid:
                    code = child.returncode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise Failed(f"took longer than {LONGEST_SECONDS} s")
            else:
                time.sleep(0.005)
    except ChildProcessError:
        return code, cpu, peak
    except BaseException:
        stop(child)
        raise


def stop(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
        while True:
            os.wait4(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def last_object(lines):
    for line in reversed(lines):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


def reason(code, lines, log):
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
    # Below the line that names an error Java and DuckDB tell where and where to read on.
    telling = [line for line in lines if "Error" in line or "Exception" in line or "error" in line] or lines or ["no message"]
    return f"{how}: {telling[-1].strip()[:200]} ({log})"
