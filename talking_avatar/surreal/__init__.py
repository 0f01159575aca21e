"""Surreal Engine: CG avatars, audio to video, talking photos, speech."""
