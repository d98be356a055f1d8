"""What the made-up customers write, and what the team answers: by theme, so that causes can be seen in them."""

from nps.core.ids import bucket

DETRACTOR = {
    "Bank feeds": (
        "The bank feed for our credit union has been disconnected for a week, and support keeps sending me the same article. I ran payroll by hand twice.",
        "Bank connection drops every other Monday. I have reconnected it nine times since spring.",
        "Transactions arrive twice from our second account and I delete them by hand at night.",
        "Your feed stopped and nobody told us. Our accountant found out before we did.",
        "Every time the bank asks for a new code the feed dies. Please tell me when it happens.",
    ),
    "Support replies": (
        "Three people answered my ticket and each asked me the same question.",
        "I waited two days for a reply during tax week. The answer was a link I had already read.",
        "Chat closes at five, and that is when I do my books.",
        "Nobody called back although I was promised a call on Thursday.",
    ),
    "Payroll": (
        "The payroll run failed on a Friday and the message only said that something went wrong.",
        "I cannot correct a wrong hour after the run is approved. So I pay people the difference in cash.",
        "Two of my people were paid a day late and I had to explain it.",
    ),
    "Price": (
        "The price went up by a fifth and I still use the same three screens.",
        "We pay for ten seats and four people work here.",
    ),
    "Phone app": (
        "The phone app signs me out every morning and loses the receipt I was typing.",
        "Photographing receipts takes four taps too many. I stopped doing it.",
    ),
}
PASSIVE = {
    "Phone app": ("Does the job. The phone app feels like an afterthought.", "Good on the desk, slow on the phone."),
    "Bank feeds": ("Solid, apart from the bank feed that needs a nudge now and then.", "Mostly fine. I would like more banks."),
    "Reports": (
        "Good. I export to a spreadsheet for the report my bank wants, which should not be needed.",
        "It works. The reports could say more.",
    ),
    "Support replies": ("Support is kind but slow in the evening.",),
    "Price": ("Fair, though not cheap for a shop of our size.",),
}
PROMOTER = {
    "Ease": (
        "I do my books in an hour on Sunday instead of a whole evening. I told my sister to switch.",
        "Set up in one lunch break. Nothing else I use was that easy.",
        "It is the first bookkeeping program that did not make me feel stupid.",
    ),
    "Payroll": (
        "Payroll goes out with one press and my people get their slips. I sleep better.",
        "Payroll used to take me a day. Now it takes ten minutes.",
    ),
    "Support replies": (
        "I asked a question on a Saturday and a person answered. That made my week.",
        "Tomás fixed it while I was on the phone with him.",
    ),
    "Invoices": (
        "Customers pay the invoices from their phone. We get our money nine days earlier.",
        "The reminder for late invoices paid for the whole year.",
    ),
}
REPLY = (
    "Hello {first},\n\nthank you for writing so plainly. I looked at your account just now and can see what you mean. "
    "I have asked the team that owns it to look at it today and will write to you again before the end of the day with what they found.\n\n{owner}",
    "Hello {first},\n\nyou are right, and I am sorry for the extra work this made. I have put the correction in myself and checked that it holds. "
    "If it happens once more, reply to this mail and it comes straight to me.\n\n{owner}",
    "Hello {first},\n\nI read your answer twice. This should not have happened. Here is what I did: the connection is set up anew, "
    "the doubled rows are removed, and I will look at it again on Monday.\n\n{owner}",
)
ANSWER_BACK = (
    "Thank you, that was quick. It works again.",
    "It is better now. I will tell you if it comes back.",
    "Thanks for looking into it, I did not expect a person.",
)
LEARNING = {
    "Bank feeds": "Credit unions on the old connection lose their sign-in after a password change.",
    "Support replies": "Tickets that change hands arrive without their history.",
    "Payroll": "The failure message does not say which person's entry stopped the run.",
    "Price": "Accounts with unused seats are not told that they can remove them.",
    "Phone app": "Drafts of receipts are kept on the phone only until sign-out.",
}
CAUSES = {
    "Bank feeds": "My bank connection drops and nobody tells me",
    "Support replies": "I have to explain my problem again to every person who answers",
    "Payroll": "When a payroll run fails I do not learn why",
    "Price": "I pay for more than I use",
    "Phone app": "The phone app loses what I typed",
}
OFFER = {
    "destination_url": "https://larkfield.example/start",
    "headline": "Give 2 months free. Get $50.",
    "lead": "Friends who join with your link get 2 months of Larkfield free. You get $50 credit each time one of them becomes a customer.",
    "ask": "Know someone doing their books at midnight?",
    "share_subject": "The books app I use",
    "share_words": "I do my books and payroll in Larkfield and got my Sundays back. This link gives you 2 months free.",
    "pitch": "Books, invoices and payroll for small businesses, in one place. Set up takes an evening.",
    "friend_words": "2 months free",
    "friend_title": "Two months of Larkfield, free.",
    "friend_form_title": "Start your two free months",
    "friend_bill_label": "Larkfield, two months",
    "friend_list_minor": 8_400,
    "friend_less_minor": 8_400,
    "friend_small_print": "Free for two months, then from $42 a month. Cancel any time from the billing page.",
    "friend_steps_title": "The first evening",
    "friend_steps": [
        ["Connect your bank", "11,400 banks and credit unions. Or upload statements."],
        ["Bring your team", "Import people from your last payroll report."],
        ["Run a test payroll", "See every figure before any money moves."],
    ],
    "quotes_title": "Owners say",
    "quotes": [
        ["Quarter end went from a week to an afternoon.", "Jo Lindqvist, Harbor Bikes"],
        ["The first bookkeeping tool my husband and I do not argue about.", "Camille Aubert, Two Sisters Bakery"],
        ["Support picked up on the second ring, on payday.", "Andre Whitlock, Whitlock Roofing"],
    ],
    "advocate_detail": "After their first payment",
    "terms": (
        "You get $50 credit when somebody new joins with your link and pays for the first time. "
        "It is checked for 14 days and then goes on your next invoice. At most $1,000 in a calendar year. "
        "Not for your own second account and not for people who work at Larkfield. "
        "If the payment is taken back, so is the credit. You can stop at any time; what you have earned stays yours."
    ),
}


def comment(group: str, key: str) -> tuple[str, str]:
    """(theme, text) for an answer of this group; the text is empty for those who write nothing (about half)."""
    table = {"detractor": DETRACTOR, "passive": PASSIVE, "promoter": PROMOTER}[group]
    themes = list(table)
    weight = bucket(f"theme {key}", 100)
    theme = themes[0] if weight < 40 else themes[1 + (weight - 40) * (len(themes) - 1) // 60]
    if bucket(f"writes {key}", 100) >= {"detractor": 78, "passive": 45, "promoter": 52}[group]:
        return theme, ""
    texts = table[theme]
    return theme, texts[bucket(f"text {key}", len(texts))]


def score_for(mood: int, wave: int, waves: int, key: str) -> int:
    """A score 0–10 that follows a person's mood, drifts up slowly over the waves and never stands still."""
    drift = 6 * wave // max(1, waves - 1)
    lean = mood + drift + bucket(f"luck {key}", 31) - 15
    if lean < 6:
        return bucket(f"low {key}", 3)
    if lean < 17:
        return 3 + bucket(f"mid {key}", 4)
    if lean < 47:
        return 7 + bucket(f"passive {key}", 2)
    return 9 + (1 if bucket(f"high {key}", 10) < 6 else 0)
