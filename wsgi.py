"""What a WSGI server loads: `gunicorn wsgi:app`."""

from nps.app import create_app

app = create_app()
