"""Pages about people and companies, one blueprint a door."""

from nps.accounts.views.company import settings
from nps.accounts.views.door import blueprint
from nps.accounts.views.guide import guide
from nps.accounts.views.keys import keys
from nps.accounts.views.start import start
from nps.accounts.views.team import team
from nps.accounts.views.you import you

__all__ = ["blueprint", "guide", "keys", "settings", "start", "team", "you"]
