"""The last chunk of a streamed chat completion, which has the usage and no choice. No I/O.

It comes only if it is asked for (`stream_options.include_usage`). Code that did not ask for it may
not be ready for a chunk without choices, so where we asked in its place, it does not see it.
"""

from __future__ import annotations

import re

from mai_sdk.wire.shapes import as_object, parsed
from mai_sdk.wire.sse import MAX_BYTES, SSEDecoder

__all__ = ["UsageChunkHider"]

_EVENT_END = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")


class UsageChunkHider:
    """Takes the bytes of a stream and gives them back, whole events at a time, without that chunk.

    Every other byte is given back as it came. An event larger than any we read is not looked at.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what of the events these bytes complete is to be seen."""
        self._held += data
        shown: list[bytes] = []
        begin = 0
        for end in _EVENT_END.finditer(self._held):
            event = self._held[begin : end.end()]
            begin = end.end()
            if not _is_usage_chunk(event):
                shown.append(event)
        self._held = self._held[begin:]
        if len(self._held) > MAX_BYTES:
            return b"".join(shown) + self.close()
        return b"".join(shown)

    def close(self) -> bytes:
        """Return what was held back, now that no more comes: an event without its end."""
        rest, self._held = self._held, b""
        return rest


def _is_usage_chunk(event: bytes) -> bool:
    if b'"usage"' not in event or b'"choices"' not in event:
        return False
    for text, _ in SSEDecoder().feed(event):
        chunk = as_object(parsed(text.encode()))
        if chunk.get("choices") == [] and as_object(chunk.get("usage")):
            return True
    return False
