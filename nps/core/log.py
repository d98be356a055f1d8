"""Log lines: one event a line with ids, never addresses or customers' words."""

import logging
import re
import sys
import traceback

import structlog

# What PostgreSQL quotes of rows and parameters, up to the next part of the text.
_QUOTED = re.compile(r"(?ms)^(DETAIL|CONTEXT|LINE \d+):.*?(?=^\[SQL:|^The above exception|^During handling|^\(Background|\Z)")


def configure(form: str) -> None:
    """Send structlog to standard error, as JSON or as text."""
    last: structlog.types.Processor = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def trace(frames: int) -> str:
    """The exception being handled with its innermost frames, as text, without the values that a database quotes in it."""
    return _QUOTED.sub("", traceback.format_exc(limit=-frames))


log = structlog.get_logger()
