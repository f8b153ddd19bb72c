"""The report's numbers, as plain data: what ``data.json`` holds and figures and text show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hilum_training.data_report.confounding import class_by_source, source_by_histogram
from hilum_training.data_report.survey import GREY_BINS, STANDARD_BINS, by_source
from hilum_training.films.readers.as_films import as_films
from hilum_training.films.readers.check import torn_groups
from hilum_training.films.split import SPLITS
from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hilum_training.data_report.survey import Survey
    from hilum_training.films.readers.record import FilmRecord

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
DECADES: Final = tuple(range(0, 100, 10))


def gather_facts(survey: Survey) -> dict[str, Any]:
    """Every number of the report; keys are the headings of the text."""
    return {
        "films": _totals(survey),
        "commonest_source": _commonest_source(survey),
        "class_by_source": _counted(survey.records, _source, _kind),
        "used_by_source": _counted(survey.used, _source, _kind),
        "patients": _patients(survey),
        "splits": _splits(survey),
        "published_splits": _counted(survey.records, _source, lambda r: r.split or "not stated"),
        "findings": dict(_sorted(Counter(f for r in survey.used for f in r.findings))),
        "views": _counted(survey.used, _source, lambda r: r.view or "not stated"),
        "sexes": _counted(survey.used, _source, lambda r: r.sex or "not stated"),
        "ages": _counted(survey.used, _source, _decade),
        "sizes": _sizes(survey),
        "intensity": _intensity(survey),
        "confounding": _confounding(survey),
        "masks": _masks(survey.records),
        "boxes": _counted_boxes(survey.records),
        "licences": _licences(survey.used),
    }


def _source(record: FilmRecord) -> str:
    return record.source


def _kind(record: FilmRecord) -> str:
    return record.label.partition(":")[0] or "not stated"


def _decade(record: FilmRecord) -> str:
    if record.age is None:
        return record.age_group or "not stated"
    start = DECADES[min(int(record.age // 10), len(DECADES) - 1)]
    return f"{start}-{start + 9}" if start < DECADES[-1] else f"{start} and over"


def _sorted(counts: Counter[str]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items())


def _counted(
    records: Sequence[FilmRecord],
    row: Callable[[FilmRecord], str],
    column: Callable[[FilmRecord], str],
) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(row(record), Counter())[column(record)] += 1
    return {name: dict(_sorted(found)) for name, found in sorted(counts.items())}


def _totals(survey: Survey) -> dict[str, int]:
    return {
        "images": len(survey.records),
        "films": len(survey.used),
        "copies_left_out": len(survey.records) - len(survey.used),
        "patient_groups": len({record.group for record in survey.used}),
        "patient_clusters": len(set(survey.clusters.values())),
        "torn_groups": len(torn_groups(survey.records)),
    }


def _commonest_source(survey: Survey) -> dict[str, dict[str, Any]]:
    """Class -> the source that most of its films come from; copies count under what they copy."""
    sources: dict[str, Counter[str]] = {}
    for film in as_films(survey.records):
        sources.setdefault(recorded_kind(film), Counter())[film.source] += 1
    found = {}
    for kind, counts in sorted(sources.items()):
        source, most = min(counts.items(), key=lambda item: (-item[1], item[0]))
        total = sum(counts.values())
        found[kind] = {"films": total, "source": source, "share": round(most / total, 4)}
    return found


def _patients(survey: Survey) -> dict[str, dict[str, int]]:
    found = {}
    for source in sorted({record.source for record in survey.used}):
        groups = Counter(record.group for record in survey.used if record.source == source)
        found[source] = {
            "patients": len(groups),
            "films": sum(groups.values()),
            "most_films_of_one": max(groups.values()),
        }
    return found


def _splits(survey: Survey) -> dict[str, Any]:
    films = [(survey.splits[r.file], survey.clusters[r.file], r) for r in survey.used]
    return {
        "films": {
            split: dict(_sorted(Counter(_kind(r) for at, _, r in films if at == split)))
            for split in SPLITS
        },
        "clusters": {
            split: len({cluster for at, cluster, _ in films if at == split}) for split in SPLITS
        },
        "by_source": {
            source: {
                split: sum(at == split and r.source == source for at, _, r in films)
                for split in SPLITS
            }
            for source in sorted({r.source for r in survey.used})
        },
    }


def _quantiles(values: Sequence[float]) -> list[float]:
    return [round(float(value), 3) for value in np.quantile(values, QUANTILES)]


def _sizes(survey: Survey) -> dict[str, Any]:
    found = {}
    for source, indexes in by_source(survey.records).items():
        sizes = [survey.records[i].native_size or survey.pixels[i].size for i in indexes]
        found[source] = {
            "width": _quantiles([width for width, _ in sizes]),
            "height": _quantiles([height for _, height in sizes]),
            "aspect": _quantiles([width / height for width, height in sizes]),
            "aspect_by_class": {
                kind: _quantiles(
                    [
                        width / height
                        for (width, height), i in zip(sizes, indexes, strict=True)
                        if _kind(survey.records[i]) == kind
                    ]
                )
                for kind in sorted({_kind(survey.records[i]) for i in indexes})
            },
        }
    return found


def _intensity(survey: Survey) -> dict[str, Any]:
    sources = {}
    for source, indexes in by_source(survey.records).items():
        part = [survey.pixels[i] for i in indexes]
        sources[source] = {
            "mean": _quantiles([pixels.mean for pixels in part]),
            "deviation": _quantiles([pixels.deviation for pixels in part]),
            "grey": _mean([pixels.grey for pixels in part]),
            "standard": _mean([pixels.standard for pixels in part]),
        }
    return {
        "grey_bins": GREY_BINS.tolist(),
        "standard_bins": STANDARD_BINS.tolist(),
        "sources": sources,
    }


def _mean(histograms: Sequence[Any]) -> list[float]:
    return [round(float(share), 6) for share in np.mean(histograms, axis=0)]


def _confounding(survey: Survey) -> dict[str, float | None]:
    at = {record.file: index for index, record in enumerate(survey.records)}
    films = as_films(survey.records)
    pixels = [survey.pixels[at[film.file]] for film in films]
    sources = [film.source for film in films]
    clusters = [survey.clusters[film.file] for film in films]
    found: dict[str, float | None] = dict(class_by_source(films))
    found["source_by_grey_histogram"] = source_by_histogram(
        np.array([p.grey for p in pixels]), sources, clusters
    )
    found["source_by_standardised_histogram"] = source_by_histogram(
        np.array([p.standard for p in pixels]), sources, clusters
    )
    found["source_by_chance"] = 1 / len(set(sources))
    return {name: value if value is None else round(value, 4) for name, value in found.items()}


def _masks(records: Sequence[FilmRecord]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for mask in record.masks:
            counts.setdefault(record.source, Counter())[
                f"{mask.kind}, {mask.convention}" if mask.convention else mask.kind
            ] += 1
    return {source: dict(_sorted(found)) for source, found in sorted(counts.items())}


def _counted_boxes(records: Sequence[FilmRecord]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for record in records:
        for box in record.boxes:
            counts.setdefault(record.source, Counter())[box.label] += 1
    return {source: dict(_sorted(found)) for source, found in sorted(counts.items())}


def _licences(records: Sequence[FilmRecord]) -> list[dict[str, Any]]:
    rows = Counter((r.source, r.licence, ", ".join(r.licence_flags)) for r in records)
    return [
        {"source": key[0], "licence": key[1], "flags": key[2], "films": n}
        for key, n in sorted(rows.items())
    ]
