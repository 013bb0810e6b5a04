"""What exists: every MAI model that is publicly known, as dated claims with their sources."""

from mai_sdk.catalog.catalog import Catalog
from mai_sdk.catalog.model import (
    Capability,
    Claim,
    Limit,
    Model,
    RateLimit,
    Stage,
    Status,
    Weights,
)
from mai_sdk.catalog.voice import KnownVoice

__all__ = [
    "Capability",
    "Catalog",
    "Claim",
    "KnownVoice",
    "Limit",
    "Model",
    "RateLimit",
    "Stage",
    "Status",
    "Weights",
]
