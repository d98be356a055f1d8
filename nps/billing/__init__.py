"""Billing: what each account pays us for, what it may use, and how much of it is used.

Nouns: Plan (data), Price, Subscription, HostedPage, Invoice. Promises: a plan is applied only from an object fetched
from Stripe after a verified event; the page one returns to grants nothing; code asks `entitled("x")`, never a plan name.
"""
