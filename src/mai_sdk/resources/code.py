"""`client.code`: questions about code, answered fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mai_sdk.resources.chat import AsyncChat, Chat

if TYPE_CHECKING:
    from mai_sdk.config import Modality

__all__ = ["AsyncCode", "Code"]


class Code(Chat):
    """MAI-Code models, or any chat deployment a route of this modality names."""

    modality: ClassVar[Modality] = "code"


class AsyncCode(AsyncChat):
    """See `Code`."""

    modality: ClassVar[Modality] = "code"
