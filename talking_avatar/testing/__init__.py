"""Tests of code that waits for renders: a virtual clock, and a lab with both services on it.

Half an hour of rendering takes no time: the clock jumps to the next moment anybody waits for as soon as the event loop
has nothing else to do, while real sockets and threads go on in real time.
"""

from talking_avatar.testing.lab import Lab
from talking_avatar.testing.virtual import VirtualClock

__all__ = ["Lab", "VirtualClock"]
