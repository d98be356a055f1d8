"""Routing: what happens with an answer, decided once, by rules a member can read and change; and the thank-you pages.

Nouns: RoutingRuleSet, RoutingRule, RoutingDecision. Promises: one decision per response in the transaction that verifies it;
promoter to referral, detractor to a case, passive to one question; a repeat changes nothing.
"""
