"""Tell people: send what lies in the outbox to the receivers that want it, and try again with growing pauses."""

from __future__ import annotations

import contextlib
import io
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from runner.store import outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from runner.policy.policies import Notification as Receiver
    from runner.service.rules import Rules
    from runner.store.engine import Store
    from runner.store.outbox import Notification

log = logging.getLogger("runner.worker")
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
MOST_ATTEMPTS = 12


class Send(Protocol):
    """Send one message to one address, a secret; return whether it arrived."""

    def __call__(self, url: str, title: str, body: str) -> bool:
        """Send it."""


def send(url: str, title: str, body: str) -> bool:
    """Send a message by apprise. What apprise prints about it may hold the address and is thrown away."""
    import apprise  # noqa: PLC0415 - a fifth of a second of the worker's start, for what may never be sent

    messenger = apprise.Apprise()
    if not messenger.add(url):
        return False
    with contextlib.redirect_stderr(io.StringIO()):
        return bool(messenger.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))


def deliver(store: Store, rules: Rules, clock: Callable[[], datetime], sender: Send = send) -> int:
    """Send what is to be sent now; return how many notifications were dealt with. Raises StoreUnavailable.

    Each receiver gets a notification once; a crash between sending and recording may send it twice.
    """
    with store.write() as connection:
        waiting = outbox.pending(connection, clock())
    for each in waiting:
        _deliver(store, each, rules.policies.notifications, clock, sender)
    return len(waiting)


def _deliver(
    store: Store,
    notification: Notification,
    receivers: tuple[Receiver, ...],
    clock: Callable[[], datetime],
    sender: Send,
) -> None:
    wanting = [each for each in receivers if notification.kind in each.on]
    left = [each for each in wanting if each.name not in notification.delivered_to]
    problems = {each.name: _problem(each, notification, sender) for each in left}
    reached = (*notification.delivered_to, *(name for name, problem in problems.items() if problem is None))
    wrong = "; ".join(f"{name}: {problem}" for name, problem in problems.items() if problem is not None)
    now = clock()
    with store.write() as connection:
        if not wrong:
            outbox.sent(connection, notification.id, now)
        elif notification.attempts + 1 >= MOST_ATTEMPTS:
            outbox.gave_up(connection, notification.id, now, wrong)
            log.error(
                "event=notification_lost kind=%s title=%r problem=%r", notification.kind, notification.title, wrong
            )
        else:
            pause = min(FIRST_PAUSE * 2**notification.attempts, LONGEST_PAUSE)
            outbox.failed(connection, notification.id, wrong, now + pause, reached)
            log.warning("event=notification_failed kind=%s problem=%r", notification.kind, wrong)


def _problem(receiver: Receiver, notification: Notification, sender: Send) -> str | None:
    """Send to one receiver and return what went wrong, without the address."""
    try:
        url = receiver.url_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return f"{receiver.url_file} cannot be read"
    if not url:
        return f"{receiver.url_file} is empty"
    try:
        arrived = sender(url, notification.title, notification.body)
    except Exception as error:  # noqa: BLE001 a plug-in may raise anything, and its text may hold the address
        return f"sending failed with {type(error).__name__}"
    return None if arrived else "it was not taken"
