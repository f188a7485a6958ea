#!/usr/bin/env bash
# eventsourcing 9.5.6, Python 3.11; seen on 2026-11-30.
#
# `ProjectionRunner.wait(id)` asks whether the projection has come to a notification, and sleeps between two
# questions: 0.1 s, then 0.2, 0.4, 0.8. What is handled a moment after the first question is told 0.1 s after it,
# and what takes a little longer than 0.1 s is told after 0.3 s. A reader who waits for his own write so pays for
# the sleep, and not for the handling, on every store.
#
# The answer is the highest notification that was tracked. A projection with `topics` tracks only events of these,
# so waiting for a save that made another event ends with a TimeoutError, although nothing is left to be handled.
# It lasts until an event of its topics comes later.
#
# Whoever waits for what he saved must know if it is of a projection's topics; a follower that moves its position
# on over what its filter left out, and wakes who waits, needs neither.
#
# Seen output:
#   handled within 0.05 s: 20 of 20; told no sooner than after 0.1 s: 20 of 20
#   handled within 0.2 s: True; told no sooner than after 0.3 s: True
#   an event of no topic of its: TimeoutError; all of its topics handled: True
#   the same, after the next one of its topics: told
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet eventsourcing==9.5.6 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import threading
import time

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.popo import POPOTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic


class Account(Aggregate):
    @event("Opened")
    def __init__(self):
        self.balance = 0

    @event("Deposited")
    def deposit(self):
        self.balance += 1


class Bank(Application):
    pass


class All(Projection[POPOTrackingRecorder]):
    pause = 0.01
    handled = threading.Event()

    def process_event(self, domain_event, tracking):
        time.sleep(self.pause)
        self.view.insert_tracking(tracking)
        self.handled.set()


class Deposits(All):
    topics = (get_topic(Account.Deposited),)


def run(projection):
    return ProjectionRunner(application_class=Bank, projection_class=projection, view_class=POPOTrackingRecorder)


def seconds(runner):
    """When what is saved now was handled, and when that was told."""
    All.handled.clear()
    begin = time.monotonic()
    saved = runner.app.save(Account())[-1].notification.id
    handled = []
    watch = threading.Thread(target=lambda: (All.handled.wait(), handled.append(time.monotonic() - begin)))
    watch.start()
    runner.wait(saved, timeout=10)
    told = time.monotonic() - begin
    watch.join()
    return handled[0], told


with run(All) as runner:
    both = [seconds(runner) for _ in range(20)]
    soon, late = sum(handled < 0.05 for handled, _ in both), sum(told >= 0.1 for _, told in both)
    print(f"handled within 0.05 s: {soon} of 20; told no sooner than after 0.1 s: {late} of 20")
    All.pause = 0.12
    handled, told = seconds(runner)
    print(f"handled within 0.2 s: {handled < 0.2}; told no sooner than after 0.3 s: {told >= 0.3}")

All.pause = 0.01
with run(Deposits) as runner:
    account = Account()
    account.deposit()
    deposited = runner.app.save(account)[-1].notification.id
    runner.wait(deposited, timeout=10)
    opened = runner.app.save(Account())[-1].notification.id
    try:
        runner.wait(opened, timeout=2)
        outcome = "told"
    except TimeoutError as error:
        outcome = type(error).__name__
    done = runner.view.max_tracking_id("Bank") == deposited
    print(f"an event of no topic of its: {outcome}; all of its topics handled: {done}")
    account.deposit()
    runner.app.save(account)
    runner.wait(opened, timeout=10)
    print("the same, after the next one of its topics: told")
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
handled within 0.05 s: 20 of 20; told no sooner than after 0.1 s: 20 of 20
handled within 0.2 s: True; told no sooner than after 0.3 s: True
an event of no topic of its: TimeoutError; all of its topics handled: True
the same, after the next one of its topics: told
EXPECTED
