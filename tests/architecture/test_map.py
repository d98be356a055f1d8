"""The map is complete: one door a blueprint, every event heard or silent on purpose, every scheduled task known."""

import ast
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

import nps
from nps import wiring
from nps.accounts import rules
from nps.accounts.guards import Door
from nps.cli import demo_run
from nps.core.settings import Settings
from nps.jobs.registry import TASKS

ROOT = Path(__file__).parents[2]


def test_make_calls_the_demo_with_options_it_has() -> None:
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "nps.cli demo run" in line)
    given = set(re.findall(r" (--[a-z]+)", line))
    assert given <= {name for option in demo_run.params for name in option.opts}


def test_every_blueprint_has_exactly_one_door(app: Flask) -> None:
    names = [blueprint.name for blueprint, _, _ in wiring.BLUEPRINTS]
    assert len(names) == len(set(names))
    assert set(app.blueprints) == set(names)
    assert all(isinstance(door, Door) for _, _, door in wiring.BLUEPRINTS)


def test_doors_ask_for_rights_that_exist() -> None:
    for blueprint, _, door in wiring.BLUEPRINTS:
        for wanted in door.capabilities.values():
            pair = {wanted} if isinstance(wanted, str) else set(wanted)
            assert pair <= set(rules.MAY), f"{blueprint.name}: {pair}"


def test_rights_of_single_endpoints_name_real_endpoints(app: Flask) -> None:
    for blueprint, _, door in wiring.BLUEPRINTS:
        for name in set(door.capabilities) - {"read", "write"}:
            assert f"{blueprint.name}.{name}" in app.view_functions


def event_classes() -> list[type]:
    found = []
    for feature in pkgutil.iter_modules(nps.__path__):
        if feature.ispkg and feature.name != "core" and (Path(nps.__path__[0]) / feature.name / "events.py").exists():
            module = import_module(f"nps.{feature.name}.events")
            found += [item for _, item in inspect.getmembers(module, inspect.isclass) if item.__module__ == module.__name__]
    return found


@pytest.mark.parametrize("event", event_classes(), ids=lambda e: e.__name__)
def test_every_event_is_heard_or_silent_on_purpose(event: type) -> None:
    heard, silent = event in wiring.SUBSCRIPTIONS, event in wiring.SILENT
    assert heard != silent, f"{event.__name__} belongs into SUBSCRIPTIONS or, with a reason, into SILENT"
    assert not silent or len(wiring.SILENT[event]) > 10


def test_every_scheduled_and_subscribed_task_is_registered() -> None:
    for task, _ in wiring.SCHEDULE:
        assert task in TASKS
    for listeners in wiring.SUBSCRIPTIONS.values():
        for listener in listeners:
            name = getattr(listener, "task", None)
            assert name is None or name in TASKS


def test_the_settings_by_example_are_the_settings() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line and line.lstrip("# ").split("=")[0].isupper()}
    known = {name.upper() for name in Settings.model_fields}
    assert named == known


def test_every_view_is_short() -> None:
    """A view parses, calls, renders. Twenty lines of body are the most; longer ones belong into a service."""
    long = []
    for path in sorted((ROOT / "nps").glob("*/views.py")) + sorted((ROOT / "nps").glob("*/views/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            routed = isinstance(node, ast.FunctionDef) and any(
                "route" in ast.unparse(d) or ".get(" in ast.unparse(d) or ".post(" in ast.unparse(d) for d in node.decorator_list
            )
            if routed and isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or 0) - node.body[0].lineno
                if lines > 30:
                    long.append(f"{path.parent.name}.{node.name}: {lines}")
    assert long == []
