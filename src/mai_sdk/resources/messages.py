"""Turns what callers pass as a prompt into chat messages, and refuses what could never be sent."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.reply import Reply
from mai_sdk.wire.shapes import as_list, as_object, as_text

__all__ = ["Image", "Message", "Prompt", "build_messages", "image_part", "texts_of"]

Message: TypeAlias = "Mapping[str, Any] | Reply[Any]"
"""A chat message as the OpenAI API shapes it, or a Reply to be carried on."""

Prompt: TypeAlias = "str | Sequence[Message]"
"""A question, or a conversation."""

Image: TypeAlias = "str | Path | bytes"
"""A path, the bytes, or an http(s) or data URL, which the service fetches and we never do."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


def build_messages(
    prompt: Prompt, *, instructions: str | None = None, images: Iterable[Image] = ()
) -> list[dict[str, Any]]:
    """Return the messages for `prompt`, instructions first, images on the last user message.

    Raises:
        InvalidRequest: There is nothing to say, or a message is not one.
    """
    messages = _as_messages(prompt)
    if instructions is not None:
        messages.insert(0, {"role": "system", "content": instructions})
    parts = [image_part(image) for image in images]
    if parts:
        _add_parts(messages, parts)
    return messages


def _as_messages(prompt: Any) -> list[dict[str, Any]]:
    if isinstance(prompt, str):
        if not prompt.strip():
            raise InvalidRequest("The prompt is empty. Pass a question, or a list of messages.")
        return [{"role": "user", "content": prompt}]
    if isinstance(prompt, (Reply, Mapping)):
        raise InvalidRequest("Pass messages as a list, also where there is only one of them.")
    if not isinstance(prompt, Sequence) or isinstance(prompt, (bytes, bytearray)):
        raise InvalidRequest(
            f"The prompt is a {type(prompt).__name__}. Pass a string, or a list of messages such "
            'as {"role": "user", "content": "..."}.'
        )
    messages = cast("Sequence[object]", prompt)
    if not messages:
        raise InvalidRequest("The list of messages is empty. Pass at least one.")
    return [_as_message(message, place) for place, message in enumerate(messages)]


def _as_message(message: object, place: int) -> dict[str, Any]:
    if isinstance(message, Reply):
        return message.message
    if not isinstance(message, Mapping):
        raise InvalidRequest(
            f"Message {place} is a {type(message).__name__}. A message is a mapping with role and "
            "content, or a Reply."
        )
    fields = dict(cast("Mapping[str, Any]", message))
    role, content = fields.get("role"), fields.get("content")
    if not isinstance(role, str) or not role:
        raise InvalidRequest(f'Message {place} has no role. Add for example "role": "user".')
    if content is not None and not isinstance(content, (str, list, tuple)):
        raise InvalidRequest(
            f"The content of message {place} is a {type(content).__name__}. It is a string, or a "
            "list of parts."
        )
    if role == "user" and not content:
        raise InvalidRequest(f"Message {place} is from the user and empty. Say something in it.")
    return fields


def image_part(image: Image) -> dict[str, Any]:
    """Return the content part that carries `image`.

    Raises:
        InvalidRequest: The file is not there, or is not a PNG, JPEG, GIF or WebP image.
    """
    if isinstance(image, str) and image.startswith(("http://", "https://", "data:")):
        return {"type": "image_url", "image_url": {"url": image}}
    if isinstance(image, (bytes, bytearray)):
        data, name = bytes(image), "the image"
    else:
        path = Path(image)
        name = path.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidRequest(f"The image {name} cannot be read: {error.strerror}.") from None
    kind = _image_type(data)
    if kind is None:
        raise InvalidRequest(f"{name} is not a PNG, JPEG, GIF or WebP image by its first bytes.")
    text = base64.b64encode(data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{text}"}}


def _image_type(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)


def _add_parts(messages: list[dict[str, Any]], parts: list[dict[str, Any]]) -> None:
    for message in reversed(messages):
        if message["role"] == "user":
            content = message["content"]
            text = [{"type": "text", "text": content}] if isinstance(content, str) else content
            message["content"] = [*text, *parts]
            return
    raise InvalidRequest("Images belong to a question: add a user message.")


def texts_of(messages: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return every text in the messages: what must not show up in errors, and what is counted."""
    texts: list[str] = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            texts.append(content)
        else:
            found = (as_text(as_object(part).get("text")) for part in as_list(content))
            texts.extend(text for text in found if text)
    return tuple(texts)
