"""Recordings on disk: found, mended, hashed. What they are worth is decided in recordings/."""
