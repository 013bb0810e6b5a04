"""The catalog: `models.toml`, read once, with the user's own file laid over it.

It is a memory, not a gate: a name it does not know may be used everywhere.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from mai_sdk.catalog.model import Model
from mai_sdk.catalog.voice import KnownVoice, known_voices
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.config.route import Modality

__all__ = ["Catalog"]

_Table = dict[str, Any]

_KEYED = {
    "status": "stage",
    "limits": "name",
    "rates": "name",
    "capabilities": "name",
    "architecture": None,
}
"""The lists of rows, and by what an overlay's rows take the place of packaged ones (None: all)."""


class Catalog:
    """The models that are known, by name."""

    __slots__ = ("_by_name", "_models")

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = tuple(models)
        self._by_name: dict[str, Model] = {}
        for model in self._models:
            repo = (model.weights.repo,) if model.weights is not None else ()
            for name in (model.name, *model.aliases, *repo):
                self._by_name.setdefault(name.casefold(), model)

    @classmethod
    def load(cls, *, overlay: Path | str | Mapping[str, Any] | None = None) -> Catalog:
        """Return the packaged models, read once a process, with `overlay` laid over them.

        Args:
            overlay: A TOML file of the same form as the packaged one, or its content. A model
                with a new name is added. For a known one, plain fields replace the packaged ones;
                a row of `status`, `limits`, `rates` or `capabilities` replaces every packaged row
                of the same stage or name and leaves the others. Each row needs `source` and
                `checked` (or `checked` at the top).

        Raises:
            ConfigurationError: The overlay cannot be read, or a row in it is not of that form.
        """
        if overlay is None:
            return _packaged()
        if isinstance(overlay, (str, Path)):
            return _overlaid(_read(Path(overlay)), str(overlay))
        return _overlaid(overlay, "the overlay given")

    def get(self, name: str) -> Model | None:
        """Return the model of that name, alias or weights repository, in any case, or None."""
        return self._by_name.get(name.casefold())

    def models(self, modality: Modality | None = None) -> tuple[Model, ...]:
        """Return the models of one kind of work, or all, in the order of the file."""
        return tuple(m for m in self._models if modality is None or m.modality == modality)

    def voices(
        self, *, locale: str | None = None, model: str | None = None
    ) -> tuple[KnownVoice, ...]:
        """Return the voices that are known offline, each row with its source and date.

        Args:
            locale: Only of this locale, "en-US", or language, "en".
            model: Only those listed for this model.
        """
        known = self.get(model) if model is not None else None
        name = known.name if known is not None else model
        return tuple(
            voice
            for voice in known_voices()
            if (locale is None or f"{voice.locale}-".casefold().startswith(f"{locale}-".casefold()))
            and (name is None or name in voice.models)
        )

    def suggest(self, name: str) -> list[str]:
        """Return up to three known names that look like `name`, the closest first."""
        close = get_close_matches(name.casefold(), self._by_name, n=6, cutoff=0.6)
        return list(dict.fromkeys(self._by_name[key].name for key in close))[:3]


@cache
def _packaged() -> Catalog:
    return Catalog(_models(_packaged_tables(), "models.toml"))


@cache
def _packaged_tables() -> dict[str, _Table]:
    # Not importlib.resources: importing it takes longer than reading the file.
    text = Path(__file__).with_name("models.toml").read_text(encoding="utf-8")
    return _tables(tomllib.loads(text))


def _read(path: Path) -> _Table:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The model overlay {path} cannot be read: {error}.") from error


def _overlaid(content: Mapping[str, Any], origin: str) -> Catalog:
    try:
        laid_over = _tables(content)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"{origin} is no model overlay: it needs [[model]] tables, each with a name, and rows "
            f"that are tables."
        ) from error
    tables = dict(_packaged_tables())
    known = {name.casefold(): name for name in tables}
    for name, table in laid_over.items():
        packaged = known.get(name.casefold(), name)
        tables[packaged] = _merge(tables.get(packaged, {}), table)
    return Catalog(_models(tables, origin))


def _tables(content: Mapping[str, Any]) -> dict[str, _Table]:
    """The models by name, each row with its source spelt out and the day it was checked."""
    sources: Mapping[str, str] = content.get("sources", {})
    checked = content.get("checked")

    def complete(row: Mapping[str, Any]) -> _Table:
        full = {"checked": checked} if checked is not None else {}
        full.update(row)
        full["source"] = sources.get(full.get("source", ""), full.get("source"))
        return full

    tables: dict[str, _Table] = {}
    for model in content.get("model", ()):
        table = dict(model)
        for key in _KEYED.keys() & table.keys():
            table[key] = [complete(row) for row in table[key]]
        if "weights" in table:
            table["weights"] = complete(table["weights"])
        tables[table["name"]] = table
    return tables


def _merge(packaged: _Table, table: _Table) -> _Table:
    merged = {**packaged, **table, "name": packaged.get("name", table["name"])}
    for rows, key in _KEYED.items():
        if rows in packaged and rows in table and key is not None:
            replaced = {row.get(key) for row in table[rows]}
            kept = [row for row in packaged[rows] if row[key] not in replaced]
            merged[rows] = [*kept, *table[rows]]
    return merged


def _models(tables: Mapping[str, _Table], origin: str) -> Iterable[Model]:
    for name, table in tables.items():
        fields = dict(table)
        fields["statuses"] = fields.pop("status", ())
        given = cast("dict[str, str]", fields.get("deployments", {}))
        fields["deployments"] = {s: name for s in fields.get("surfaces", ()) if s != "vllm"} | given
        try:
            yield Model.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(
                f"The model {name} in {origin} cannot be used: {where}: {first['msg']}."
            ) from error
