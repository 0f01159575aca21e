"""Faces for other frameworks."""
