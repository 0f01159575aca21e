"""Asyncio SDK and job watcher for talking-head renders on Surreal Engine and Akool."""

__version__ = "0.1.0"
