"""The command line of scripts/measure, which says what it is for."""

import argparse
import signal
import sys
from pathlib import Path

from measuring.run import Failed, seeds


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/measure")
    parts = parser.add_subparsers(dest="part", required=True)

    def part(name, about, **sizes):
        added = parts.add_parser(name, help=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        added.add_argument("--out", type=Path, default=Path("out/measure"), help="where what is measured goes")
        if sizes:
            added.add_argument("--seeds", type=seeds, default=sizes["seeds"], metavar="A..B", help="one bank for each, B included")
            added.add_argument("--customers", type=int, default=sizes["customers"], metavar="N", help="of each bank")
            added.add_argument("--days", type=int, default=sizes["days"], metavar="D", help="of each bank")
            added.add_argument("--per-scheme", type=int, default=sizes["per_scheme"], metavar="K", help="customers for one scheme")
            added.add_argument("--with", dest="extras", default="", metavar="fees,loans,zipf,devices", help="what each bank has besides")
            added.add_argument("--jobs", type=int, default=2, metavar="N", help="banks at once")
        return added

    banks = part("banks", "tables of whole banks", seeds="1001..1010", customers=200_000, days=540, per_scheme=20_000)
    banks.add_argument("--without-parties", action="store_true", help="detect without party data")
    banks.add_argument("--active", action="store_true", help="turn rules on trial off: their alerts count nowhere, and they take a quarter of the time (some scores are lower without their points)")
    banks.add_argument("--only", nargs="+", default=(), metavar="RULE", help="turn all other rules off: what one rule that has changed does, for a fraction of the time")
    banks.add_argument("--title", metavar="TEXT", help="the heading, with --to")
    banks.add_argument("--to", type=Path, metavar="FILE", help="another place for the tables")
    sweep = part("sweep", "dials turned until detection breaks", seeds="2001..2003", customers=2_000, days=540, per_scheme=20)
    sweep.add_argument("--dials", nargs="+", metavar="NAME", help="only these")
    pool = part("pool", "banks that were measured at different times, counted together")
    pool.add_argument("results", nargs="+", type=Path, metavar="FILE", help="results of banks, as `banks` leaves them")
    pool.add_argument("--title", required=True, metavar="TEXT", help="the heading")
    pool.add_argument("--to", type=Path, required=True, metavar="FILE", help="where the tables go")
    figures = part("figures", "the generated town beside published figures")
    figures.add_argument("--seed", type=int, default=1001, metavar="N", help="of the bank")
    figures.add_argument("--customers", type=int, default=20_000, metavar="N", help="of the bank")
    figures.add_argument("--days", type=int, default=300, metavar="D", help="of the bank")
    figures.add_argument("--per-scheme", type=int, default=500, metavar="K", help="customers for one scheme")
    figures.add_argument("--to", type=Path, default=Path("docs/measured/figures.md"), metavar="FILE", help="where the table goes")
    links = part("links", "groups that weir link proposes, held against labels")
    links.add_argument("--seed", type=int, default=1, metavar="N", help="of the bank: one for tuning, as its settings were chosen on these")
    links.add_argument("--customers", type=int, default=20_000, metavar="N", help="of the bank")
    links.add_argument("--days", type=int, default=300, metavar="D", help="of the bank")
    links.add_argument("--per-scheme", type=int, default=500, metavar="K", help="customers for one scheme")
    links.add_argument("--with", dest="extras", default="", metavar="devices", help="what the bank has besides")
    pictures = part("pictures", "the sweep's curves and their numbers")
    pictures.add_argument("--to", type=Path, default=Path("docs/pictures"), metavar="DIR", help="where pictures go")
    return parser.parse_args()


def main():
    args = arguments()
    # Only pictures have matplotlib.
    if args.part == "banks":
        from measuring.banks import measure
    elif args.part == "sweep":
        from measuring.sweep import measure
    elif args.part == "pool":
        from measuring.pool import measure
    elif args.part == "figures":
        from measuring.figures import measure
    elif args.part == "links":
        from measuring.links import measure
    else:
        from measuring.pictures import measure
    measure(args)


signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    main()
except Failed as failure:
    sys.exit(f"measure: {failure}")
except KeyboardInterrupt:
    sys.exit("measure: interrupted; the same command goes on from here")
