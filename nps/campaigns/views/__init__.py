"""Pages of campaigns for members: the list, the editor, what happens while one runs, people and reasons."""

from nps.campaigns.views.editor import blueprint
from nps.campaigns.views.people import csv, gates, panels, people, timeline
from nps.campaigns.views.running import progress

__all__ = ["blueprint", "csv", "gates", "panels", "people", "progress", "timeline"]
