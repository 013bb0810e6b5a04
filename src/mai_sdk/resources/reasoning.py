"""`client.reasoning`: questions that want thought."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mai_sdk.resources.chat import AsyncChat, Chat

if TYPE_CHECKING:
    from mai_sdk.config import Modality

__all__ = ["AsyncReasoning", "Reasoning"]


class Reasoning(Chat):
    """MAI-Thinking-1 on Foundry, MAI-DS-R1 on a vLLM of one's own, or any chat deployment."""

    modality: ClassVar[Modality] = "reasoning"


class AsyncReasoning(AsyncChat):
    """See `Reasoning`."""

    modality: ClassVar[Modality] = "reasoning"
