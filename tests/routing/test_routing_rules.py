"""Where answers go."""

import pytest

from nps.routing.rules import DEFAULT_RULES, Condition, Destination, Facts, Rule, check, decide, holds, unreachable
from nps.scoring.groups import nps_group


def facts(score: int, wish: bool = False, **rest: object) -> Facts:
    return Facts(score=score, group=nps_group(score), wants_reply=wish, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("score", "wish", "where"),
    [*[(s, False, Destination.CASE) for s in range(7)], (7, False, Destination.QUESTION), (8, False, Destination.QUESTION)]
    + [(9, False, Destination.REFERRAL), (10, False, Destination.REFERRAL), (10, True, Destination.CASE), (7, True, Destination.CASE)],
)
def test_the_rules_every_account_starts_with(score: int, wish: bool, where: Destination) -> None:
    assert decide(DEFAULT_RULES, facts(score, wish)).destination is where


def test_all_matching_rules_are_written_down_but_the_first_decides() -> None:
    decision = decide(DEFAULT_RULES, facts(2, True))
    assert decision.matched == ("Wants a reply", "Detractors")
    assert decision.sentence == "the rule “Wants a reply”"


def test_a_rule_that_is_off_or_behind_a_stop_does_not_speak() -> None:
    stop = Rule("Stop", (), None, stop_here=True)
    assert decide((stop, *DEFAULT_RULES), facts(2)).destination is Destination.NONE
    off = Rule("Off", (), Destination.NONE, enabled=False)
    assert decide((off, *DEFAULT_RULES), facts(2)).destination is Destination.CASE


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("property", "is", {"key": "plan", "value": "growth"}), True),
        (Condition("property", "is", {"key": "size", "value": "1"}), False),
        (Condition("property", "is_not", {"key": "size", "value": "1"}), True),
        (Condition("property", "empty", {"key": "size"}), True),
        (Condition("comment", "contains", "BANK"), True),
        (Condition("comment", "present", None), True),
        (Condition("value", "at_least", 5000), False),
        (Condition("language", "is", "EN"), True),
    ],
)
def test_a_missing_value_fails_every_test_but_empty_and_is_not(condition: Condition, expected: bool) -> None:
    assert holds(condition, facts(3, comment="The bank feed", properties={"plan": "Growth"})) is expected


def test_a_rule_that_cannot_be_reached_is_pointed_out() -> None:
    late = Rule(
        "Angry growth",
        (Condition("score", "between", [0, 3]), Condition("property", "is", {"key": "plan", "value": "Growth"})),
        Destination.CASE,
    )
    assert unreachable((*DEFAULT_RULES, late)) == ["Angry growth"]
    assert unreachable((late, *DEFAULT_RULES)) == []


def test_what_cannot_be_saved_is_named() -> None:
    bad = Rule(" ", (Condition("score", "between", [6, 2]), Condition("mood", "is", 1)), Destination.CASE, target_minutes=2)
    assert set(check((bad,))) == {"rule-1-name", "rule-1-from", "rule-1-conditions", "rule-1-target"}
