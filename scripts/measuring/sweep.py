"""Where detection breaks: one dial of every scheme held at a value, then at the next, all else drawn as ever.

The same seeds serve every point, and holding a dial leaves a scheme's other dials as they were drawn (but for the memo of wages, which depends on
the form of payout), so each curve follows the same schemes as they turn one dial. Banks are dense with schemes, because nothing but these is asked
of them; precision is the business of whole banks.
"""

import json
import shutil

from measuring.run import Failed, Weir, as_json, each, read, sizes_of, span, write

PAID_HERE = {"pays_here": 1}
EACH_ON_HIS_DAY = {"pays_here": 1, "payout": 1}
# Curve, values of its dial, what else is held so that the dial has anything to turn. Names and units are those of crates/testkit/src/synth/plan.rs: fen, days,
# parts of a thousand. Most ranges go beyond what is ever drawn. First what is seen of the paying in, then where the money goes and how it returns, then
# what a scheme hides behind, which schemes as drawn never do; last, several at once.
DIALS = {
    "investors": ([50, 80, 120, 200, 300], {}),
    "visible": ([100, 200, 400, 600, 800], {}),
    "life": ([150, 250, 420, 700, 1100], {}),
    "pay_in": ([2_000_00, 5_000_00, 10_000_00, 20_000_00, 40_000_00, 100_000_00], {}),
    "collectors": ([1, 2, 4, 8, 16], {"rotate": 0}),
    "rotate": ([7, 14, 30, 60, 120], {}),
    "acquired": ([0, 300, 500, 700, 900], {}),
    "cash": ([0, 300, 500, 700, 900], {}),
    "odd": ([0, 250, 500, 750, 1000], {}),
    "sweep": ([1, 7, 30, 60, 90, 180], {}),
    "keep": ([20, 200, 300, 400, 600, 800, 950], {}),
    "outlets": ([1, 2, 3, 4, 6, 12], {}),
    "business": ([0, 500, 1000, 2000, 4000, 8000], {}),
    "pays_here": ([0, 1], {}),
    "payout": ([0, 1, 2, 3, 4, 5, 6, 7], PAID_HERE),
    "jitter": ([0, 1, 2, 3, 5, 8, 13], EACH_ON_HIS_DAY),
    "wobble": ([0, 50, 100, 150, 300, 500], EACH_ON_HIS_DAY),
    "outlets_even": ([1, 2, 3, 4, 6, 12], {"even": 1}),
    "covered": ([0, 250, 500, 750, 1000], {"pays_here": 0}),
    "covered_paid_here": ([0, 250, 500, 750, 1000], PAID_HERE),
    "own_life": ([0, 500, 1000, 2000, 5000, 10_000], {}),
    "disguise": ([0, 250, 500, 750, 1000], {}),
    "aged": ([0, 250, 500, 750, 1000], {}),
    "instalments": ([1, 2, 4, 8, 16], {}),
    "together": ([0, 1, 2, 3, 4, 5, 6, 7, 8], {}),
}
# Curves of a dial that has another one already.
TURNED = {"outlets_even": "outlets", "covered_paid_here": "covered"}
# What an organiser who knows the rules might do, each beside all before it: no dial of the generator, but several.
TOGETHER = [
    {"pays_here": 0},
    {"collectors": 8, "rotate": 0},
    {"pay_in": 10_000_00},
    {"business": 500},
    {"acquired": 500},
    {"own_life": 1000, "aged": 1000},
    {"disguise": 1000, "instalments": 4},
    {"covered": 1000},
]


def held_at(dial, value):
    """What is held where a dial stands at a value."""
    if dial == "together":
        return {name: held for step in TOGETHER[:value] for name, held in step.items()}
    return {TURNED.get(dial, dial): value, **DIALS[dial][1]}


def points(names):
    """Dial, its value and what is held at each point, by its name: first nothing, as something to compare with."""
    yield "drawn", None, None, {}
    for dial in names or DIALS:
        if dial not in DIALS:
            raise Failed(f"no dial {dial} in the sweep; there are: {' '.join(DIALS)}")
        for value in DIALS[dial][0]:
            yield f"{dial}={value}", dial, value, held_at(dial, value)


def measure(args):
    sizes = sizes_of(args)
    weir, folder = Weir(args.out), args.out / "sweep"
    folder.mkdir(parents=True, exist_ok=True)

    def one(point):
        name, dial, value, held = point
        result = folder / f"{name}.json"
        asked = {"stamp": weir.stamp, "seeds": span(args.seeds), **sizes}
        done = read(result)
        if done and asked.items() <= done["about"].items() and done["held"] == held and "value" in done:
            return done, False
        folders = [folder / name / str(seed) for seed in args.seeds]
        folders[0].parent.mkdir(exist_ok=True)
        banks = [weir.bank(place, seed, sizes, held, args.jobs)[0] for place, seed in zip(folders, args.seeds)]
        done = {
            "about": weir.about(banks, {"seeds": span(args.seeds), **sizes}),
            "dial": dial,
            "value": value,
            "held": held,
            "score": json.loads(weir.eval(folders, "--json")),
        }
        write(result, as_json(done))
        # The point is all that is asked of these banks.
        shutil.rmtree(folders[0].parent)
        return done, True

    each({point[0]: point for point in points(args.dials)}, args.jobs, one)
    print(f"{folder}/")
