"""The sweep's points as curves, and the same numbers as a table.

A curve tells where to look and the table what stands there. Words are English and plain, so that no font is needed that a machine may lack; the same
points give the same bytes.
"""

import math
import textwrap
from itertools import cycle

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from measuring.run import Failed, read, told, write
from measuring.sweep import DIALS, TOGETHER, TURNED, held_at


def percent(per_mille):
    return f"{per_mille / 10:g}"


FORMS = ["monthly", "own day", "ten days", "weekly", "daily", "quarterly", "prepaid", "at the end"]
STEPS = ["as drawn", "paid from elsewhere", "+ 8 accounts", "+ 10,000 yuan each", "+ business 50 %", "+ cards 50 %"]
STEPS += ["+ lived on, old", "+ disguise, in 4", "+ agreement"]
# Curve: title, unit, what a value is called.
PANELS = {
    "investors": ("Investors", "people", str),
    "visible": ("Investors who pay to accounts here", "% of them", percent),
    "life": ("Life of the scheme", "days", str),
    "pay_in": ("Paid in by a younger investor, median", "thousand yuan", lambda value: f"{value / 1_000_00:g}"),
    "collectors": ("Collecting accounts in use at once", "accounts", str),
    "rotate": ("Collecting accounts, one after another", "days each", str),
    "acquired": ("Paid in by card through an acquirer", "% of payments", percent),
    "cash": ("Brought as cash", "% of payments", percent),
    "odd": ("No round amounts", "% of payments", percent),
    "business": ("Real business beside it", "% of what is paid in", percent),
    "sweep": ("Time between sweeps", "days", str),
    "keep": ("Kept back at each sweep", "% of what is there", percent),
    "outlets": ("Places that the money goes to", "places", str),
    "pays_here": ("Returns are paid from here", "", ["no", "yes"].__getitem__),
    "payout": ("When returns are paid (from here)", "", FORMS.__getitem__),
    "jitter": ("Paydays wander (own days, from here)", "by up to days", str),
    "wobble": ("Amounts wander (own days, from here)", "by up to %", percent),
    "outlets_even": ("Places that get as much each", "places", str),
    "covered": ("An agreement (returns from elsewhere)", "% of schemes", percent),
    "covered_paid_here": ("An agreement (returns from here)", "% of schemes", percent),
    "own_life": ("Accounts that somebody lives on", "times an ordinary customer's", lambda value: f"{value / 1000:g}"),
    "disguise": ("Payments that look like a family's", "% of payments", percent),
    "aged": ("Accounts opened years before", "% of accounts", percent),
    "instalments": ("Sums paid in parts, days apart", "payments", str),
    "together": ("Several at once, one more each time", "", STEPS.__getitem__),
}
# Dials whose values have long names.
NAMED = {"payout", "together"}
# Dials that name a kind: no line leads from one to the next.
KINDS = {"pays_here", "payout"}
PICTURES = {
    "paying-in": ["investors", "visible", "life", "pay_in", "collectors", "rotate", "acquired", "cash", "odd"],
    "paying-out": ["sweep", "keep", "outlets", "outlets_even", "business", "pays_here", "payout", "jitter", "wobble"],
    "hiding": ["covered", "covered_paid_here", "own_life", "disguise", "aged", "instalments", "together"],
}
COLUMNS = 3
NUMBERS = "Schemes with 30 or more visible payers, where a column does not say otherwise."
# Size of a scheme as `weir eval` names it: those with as many visible payers as the rules can be asked for.
ASKED, ALL = "≥ 30", "≥ 0"
BLUE, ORANGE, GREY = "#0b4f8a", "#c8500a", "#8a8a8a"
FOUND = {"color": BLUE, "linewidth": 2, "marker": "o", "markersize": 4}
EARLY = {"color": ORANGE, "linewidth": 1.5, "marker": "s", "markersize": 3}
OF_ALL = {"color": BLUE, "linewidth": 1, "linestyle": "--", "marker": "_", "markersize": 5}
NOTHING_HELD = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (1, 2))}
RULES = ["#3a8f5c", "#9a5fb0", "#b58a00", "#5b7f95", "#c2639b", "#7a5c3e", "#2aa5a0", "#6b6b00"]

plt.rcParams |= {
    "svg.hashsalt": "weir",
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e4e4",
    "xtick.color": "#404040",
    "ytick.color": "#404040",
    "legend.frameon": False,
}


def size(point, what):
    return next(found for found in point["score"]["sizes"] if found["what"] == what)


def value(share):
    return share["value"] if share["of"] else math.nan


def swept(folder):
    """Points by dial, in the order of their values; those where nothing is held under None."""
    points = [read(path) for path in sorted(folder.glob("*.json"))]
    if not points:
        raise Failed(f"nothing in {folder}: run scripts/measure sweep first")
    about = {frozenset((name, value) for name, value in point["about"].items() if name not in ("rows", "checkout")) for point in points}
    if len(about) > 1:
        raise Failed(f"points in {folder} were not all measured by the same weir over banks of the same size: sweep all dials again")
    for point in points:
        dial, value = point["dial"], point.get("value")
        if dial and (dial not in DIALS or value not in DIALS[dial][0] or point["held"] != held_at(dial, value)):
            raise Failed(f"point {dial}={value} in {folder} is of an earlier sweep, which turned other dials: remove it and sweep again")
    dials = {dial: [] for dial in [None, *DIALS]}
    for point in points:
        dials[point["dial"]].append(point)
    for dial, some in dials.items():
        some.sort(key=lambda point: point.get("value") or 0)
    return {dial: some for dial, some in dials.items() if some}


