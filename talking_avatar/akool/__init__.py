"""Akool: talking avatars, avatars, voices."""
