"""A stateful double of the parts of Stripe that Wordback uses. Never shipped; listens on loopback only."""

from tests.doubles.stripe.rules import PINNED_VERSION
from tests.doubles.stripe.server import StripeDouble

__all__ = ["PINNED_VERSION", "StripeDouble"]
