"""The version, in one place; CHANGELOG.md's newest heading is checked against it."""

__version__ = "0.1.0"
