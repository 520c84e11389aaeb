"""The rule directories that weir runs with, made anew from the shipped pack and from the question of peers.window.

`asked` has the question as a rule that measures all three values wherever an account's window holds a transfer, and never reaches a level: the
cost of asking. `check` is the same with a level reached, so that each hit tells what was measured. Its quiet is as long as the window, so an
account leaves an alert each time it rests so long, and not only at its end.
"""

import re
import shutil
from pathlib import Path

from peers.window import DAYS

RULE = """\
version: 1
id: PEERS-1
title: 七日内转入
status: active
basis: [benches/peers]
subject: [organisation, sole_trader, natural]
scope: customer
quiet: {days}d
window: $window
params:
  window: {{type: window, default: {days}d, zh: 窗口, why: 与其他系统相同}}
  nobody: {{type: int, default: 1000000000, zh: 没有谁有这么多, why: 从不达到}}
require:
  - in_count($window) >= 1
  - amount_in($window) >= 0.01
  - payers($window) >= 1
score:
  base: {base}
  add: [{{when: payers($window) >= $nobody, points: 1, reason: 从不}}]
levels: {{medium: 50}}
reason: "{{in_count}}笔"
"""


def make(name, shipped, to):
    """The directory of that name below `to`."""
    folder = Path(to) / name
    shutil.rmtree(folder, ignore_errors=True)
    if name == "all":
        shutil.copytree(shipped, folder)
        return folder
    if name == "two":
        shutil.copytree(shipped, folder)
        for rule in folder.glob("fz/*.yaml"):
            if not rule.name.startswith(("fz001_", "fz002_")):
                # Off and not away: points of the two rest on some of them.
                rule.write_text(re.sub(r"(?m)^status: .*", "status: retired", rule.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        folder.mkdir(parents=True)
        shutil.copytree(shipped / "calendar", folder / "calendar")
        shutil.copy(shipped / "tags.yaml", folder)
        (folder / "peers.yaml").write_text(RULE.format(days=DAYS, base=50 if name == "check" else 0), encoding="utf-8")
    return folder
