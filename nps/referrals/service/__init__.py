"""Commands on referrals, one module a noun. The only writers; they never commit."""

from nps.referrals.service.advocates import (
    Enrolment,
    activate,
    come_back,
    enrol,
    infer_share,
    judge_words,
    leave,
    make_link,
    pause_for_case,
    portal,
    remove,
    resume_after_case,
    revoke_portals,
    save_words,
    share,
    withdraw_for_answer,
)
from nps.referrals.service.attribution import evidence_hash, settle
from nps.referrals.service.claims import REFUSALS, claim, not_for_me, open_for_friends
from nps.referrals.service.clicks import BURST_WINDOW, infer_shares, insert, judge_bursts, roll_up
from nps.referrals.service.programs import end as end_program
from nps.referrals.service.programs import ensure_default, ensure_salts, go_live, open_first
from nps.referrals.service.programs import pause as pause_program
from nps.referrals.service.programs import resume as resume_program
from nps.referrals.service.programs import save as save_program
from nps.referrals.service.reviews import clear_flags, note_rewards, reject, uphold
from nps.referrals.service.sales import adjust, attribute_again, bind, convert, credit_by_hand, refund, same_sale, sign_up, take, warn
from nps.referrals.service.spool import replay

__all__ = [
    "BURST_WINDOW",
    "REFUSALS",
    "Enrolment",
    "activate",
    "adjust",
    "attribute_again",
    "bind",
    "claim",
    "clear_flags",
    "come_back",
    "convert",
    "credit_by_hand",
    "end_program",
    "enrol",
    "ensure_default",
    "ensure_salts",
    "evidence_hash",
    "go_live",
    "infer_share",
    "infer_shares",
    "insert",
    "judge_bursts",
    "judge_words",
    "leave",
    "make_link",
    "not_for_me",
    "note_rewards",
    "open_first",
    "open_for_friends",
    "pause_for_case",
    "pause_program",
    "portal",
    "refund",
    "replay",
    "reject",
    "remove",
    "resume_after_case",
    "resume_program",
    "revoke_portals",
    "roll_up",
    "same_sale",
    "save_program",
    "save_words",
    "settle",
    "share",
    "sign_up",
    "take",
    "uphold",
    "warn",
    "withdraw_for_answer",
]
