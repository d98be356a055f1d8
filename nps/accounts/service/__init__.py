"""Commands on accounts, users, members, sessions and keys, by noun."""

from nps.accounts.service.audit import audit
from nps.accounts.service.company import (
    change_company,
    confirm_address,
    create_account,
    keep_limits,
    keep_our_address,
    open_another,
    set_state,
    sign_up,
)
from nps.accounts.service.keys import create_api_key, note_use, revoke_key
from nps.accounts.service.limits import (
    count_link_request,
    count_password_try,
    count_reset_request,
    count_sign_up,
    count_try,
    forget_old_tries,
    forgive,
)
from nps.accounts.service.links import look_at, mail_known_address, mail_link, make_link, reset_password
from nps.accounts.service.links import use as use_link
from nps.accounts.service.people import change_person, check_password, create_user, set_password
from nps.accounts.service.sessions import (
    IDLE,
    LIFE,
    end_all_sessions,
    end_one_session,
    end_session,
    forget_dead_sessions,
    is_fresh,
    refresh,
    start_session,
)
from nps.accounts.service.team import (
    accept_invite,
    change_role,
    invite,
    open_invite,
    remove_member,
    resend_invite,
    withdraw_invite,
)

__all__ = [
    "IDLE",
    "LIFE",
    "accept_invite",
    "audit",
    "change_company",
    "change_person",
    "change_role",
    "check_password",
    "confirm_address",
    "count_link_request",
    "count_password_try",
    "count_reset_request",
    "count_sign_up",
    "count_try",
    "create_account",
    "create_api_key",
    "create_user",
    "end_all_sessions",
    "end_one_session",
    "end_session",
    "forget_dead_sessions",
    "forget_old_tries",
    "forgive",
    "invite",
    "is_fresh",
    "keep_limits",
    "keep_our_address",
    "look_at",
    "mail_known_address",
    "mail_link",
    "make_link",
    "note_use",
    "open_another",
    "open_invite",
    "refresh",
    "remove_member",
    "resend_invite",
    "reset_password",
    "revoke_key",
    "set_password",
    "set_state",
    "sign_up",
    "start_session",
    "use_link",
    "withdraw_invite",
]
