"""A local stand-in for Surreal Engine and Akool that really renders, and goes wrong when it is told to."""

from talking_avatar.sandbox.app import Sandbox
from talking_avatar.sandbox.engine import Failure, Lognormal, Stage
from talking_avatar.sandbox.faults import Fault, FaultRule, Faults
from talking_avatar.sandbox.ledger import Job
from talking_avatar.sandbox.observation import RequestLog, RequestSeen

__all__ = [
    "Failure",
    "Fault",
    "FaultRule",
    "Faults",
    "Job",
    "Lognormal",
    "RequestLog",
    "RequestSeen",
    "Sandbox",
    "Stage",
]
