"""Pictures as callers pass them, read and checked: nothing that cannot be one is sent."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast
from urllib.parse import unquote_to_bytes

from mai_sdk.errors import InvalidRequest
from mai_sdk.resources.messages import image_type
from mai_sdk.resources.picture import Images, Picture
from mai_sdk.wire.images import Reference
from mai_sdk.wire.said import clean

__all__ = ["ImageInput", "read_for_chat", "read_references"]

ImageInput: TypeAlias = "str | PathLike[str] | bytes | BinaryIO | Picture | Images"
"""A path, the bytes, an open file, a data URL, or what an earlier call gave back."""

_EDITABLE: Final = {"image/png": "png", "image/jpeg": "jpg"}


def read_references(
    images: ImageInput | Iterable[ImageInput], *, most: int | None
) -> tuple[Reference, ...]:
    """Return the pictures to be edited, at most `most` of them if that is known.

    They go out under names of our own: a file's name is nobody's business.

    Raises:
        InvalidRequest: There is none, there are too many, or one cannot be read or is neither PNG
            nor JPEG.
    """
    listed = _listed(images)
    if most is not None and len(listed) > most:
        raise InvalidRequest(
            f"There are {len(listed)} pictures in images, and the model takes at most {most}."
        )
    references: list[Reference] = []
    for place, image in enumerate(listed, 1):
        if isinstance(image, str) and image.startswith(("http://", "https://")):
            raise InvalidRequest(
                f"Picture {place} is an address. Nothing is fetched for you: download it, and pass "
                "its path or bytes."
            )
        data, name = _read(image, place)
        kind = image_type(data)
        if kind not in _EDITABLE:
            what = f"is {kind}" if kind else "is no picture by its first bytes"
            raise InvalidRequest(f"{name} {what}. Only PNG and JPEG can be edited.")
        filename = f"image-{place}.{_EDITABLE[kind]}"
        references.append(Reference(filename=filename, content_type=kind, data=data))
    return tuple(references)


def read_for_chat(images: ImageInput | Iterable[ImageInput]) -> tuple[str | bytes, ...]:
    """Return the pictures to be asked about: bytes, or the address where that is what it is.

    Raises:
        InvalidRequest: There is none, or one cannot be read.
    """
    read: list[str | bytes] = []
    for place, image in enumerate(_listed(images), 1):
        if isinstance(image, str) and image.startswith(("http://", "https://")):
            read.append(image)
            continue
        data, name = _read(image, place)
        if image_type(data) is None:
            raise InvalidRequest(f"{name} is not a PNG, JPEG, GIF or WebP by its first bytes.")
        read.append(data)
    return tuple(read)


def _listed(images: Any) -> list[Any]:
    """Return one picture each, those of an earlier call one by one."""
    listed: list[Any] = []
    for image in _given(images):
        listed.extend(image.images if isinstance(image, Images) else [image])
    if not listed:
        raise InvalidRequest("images is empty. Pass at least one picture.")
    return listed


def _given(images: Any) -> list[Any]:
    """Return the list; one alone is taken for one, an open file too, which could be iterated."""
    if _is_one(images):
        return [images]
    if _is_many(images):
        return list(images)
    raise InvalidRequest(
        f"images is a {type(images).__name__}. Pass paths, bytes, open files or earlier pictures "
        "in a list."
    )


def _is_one(images: object) -> bool:
    kinds = (str, PathLike, bytes, bytearray, memoryview, Picture, Images)
    return isinstance(images, kinds) or hasattr(images, "read")


def _is_many(images: object) -> bool:
    return isinstance(images, Iterable) and not isinstance(images, Mapping)


def _read(image: Any, place: int) -> tuple[bytes, str]:
    """Return the bytes of one picture and what to call it in an error."""
    name = f"Picture {place}"
    if isinstance(image, Picture):
        data = image.data
    elif isinstance(image, (bytes, bytearray, memoryview)):
        data = bytes(cast("bytes", image))
    elif isinstance(image, str) and image.startswith("data:"):
        data = _from_data_url(image, name)
    elif isinstance(image, (str, PathLike)):
        path = Path(fspath(cast("PathLike[str]", image)))
        name = f"{name} ({clean(path.name, limit=80)})"
        data = _from_file(path, name)
    elif callable(getattr(image, "read", None)):
        data = image.read()
        if not isinstance(data, bytes):
            raise InvalidRequest(f'{name} is a file of text. Open it with "rb".')
    else:
        raise InvalidRequest(
            f"{name} is a {type(image).__name__}. Pass a path, the bytes, an open file, a data URL "
            "or an earlier picture."
        )
    if not data:
        raise InvalidRequest(f"{name} is empty: there are no bytes in it.")
    return data, name


def _from_file(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise InvalidRequest(f"{name} is a folder. Pass the files in it that you mean.")
        if path.exists() and not path.is_file():
            raise InvalidRequest(f"{name} is no ordinary file.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL, or what no file name can hold
        if isinstance(error, InvalidRequest):
            raise
        why = (isinstance(error, OSError) and error.strerror) or "that is no path"
        raise InvalidRequest(f"{name} cannot be read: {why}.") from None


def _from_data_url(url: str, name: str) -> bytes:
    """RFC 2397: `data:image/png;base64,...`, or percent-encoded without `;base64`."""
    head, comma, text = url.partition(",")
    if not comma:
        raise InvalidRequest(f"{name} is a data URL without a comma, so without any data.")
    data = unquote_to_bytes(text)
    if not head.lower().endswith(";base64"):
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except ValueError:
        raise InvalidRequest(f"{name} is a data URL whose data is not base64.") from None
