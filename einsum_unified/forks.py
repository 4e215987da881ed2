"""Forks wait for what other threads are in the middle of: imports, and blocks that hold a lock.

A lock that another thread holds during a fork stays locked in the child for ever, because that thread does
not exist there. Python's locks of modules are such locks: a child hangs when it imports a module that another
thread was importing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock, get_ident
from typing import TypeVar

T = TypeVar("T")

_LONGEST = 60.0
"""The most seconds that a fork waits; the block may itself wait for the thread that forks."""
_inside: set[int] = set()
"""The threads that are inside a block."""
_gate = RLock()
"""Held while a thread enters a block, and while one forks. It can be entered again by a signal's handler."""


@contextmanager
def forks_wait() -> Iterator[None]:
    """Let forks by other threads wait until the end of the block.

    Several threads can be in such blocks at once, and a fork inside the block itself does not wait.

    >>> with forks_wait():
    ...     import decimal
    """
    thread = get_ident()
    if thread in _inside:  # the outer block ends later
        yield
        return
    with during(_inside, thread):
        with _gate:  # which is held if a fork has begun
            pass
        yield


@contextmanager
def during(members: set[T], member: T) -> Iterator[None]:
    """Keep a member in a set during a block, and not longer if Ctrl-C ends the block."""
    try:
        members.add(member)
        yield
    finally:
        try:
            members.discard(member)
        except KeyboardInterrupt:  # Python 3.10 may raise it before the call
            members.discard(member)
            raise


def _before() -> None:
    end = time.monotonic() + _LONGEST
    _gate.acquire()
    while _inside - {get_ident()} and time.monotonic() < end:
        _gate.release()
        time.sleep(0.001)
        _gate.acquire()


def _after() -> None:
    with suppress(RuntimeError):  # raised if Ctrl-C has ended `_before` while the gate was open
        _gate.release()


def _after_in_child() -> None:
    _inside.intersection_update({get_ident()})  # the other threads do not exist here
    _after()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after_in_child)
