"""Puts this floor under an application."""

from flask import Flask

from nps.api import limits, openapi, problems, strict


def install(app: Flask) -> None:
    """Strict JSON, problems, limits and the description's settings. Before any blueprint is registered."""
    strict.install(app)
    problems.install(app)
    limits.install(app)
    openapi.configure(app)
