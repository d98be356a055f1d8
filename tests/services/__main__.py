"""python -m tests.services fetch"""

import sys

from tests.services import browser, postgresql, redis_server
from tests.services.programs import Missing


def main(arguments: list[str]) -> int:
    if arguments != ["fetch"]:
        print("usage: python -m tests.services fetch", file=sys.stderr)
        return 2
    missing = 0
    for name, describe in (("PostgreSQL", postgresql.describe), ("Redis", redis_server.describe), ("Browser", browser.describe)):
        try:
            print(f"{name}: {describe()}", flush=True)
        except Missing as reason:
            print(f"{name}: {reason}", file=sys.stderr, flush=True)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
