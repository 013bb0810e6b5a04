"""A request's body as it comes in: kept in memory up to a size, and beyond that on disk.

The journal keeps its size, its SHA-256 and its first bytes; a handler that reads large bodies has
them all in `Request.content`.
"""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from typing import TYPE_CHECKING, Any, Final

from mai_sdk.emulator.request import Request

if TYPE_CHECKING:
    from mai_sdk.emulator.delivery import Receive, Scope

__all__ = ["IN_MEMORY", "take_in"]

IN_MEMORY: Final = 32 * 1024 * 1024
"""Bytes; a larger body goes to disk, and only its first `FIRST` bytes are `Request.body`."""
_FIRST: Final = 64 * 1024


async def take_in(scope: Scope, receive: Receive) -> Request:
    """Return the request once all of its body is there, or its client has left.

    `close` it when it is answered.
    """
    digest, size = hashlib.sha256(), 0
    pieces: list[bytes] = []
    file: Any = None
    while True:
        message = await receive()
        cut = message["type"] == "http.disconnect"
        data: bytes = message.get("body", b"")
        digest.update(data)
        size += len(data)
        if file is not None:
            file.write(data)
        elif size > IN_MEMORY:
            file = tempfile.TemporaryFile(prefix="mai-")  # noqa: SIM115 - lives with the request
            file.writelines([*pieces, data])
            pieces.clear()
        else:
            pieces.append(data)
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    request = Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"".join(pieces),
        size=size,
        sha256=digest.hexdigest(),
        cut=cut,
    )
    if file is not None:
        file.flush()
        request.spooled = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        file.close()  # the pages stay in reach; nothing is left on disk when they are let go
        request.body = request.spooled[:_FIRST]
    return request