def panel(axes, dial, points, drawn, rules):
    title, unit, called = PANELS[dial]
    at = range(len(points))

    def curve(values, shift=0.0, **style):
        axes.plot([x + shift for x in at], values, **style | ({"linestyle": "none"} if dial in KINDS else {}))

    asked = [size(point, ASKED) for point in points]
    found = [share["found"] for share in asked]
    low, high = ([share[end] if share["of"] else math.nan for share in found] for end in ("low", "high"))
    # What nothing was held in compares with a panel that holds nothing else.
    if drawn and not DIALS[dial][1]:
        axes.axhline(value(size(drawn, ASKED)["found"]), **NOTHING_HELD)
    if dial in KINDS:
        axes.vlines(at, low, high, color=BLUE, alpha=0.25, linewidth=7)
    else:
        axes.fill_between(at, low, high, color=BLUE, alpha=0.15, linewidth=0)
    for rule, style in rules.items():
        of = [share["by_rule"].get(rule, 0) / share["found"]["of"] if share["found"]["of"] else math.nan for share in asked]
        curve(of, shift=0.03 * len(points) if dial in KINDS else 0, **style)
    curve([value(size(point, ALL)["found"]) for point in points], **OF_ALL)
    curve([value(share["before_30_percent"]) for share in asked], **EARLY)
    curve([value(share) for share in found], **FOUND)
    axes.set_title(title)
    long = {"rotation": 40, "rotation_mode": "anchor", "horizontalalignment": "right"} if dial in NAMED else {}
    axes.set_xticks(at, [called(point["value"]) for point in points], **long)
    axes.set_xlabel(unit)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(-0.4, len(points) - 0.6)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def picture(names, dials, rules, source):
    """Small pictures side by side, with one legend and a line that says where they are from."""
    rows = -(-len(names) // COLUMNS)
    figure, grid = plt.subplots(rows, COLUMNS, figsize=(9.3, 2.25 * rows + 1.1), sharey=True, squeeze=False, layout="constrained")
    drawn = dials.get(None, [None])[0]
    styles = {rule: {"color": colour, "linewidth": 1, "marker": ".", "markersize": 3.5} for rule, colour in zip(rules, cycle(RULES))}
    for axes, name in zip(grid.flat, names):
        panel(axes, name, dials[name], drawn, styles)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    keys = {
        "found (band: 95 % interval)": FOUND,
        "found before 30 % of the principal is in": EARLY,
        "found of all schemes, however few their payers": OF_ALL,
        "found with no dial held": NOTHING_HELD,
        **{f"found by {rule}": style for rule, style in styles.items()},
    }
    figure.legend([Line2D([], [], **style) for style in keys.values()], keys, loc="outside upper left", ncols=COLUMNS)
    figure.supylabel("schemes with ≥ 30 visible payers", fontsize=8)
    figure.supxlabel(textwrap.fill(source, 190), x=0.01, horizontalalignment="left", fontsize=6, color=GREY)
    return figure


def share(share):
    return f"{share['hits']}/{share['of']} = {share['value']:.2f} [{share['low']:.2f}, {share['high']:.2f}]" if share["of"] else "–"


def table(dial, points, rules):
    title, unit, called = PANELS.get(dial, ("No dial held", "", str))
    beside = [DIALS[dial][1]] if dial else []
    if dial == "together":
        beside = TOGETHER
    turned = TURNED.get(dial, dial)
    held = "; ".join(", ".join(f"{name} {value}" for name, value in some.items()) for some in beside if some)
    held = f", with {held}" if held else ""
    lines = [
        f"**{title}** ({f'dial {turned}{held}' if dial else 'all drawn'})\n",
        f"| {unit or 'value'} | found | before 30 % of the principal | {' | '.join(rules)} | of all schemes, however few their visible payers |",
        "|---|" + "---|" * (3 + len(rules)),
    ]
    for point in points:
        asked = size(point, ASKED)
        cells = [called(point["value"]) if dial else "–", share(asked["found"]), share(asked["before_30_percent"])]
        cells += [str(asked["by_rule"].get(rule, 0)) for rule in rules]
        cells.append(share(size(point, ALL)["found"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def measure(args):
    dials = swept(args.out / "sweep")
    points = [point for some in dials.values() for point in some]
    rules = sorted({rule for point in points for rule in size(point, ASKED)["by_rule"]})
    checkouts = ", ".join(sorted({point["about"]["checkout"] for point in points}))
    source = told(points[0]["about"] | {"rows": sum(point["about"]["rows"] for point in points), "checkout": checkouts})
    args.to.mkdir(parents=True, exist_ok=True)
    for name, of in PICTURES.items():
        names = [dial for dial in of if dial in dials]
        if names:
            path = args.to / name
            picture(names, dials, rules, source).savefig(path.with_suffix(".svg"), metadata={"Date": None})
            tables = [table(dial, dials[dial], rules) for dial in [None, *names] if dial in dials]
            write(path.with_suffix(".md"), "\n".join([f"{source} {NUMBERS}\n", *tables]))
            print(path.with_suffix(".svg"), path.with_suffix(".md"))
