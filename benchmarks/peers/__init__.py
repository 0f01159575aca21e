"""Fifty renders, waited for by released SDKs of comparable services and by this one.

Every subject runs in a process of its own against a loopback fake of its own protocol, also in a process of its own,
and uses the waiting call its documentation names, with its defaults. All fakes share one core: the same render times,
the same limit, the same outage, the same log.
"""

from benchmarks.peers.scenario import main

__all__ = ["main"]
