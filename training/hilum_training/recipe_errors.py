"""What is wrong with a recipe."""

from __future__ import annotations


class InvalidRecipe(ValueError):
    """The recipe lacks a key, has one too many, or its parts do not fit."""


class RecipeMissing(RuntimeError):
    """No recipe of this name, and none that trains such a panel."""
