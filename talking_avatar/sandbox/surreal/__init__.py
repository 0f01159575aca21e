"""Surreal Engine, as its documents and its rate limit describe it."""

from talking_avatar.sandbox.surreal.service import application

__all__ = ["application"]
