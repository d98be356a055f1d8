"""`python -m bench [NAME …] [--form short|long|trial] [--db sqlite|postgresql]`: prints one JSON line a figure."""

import argparse
import importlib
import sys

FIGURES = {
    "answer_post": "bench.answer_post",
    "survey_get": "bench.answer_post",
    "redirect_click": "bench.redirect_click",
    "send_mail": "bench.send_mail",
    "overview_1m": "bench.overview",
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which figures (default: all of {', '.join(FIGURES)})")
    parser.add_argument("--form", choices=("short", "long", "trial"), default="short", help="trial: does it run at all")
    parser.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite")
    given = parser.parse_args(arguments)
    names = given.names or list(FIGURES)
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        parser.error(f"there is no figure called {', '.join(unknown)}")
    for module in dict.fromkeys(FIGURES[name] for name in names):
        wanted = [name for name in names if FIGURES[name] == module]
        importlib.import_module(module).measure(wanted, form=given.form, engine=given.db)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
