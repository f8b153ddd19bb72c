"""Train, validation and test films, divided by patient, and the check that nothing leaks."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from hilum_training.films.fingerprint import near_duplicates
from hilum_training.films.targets import recorded_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum_training.films.fingerprint import Fingerprint
    from hilum_training.films.pack import Film

SPLITS: Final = ("train", "validation", "test")


class LeakageFound(RuntimeError):
    """A film in one split has its patient, its copy or its near-duplicate in another."""


def link_films(
    films: Sequence[Film], fingerprints: Sequence[Fingerprint], bits: int
) -> tuple[str, ...]:
    """The cluster of each film: films that must stay together, joined by every known tie.

    Ties are the patient group, another copy (``variant_of``), equal pixels, and near-equal ones.

    Args:
        films: N films.
        fingerprints: One of each.
        bits: See :func:`near_duplicates`.

    Returns:
        N cluster names: the smallest file name in the cluster.
    """
    parent = list(range(len(films)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for _, first, second in _ties(films, fingerprints, bits):
        parent[root(first)] = root(second)
    names: dict[int, str] = {}
    for index, film in enumerate(films):
        key = root(index)
        names[key] = min(names.get(key, film.file), film.file)
    return tuple(names[root(index)] for index in range(len(films)))


def divide(
    films: Sequence[Film], clusters: Sequence[str], fractions: Sequence[float], seed: int
) -> tuple[str, ...]:
    """Assign each film's split: whole clusters, each kind of cluster divided alike.

    A kind is the set of (source, label) in a cluster. Within a kind, clusters are ordered by the
    SHA-256 of seed and name and dealt out by film count: no order of files, no random generator's
    version can change the split.

    Args:
        films: N films.
        clusters: Cluster of each, from :func:`link_films`.
        fractions: Of train, validation, test.
        seed: The recipe's.

    Returns:
        N of ``train``, ``validation``, ``test``.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, cluster in enumerate(clusters):
        members[cluster].append(index)
    kinds: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for cluster, indexes in members.items():
        kinds[frozenset((films[i].source, recorded_kind(films[i])) for i in indexes)].append(
            cluster
        )
    assigned: dict[str, str] = {}
    for names in kinds.values():
        names.sort(key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
        total = sum(len(members[name]) for name in names)
        dealt = 0
        for name in names:
            middle = (dealt + len(members[name]) / 2) / total
            assigned[name] = _split_at(middle, fractions)
            dealt += len(members[name])
    return tuple(assigned[cluster] for cluster in clusters)


def check_leakage(
    films: Sequence[Film], splits: Sequence[str], fingerprints: Sequence[Fingerprint], bits: int
) -> None:
    """Fail when a tie runs between two splits, whoever made them.

    Raises:
        LeakageFound: With up to ten of the ties.
    """
    crossing = [
        f"{films[first].file} ({splits[first]}) and {films[second].file} ({splits[second]}): {tie}"
        for tie, first, second in _ties(films, fingerprints, bits)
        if splits[first] != splits[second]
    ]
    if crossing:
        listed = "\n  ".join(crossing[:10])
        raise LeakageFound(f"{len(crossing)} ties between splits:\n  {listed}")


def _split_at(position: float, fractions: Sequence[float]) -> str:
    reached = 0.0
    for name, fraction in zip(SPLITS, fractions, strict=True):
        reached += fraction
        if position < reached:
            return name
    return SPLITS[-1]


def _ties(
    films: Sequence[Film], fingerprints: Sequence[Fingerprint], bits: int
) -> Iterable[tuple[str, int, int]]:
    """Every tie as (kind, index, index)."""
    by_file = {film.file: index for index, film in enumerate(films)}
    seen: dict[tuple[str, str], int] = {}
    for index, film in enumerate(films):
        for kind, key in (("same group", film.group), ("same pixels", fingerprints[index].content)):
            first = seen.setdefault((kind, key), index)
            if first != index:
                yield kind, first, index
        if film.variant_of in by_file:
            yield "copy of", by_file[film.variant_of], index
    for first, second in near_duplicates(fingerprints, bits):
        yield "near duplicate", first, second
