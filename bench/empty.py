"""The baseline of every HTTP figure: a Flask view that returns 200 bytes, on the gunicorn settings that ship."""

from flask import Flask

app = Flask(__name__)
BODY = "x" * 200


@app.route("/", methods=["GET", "POST"])
def empty() -> str:
    return BODY
