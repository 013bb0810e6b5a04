"""Turns what callers pass as a prompt into chat messages, and refuses what could never be sent."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.reply import Reply
from mai_sdk.wire.said import clean

__all__ = [
    "Image",
    "Message",
    "Prompt",
    "as_images",
    "build_messages",
    "image_part",
    "texts_of",
]

Message: TypeAlias = "Mapping[str, Any] | Reply[Any]"
"""A chat message as the OpenAI API shapes it, or a Reply to be carried on."""

Prompt: TypeAlias = "str | Sequence[Message] | list[object]"
"""A question, or a conversation. `list[object]` is what mypy takes a list of mappings and replies
for; every entry must be a Message all the same."""

Image: TypeAlias = "str | Path | bytes"
"""A path, the bytes, or an http(s) or data URL, which the service fetches and we never do."""

_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}

# Fields of messages whose values are words of the API and ids, not what somebody said.
_NO_TEXT = frozenset({"role", "type", "id", "call_id", "tool_call_id", "name", "model", "detail"})


def build_messages(
    prompt: Prompt, *, instructions: str | None = None, images: Image | Iterable[Image] = ()
) -> list[dict[str, Any]]:
    """Return the messages for `prompt`, instructions first, images on the last user message.

    Raises:
        InvalidRequest: There is nothing to say, or a message is not one.
    """
    messages = _as_messages(prompt)
    system: Any = instructions
    if system is not None:
        if not isinstance(system, str):
            raise InvalidRequest(f"instructions is a {type(system).__name__}. Pass text.")
        messages.insert(0, {"role": "system", "content": system})
    if images:
        _add_parts(messages, [image_part(image) for image in as_images(images)])
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
        if not message.message:
            raise InvalidRequest(f"Message {place} is a Reply that holds no message to go back.")
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
    if content is not None and not isinstance(content, str):
        content = fields["content"] = _mappings(content, f"The content of message {place}")
    if role == "user" and _is_blank(content):
        raise InvalidRequest(f"Message {place} is from the user and empty. Say something in it.")
    if content is None and role in {"system", "developer", "tool"}:
        raise InvalidRequest(f"Message {place} ({role}) has no content. Only an answer may.")
    if fields.get("tool_calls") is not None:
        calls = _mappings(fields["tool_calls"], f"The field tool_calls of message {place}")
        fields["tool_calls"] = calls
    return fields


def _mappings(value: object, what: str) -> list[dict[str, Any]]:
    """Return `value`, a list or tuple of mappings, as a list of dicts."""
    if not isinstance(value, (list, tuple)):
        raise InvalidRequest(
            f"{what} is a {type(value).__name__}. It must be a list of mappings, or for a content "
            "a string."
        )
    parts = cast("Sequence[object]", value)
    for part in parts:
        if not isinstance(part, Mapping):
            raise InvalidRequest(
                f"{what} has a {type(part).__name__} in its list. Every part is a mapping such as "
                '{"type": "text", "text": "..."}.'
            )
    return [dict(cast("Mapping[str, Any]", part)) for part in parts]


def _is_blank(content: str | list[dict[str, Any]] | None) -> bool:
    """Whether nothing is said: no character but white space, and no part but text."""
    if content is None or isinstance(content, str):
        return not (content or "").strip()
    return all(
        part.get("type") == "text" and not str(part.get("text") or "").strip() for part in content
    )


def as_images(images: Any) -> tuple[Image, ...]:
    """Return the images as they were passed, checked for their types; one alone is taken for one.

    Raises:
        InvalidRequest: One is neither a path, nor bytes, nor a URL.
    """
    if images is None or images == ():
        return ()
    kind = type(images).__name__
    if isinstance(images, (str, Path, bytes, bytearray)):
        return (cast("Image", images),)
    if isinstance(images, Mapping) or not isinstance(images, Iterable):
        raise InvalidRequest(f"images is a {kind}. Pass paths, bytes or URLs in a list.")
    listed = _listed(images)
    for place, image in enumerate(listed):
        if not isinstance(image, (str, Path, bytes, bytearray)):
            raise InvalidRequest(
                f"Image {place} is a {type(image).__name__}. Pass a path, the bytes, or a URL."
            )
    return listed


def _listed(values: Any) -> tuple[Any, ...]:
    return tuple(values)


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
        name = clean(path.name, limit=80)
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL, or what no file name can hold
            why = (isinstance(error, OSError) and error.strerror) or "that is no path"
            raise InvalidRequest(f"The image {name} cannot be read: {why}.") from None
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
        if message.get("role") == "user":
            content = message["content"]
            text = [{"type": "text", "text": content}] if isinstance(content, str) else content
            message["content"] = [*text, *parts]
            return
    raise InvalidRequest("Images belong to a question: add a user message.")


def texts_of(messages: Sequence[Any]) -> tuple[str, ...]:
    """Return every text in the messages: what must not show up in errors, and what is counted.

    That is each string at any depth (parts, tool calls' arguments, fields this version does not
    know) but for roles, types, ids, names, and the data of images, which is no text. Any other
    JSON value may stand beside the messages.
    """
    texts: list[str] = []
    left: list[Any] = [messages]
    seen: set[int] = set()
    while left:
        value = left.pop()
        if isinstance(value, str):
            if not value.startswith("data:"):
                texts.append(value)
        elif id(value) in seen:  # a value that holds itself is refused when it is written as JSON
            continue
        elif value.__class__ is list or _is_list(value):
            seen.add(id(value))
            left.extend(value)
        elif value.__class__ is dict or _is_mapping(value):
            seen.add(id(value))
            for name, inner in value.items():
                if name not in _NO_TEXT:
                    left.append(inner)
    texts.reverse()
    return tuple(texts)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))
