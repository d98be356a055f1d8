"""Parts of delivery's tests: a real mail server double, and messages to send."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nps.core import ids
from nps.core.settings import Settings
from nps.delivery import service as delivery
from nps.delivery.compose import Wording, mark
from nps.delivery.models import MailTemplate, Message
from tests.conftest import settings_for
from tests.doubles.smtp_sink import SmtpSink


@pytest.fixture
def sink_options() -> dict[str, Any]:
    return {}


@pytest.fixture
def sink(sink_options: dict[str, Any]) -> Iterator[SmtpSink]:
    """A mail server; the application uses it when a test asks for it."""
    with SmtpSink(**sink_options) as made:
        yield made


@pytest.fixture
def settings(db_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    given: dict[str, Any] = {"mail_pace_installation": 0, "mail_pace_account": 0, "mail_pace_provider": 0, "mail_phase_seconds": 1 / 300}
    if "sink" in request.fixturenames:
        given["mail_url"] = f"smtp://127.0.0.1:{request.getfixturevalue('sink').port}"
    return settings_for(db_url, tmp_path, **given)


@pytest.fixture
def mail(app: Any) -> Callable[..., Message]:
    """mail(to) queues one single mail in the account in scope."""

    def make(to: str = "dana@brightoak.example", **given: Any) -> Message:
        values: dict[str, Any] = {
            "kind": "notice",
            "key": f"test:{ids.new_id()}",
            "subject": "A word",
            "text": "Hello",
            "from_name": "Larkfield",
            "from_email": "larkfield@mail.wordback.example",
            **given,
        }
        return delivery.queue(to_email=to, **values)

    return make


@pytest.fixture
def template(app: Any) -> Callable[[], MailTemplate]:
    def make() -> MailTemplate:
        wording = Wording(
            subject="Hi " + mark("first_name", "there"),
            text="Hi "
            + mark("first_name", "there")
            + "\nhttp://localhost/s/"
            + mark("token:survey")
            + "\nStop: "
            + mark("token:stop")
            + "\n",
            html="<p>Hi " + mark("first_name", "there") + '</p><a href="http://localhost/s/' + mark("token:survey") + '">x</a>',
            from_name="Ines Marchetti",
            from_email="larkfield@mail.wordback.example",
            feedback_id="c:a:survey:wb",
        )
        return delivery.add_template(wording)

    return make
