"""JSON objects of a live session, read into and written from frozen dataclasses. No I/O.

The fields of the class say what the object may hold, so that sixty events need no sixty parsers.
Nothing is lost: what has no field, or another kind than its field says, is kept in `extra`.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints_of

from pydantic_core import CoreConfig, SchemaValidator
from pydantic_core.core_schema import bytes_schema

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Part", "Unfit", "read_part", "write_part"]

PartT = TypeVar("PartT", bound="Part")


class Unfit(ValueError):
    """The object lacks a field it cannot do without, or has one of another kind; says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A JSON object: the fields it is known to have, and whatever else came with it."""

    extra: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """What the object had beside its fields, as received; written back when it is sent."""


def read_part(kind: type[PartT], raw: dict[str, Any]) -> PartT:
    """Return `raw` as a `kind`; null is as good as absent, and `raw` is left as it is.

    Raises:
        Unfit: A field without a default is absent or not of its kind.
    """
    shape = _SHAPES.get(kind) or _shape_of(kind)
    part = object.__new__(kind)
    known, misfits = shape.tagged, None
    for name, put, exact, convert, default in shape.fields:
        value = raw.get(name)
        if value.__class__ is exact:
            known += 1
        elif value is None:
            if default is MISSING:
                raise Unfit(f"{name} is missing")
            known += name in raw
            value = default
        else:
            try:
                value = convert(value)
                known += 1
            except Unfit:
                if default is MISSING:
                    raise Unfit(f"{name} is not {shape.kinds[name]}") from None
                misfits = {*(misfits or ()), name}
                value = default
        put(part, value)
    shape.put_extra(part, {} if known == len(raw) else _rest(raw, shape.names, misfits or set()))
    return part


def write_part(part: Part) -> dict[str, Any]:
    """Return the JSON object; a field that is None is left out, `extra` goes in last."""
    values: dict[str, Any] = {}
    for name in (_SHAPES.get(type(part)) or _shape_of(type(part))).kinds:
        value = getattr(part, name)
        if value is not None:
            values[name] = _plain(value)
    return {**values, **part.extra}


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return write_part(value)
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    if value.__class__ is tuple:
        return [_plain(entry) for entry in value]
    return value


def _rest(raw: dict[str, Any], names: frozenset[str], misfits: set[str]) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name not in names or name in misfits}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What reading needs of a class, looked up once."""

    fields: tuple[tuple[str, Callable[..., None], Any, Callable[[Any], Any], Any], ...]
    """Name, slot, class that needs no conversion, conversion, default."""
    kinds: dict[str, str]
    names: frozenset[str]
    tagged: int
    """1 if the object's `type` is the class itself and so needs no field, else 0."""
    put_extra: Callable[..., None]


_NEVER: Final = object()
_BASE64: Final = SchemaValidator(bytes_schema(), CoreConfig(val_json_bytes="base64"))
"""Reads base64 out of JSON, in a third of the time that `binascii` takes."""


_SHAPES: Final[dict[Any, _Shape]] = {}


def _shape_of(kind: Any) -> _Shape:
    hints = hints_of(kind)
    read: list[tuple[str, Callable[..., None], Any, Callable[[Any], Any], Any]] = []
    kinds: dict[str, str] = {}
    for entry in fields(kind):
        if entry.name == "extra":
            continue
        wanted = tuple(arm for arm in _arms(hints[entry.name]) if arm is not type(None))
        exact = wanted[0] if wanted[0] in (str, int, float, bool) else get_origin(wanted[0])
        read.append(
            (
                entry.name,
                _slot(kind, entry.name),
                exact if exact in (str, int, float, bool, dict, list) else _NEVER,
                _converter(wanted),
                entry.default,
            )
        )
        kinds[entry.name] = " or ".join(
            _SAID.get(get_origin(arm) or arm, "such an object") for arm in wanted
        )
    tagged = "type" not in kinds and hasattr(kind, "type")
    shape = _SHAPES[kind] = _Shape(
        fields=tuple(read),
        kinds=kinds,
        names=frozenset([*kinds, "type"] if tagged else kinds),
        tagged=int(tagged),
        put_extra=_slot(kind, "extra"),
    )
    return shape


def _slot(kind: type[Part], name: str) -> Callable[..., None]:
    """Return what sets the slot of a frozen instance that is still being made."""
    put: Callable[..., None] = getattr(kind, name).__set__
    return put


_SAID: Final[dict[Any, str]] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
    bytes: "base64", dict: "an object", list: "a list", tuple: "a list",
}  # fmt: skip


def _arms(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _converter(wanted: tuple[Any, ...]) -> Callable[[Any], Any]:
    readers = [_READERS.get(get_origin(arm) or arm) or _nested(arm) for arm in wanted]
    if len(readers) == 1:
        return readers[0]

    def convert(value: Any) -> Any:
        for reader in readers:
            try:
                return reader(value)
            except Unfit:
                continue
        raise Unfit

    return convert


def _nested(arm: Any) -> Callable[[Any], Any]:
    if get_origin(arm) is tuple:
        return lambda value: tuple(
            _part(get_args(arm)[0], entry) for entry in _instance(value, list)
        )
    return lambda value: _part(arm, value)


def _part(kind: Any, value: Any) -> Any:
    return read_part(kind, _instance(value, dict))


def _instance(value: Any, kind: Any) -> Any:
    if value.__class__ is not kind:
        raise Unfit
    return value


def _whole(value: Any) -> int:
    if value.__class__ is float and value.is_integer():
        return int(value)
    whole: int = _instance(value, int)
    return whole


def _number(value: Any) -> float:
    try:
        return float(value) if value.__class__ is int else _instance(value, float)
    except OverflowError:
        raise Unfit from None


def _decoded(value: Any) -> bytes:
    text: str = _instance(value, str)
    if len(text) % 4 or "\\" in text:
        raise Unfit
    try:
        decoded: bytes = _BASE64.validate_json(f'"{text}"')
    except ValueError:
        return _decoded_slowly(text)
    return decoded


def _decoded_slowly(text: str) -> bytes:
    """Return what text whose last bits are not 0 says, too: no encoder should write it so."""
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Unfit from None


_READERS: Final[dict[Any, Callable[[Any], Any]]] = {
    Any: lambda value: value,
    str: lambda value: _instance(value, str),
    int: _whole,
    float: _number,
    bool: lambda value: _instance(value, bool),
    bytes: _decoded,
    dict: lambda value: _instance(value, dict),
    list: lambda value: _instance(value, list),
}
