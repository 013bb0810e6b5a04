"""One typed client for Microsoft's MAI models, every call priced.

Names load on first use: `import mai_sdk` opens nothing and imports almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mai_sdk._version import __version__

if TYPE_CHECKING:
    from mai_sdk.catalog import Catalog, Model
    from mai_sdk.client import MAI, AsyncMAI
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.engine.telemetry import Telemetry
    from mai_sdk.metering.budget import Budget
    from mai_sdk.metering.cost import Cost
    from mai_sdk.metering.receipt import Receipt
    from mai_sdk.metering.report import Report
    from mai_sdk.metering.usage import Usage
    from mai_sdk.resources.picture import Images, Picture
    from mai_sdk.resources.reply import Reply
    from mai_sdk.resources.speech import Speech
    from mai_sdk.resources.tools import Tool, tool_result
    from mai_sdk.resources.transcript import Segment, Transcript, Word
    from mai_sdk.wire.events import (
        Finished,
        ReasoningDelta,
        TextDelta,
        ToolCall,
        Unrecognised,
    )
    from mai_sdk.wire.speech_events import (
        AudioChunk,
        Bookmark,
        SentenceBoundary,
        SpeechEnd,
        Viseme,
        WordBoundary,
    )
    from mai_sdk.wire.ssml import SSML

__all__ = [
    "MAI",
    "SSML",
    "AsyncMAI",
    "AudioChunk",
    "Bookmark",
    "Budget",
    "Catalog",
    "Cost",
    "Finished",
    "Images",
    "Model",
    "Picture",
    "ReasoningDelta",
    "Receipt",
    "Reply",
    "Report",
    "Route",
    "Segment",
    "SentenceBoundary",
    "Speech",
    "SpeechEnd",
    "Telemetry",
    "TextDelta",
    "Timeouts",
    "Tool",
    "ToolCall",
    "Transcript",
    "Unrecognised",
    "Usage",
    "Viseme",
    "Word",
    "WordBoundary",
    "__version__",
    "tool_result",
]

_HOMES = {
    "mai_sdk.catalog": ("Catalog", "Model"),
    "mai_sdk.client": ("MAI", "AsyncMAI"),
    "mai_sdk.config": ("Route", "Timeouts"),
    "mai_sdk.metering.budget": ("Budget",),
    "mai_sdk.engine.telemetry": ("Telemetry",),
    "mai_sdk.metering.cost": ("Cost",),
    "mai_sdk.metering.receipt": ("Receipt",),
    "mai_sdk.metering.report": ("Report",),
    "mai_sdk.metering.usage": ("Usage",),
    "mai_sdk.resources.picture": ("Images", "Picture"),
    "mai_sdk.resources.reply": ("Reply",),
    "mai_sdk.resources.speech": ("Speech",),
    "mai_sdk.resources.tools": ("Tool", "tool_result"),
    "mai_sdk.resources.transcript": ("Segment", "Transcript", "Word"),
    "mai_sdk.wire.events": (
        "Finished",
        "ReasoningDelta",
        "TextDelta",
        "ToolCall",
        "Unrecognised",
    ),
    "mai_sdk.wire.speech_events": (
        "AudioChunk",
        "Bookmark",
        "SentenceBoundary",
        "SpeechEnd",
        "Viseme",
        "WordBoundary",
    ),
    "mai_sdk.wire.ssml": ("SSML",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'mai_sdk' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
