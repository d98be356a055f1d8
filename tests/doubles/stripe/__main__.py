"""`python -m tests.doubles.stripe --port 0 --state FILE`: run the double until SIGTERM or Ctrl-C.

The first line of output is JSON with its address and keys.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading

from tests.doubles.stripe.rules import PINNED_VERSION
from tests.doubles.stripe.server import StripeDouble


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.doubles.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", default=":memory:", help="SQLite file that keeps the state between runs")
    parser.add_argument("--seed", action="store_true", help="make the products and prices of the demo and print their ids")
    parser.add_argument("--webhook", metavar="URL", help="send every event of the first account there, and print the signing secret")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with StripeDouble(port=options.port, state=options.state) as double:
        line: dict[str, object] = {"url": double.url, "key": double.key, "customer_key": double.customer_key, "api_version": PINNED_VERSION}
        if options.seed:
            line["seed"] = double.seed()
        if options.webhook:
            line["webhook_secret"] = double.webhook(options.webhook)["secret"]
        print(json.dumps(line), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
