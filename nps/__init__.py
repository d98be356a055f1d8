"""Wordback: one question by email, every answer acted on."""
