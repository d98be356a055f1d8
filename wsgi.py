"""What a WSGI server loads: `gunicorn wsgi:app`."""

from nps.app import create_app
from nps.core.settings import load

# Nobody waits longer than this for a page; what takes longer is a job.
STATEMENT_SECONDS = 15

app = create_app(load(statement_seconds=STATEMENT_SECONDS))
