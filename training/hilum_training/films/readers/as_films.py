"""Records as the films that recipes divide and learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hilum_training.films.pack import Film

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hilum_training.films.readers.record import FilmRecord

_ADULT: Final = 18


def as_films(records: Iterable[FilmRecord]) -> tuple[Film, ...]:
    """Records as films, in their order; a film of which there is a better copy is left out.

    Films whose published labels say nothing are among them; no panel learns from those.
    """
    kept = tuple(records)
    copied = {record.variant_of for record in kept}
    return tuple(_film(record) for record in kept if record.file not in copied)


def _film(record: FilmRecord) -> Film:
    return Film(
        file=record.file,
        source=record.source.removesuffix("_native"),
        label=record.label,
        group=record.group,
        licence=record.licence,
        licence_flags=frozenset(record.licence_flags),
        variant_of=record.variant_of,
        findings=frozenset(record.findings),
        asked=record.answered,
        view=record.view,
        age=record.age,
        sex=record.sex,
        age_group=record.age_group or _age_group(record.age),
        aspect=record.native_size[0] / record.native_size[1] if record.native_size else None,
    )


def _age_group(age: float | None) -> str:
    if age is None:
        return ""
    return "adult" if age >= _ADULT else "paediatric"
