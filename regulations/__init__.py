"""The rules as data. Every figure carries the article it rests on; a ruling names every article that speaks."""

from regulations.model import Article, Basis, Limit, Profile, Ruling, Strength, allowed, combined, refused
from regulations.overrides import overridden
from regulations.profile import ProfileError, parse_profile

__all__ = [
    "Article", "Basis", "Limit", "Profile", "ProfileError", "Ruling", "Strength", "allowed", "combined", "overridden",
    "parse_profile", "refused",
]  # fmt: skip
