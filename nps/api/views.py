"""The description of the API, for machines and for people. Public: it says nothing about any account."""

from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from nps.api import openapi, problems

blueprint = Blueprint("api", __name__)


@blueprint.get("/api/v1/openapi.json")
def description() -> Any:
    answer = jsonify(openapi.document())
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@blueprint.get("/api")
def start() -> Any:
    return redirect(url_for("api.docs"))


@blueprint.get("/api/docs")
def docs() -> Any:
    words = request.args.get("q", "")[:100]
    return render_template("api/docs.html", words=words, operations=openapi.operations(words), about=openapi.ABOUT, problems=problems.WORDS)
