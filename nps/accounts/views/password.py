"""Passwords that are typed: counted first, compared then."""

from flask import request

from nps.accounts import service
from nps.accounts.models import User
from nps.core import db as database


def checked(email: str, password: str) -> User:
    """The user, if the password is theirs. Raises WrongCredentials and, after ten tries in five minutes, TooMany.

    The try is stored before anything is hashed: many guesses at once see each other, and nobody waits for the database
    while one is compared.
    """
    tries = service.count_password_try(email, request.remote_addr or "")
    user = service.check_password(email, password, before_hashing=database.commit)
    service.forgive(tries)
    return user
