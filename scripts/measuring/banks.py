"""Whole banks at the density of schemes that is asked for, judged together: the tables of docs."""

import json
from pathlib import Path

from measuring.run import Weir, each, sizes_of, span, told, write


def measure(args):
    sizes = sizes_of(args, parties=not args.without_parties)
    name = f"banks-{args.customers}x{args.days}-{args.per_scheme}" + ("-without-parties" if args.without_parties else "")
    name += "-active" if args.active else ""
    name += f"-with-{args.extras.replace(',', '-')}" if args.extras else ""
    name += f"-only-{'-'.join(args.only)}" if args.only else ""
    weir, folder = Weir(args.out, args.active, args.only), args.out / name
    folder.mkdir(parents=True, exist_ok=True)

    def one(seed):
        return weir.bank(folder / str(seed), seed, sizes, {}, args.jobs)

    banks = each({f"seed {seed}": seed for seed in args.seeds}, args.jobs, one)
    folders = [folder / str(seed) for seed in args.seeds]
    about = weir.about(banks, {"seeds": span(args.seeds), **sizes})
    score = json.loads(weir.eval(folders, "--json"))
    results = str(args.out / f"{name}-{span(args.seeds)}")
    # In one line, for `pool`.
    write(Path(results + ".json"), json.dumps({"about": about, "score": score}, ensure_ascii=False, separators=(",", ":")) + "\n")
    to = args.to or Path(results + ".md")
    heading = f"# {args.title}\n\n" if args.title else ""
    write(to, f"{heading}{told(about)}\n\n{weir.eval(folders, '--markdown')}")
    print(to)
