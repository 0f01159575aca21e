"""Akool, as its documents and its own clients describe it."""

from talking_avatar.sandbox.akool.service import application

__all__ = ["application"]
