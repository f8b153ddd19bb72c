"""The report's text: every number in it comes from the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hilum_training.data_report.sheets import Shown


def write_document(
    facts: dict[str, Any], examples: Sequence[Shown], masked: Sequence[Shown], path: Path
) -> None:
    """Write ``README.md``."""
    parts = [
        _opening(facts),
        _counts(facts),
        _splits(facts),
        _sizes(facts),
        _intensity(facts),
        _people(facts),
        _annotations(facts),
        _licences(facts),
        _pictures(examples, masked),
    ]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; ``|`` inside a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def crossed(head: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Counts by row and column, with the sums of the rows."""
    columns = sorted({name for row in counts.values() for name in row})
    rows = [
        [row, *(found.get(name, 0) for name in columns), sum(found.values())]
        for row, found in counts.items()
    ]
    total = [sum(found.get(name, 0) for found in counts.values()) for name in columns]
    return table([head, *columns, "all"], [*rows, ["all", *total, sum(total)]])


def _percent(value: float | None) -> str:
    return "not measurable" if value is None else f"{100 * value:.1f} %"


def _opening(facts: dict[str, Any]) -> str:
    films = facts["films"]
    shares = facts["confounding"]
    tied = films["patient_groups"] - films["patient_clusters"]
    copies = (
        f"Equal and nearly equal pixels tie further groups together ({tied} fewer)"
        if tied
        else "Equal and nearly equal pixels tie no further groups together"
    )
    homes = [
        [kind, home["films"], home["source"], _percent(home["share"])]
        for kind, home in facts["commonest_source"].items()
    ]
    return f"""# The films, before anything is learnt from them

Written by `python -m hilum_training data report`; the same films give the same bytes. The films are
not part of this repository. The numbers are in [data.json](data.json).

{films["images"]} images are {films["films"]} films: {films["copies_left_out"]} are smaller copies.
They are of {films["patient_groups"]} recorded patient groups.
{copies}: {films["patient_clusters"]} clusters are what the split divides.

**Most classes have one home.** Of each class, the source that most of its films come from:

{table(["class", "films", "commonest source", "share"], homes)}

So a network can score by knowing hospitals and nothing of lungs. Without a look at the film, the
commonest class of its source is right for {_percent(shares["commonest_class_of_the_source"])} of
films, the commonest class of all for {_percent(shares["commonest_class_of_all"])}. Figures pooled
over sources say little; the panels' reports lead with figures from within one source."""


def _counts(facts: dict[str, Any]) -> str:
    findings = sorted(facts["findings"].items(), key=lambda item: (-item[1], item[0]))
    return f"""## Counts

Films that recipes use, by source and class (`other`: a finding that is no class of its own):

{crossed("source", facts["used_by_source"])}

All images, copies included:

{crossed("source", facts["class_by_source"])}

![counts](counts.svg)

Findings, each counted in every film that has it:

{table(["finding", "films"], findings)}"""


def _splits(facts: dict[str, Any]) -> str:
    splits = facts["splits"]
    patients = [
        [source, found["patients"], found["films"], found["most_films_of_one"]]
        for source, found in facts["patients"].items()
    ]
    clusters = ", ".join(f"{split} {count}" for split, count in splits["clusters"].items())
    return f"""## Patients and splits

The project's split, by patient cluster within each source and class; clusters: {clusters}.

{crossed("split", splits["films"])}

{crossed("source", splits["by_source"])}

{table(["source", "patient groups", "films", "most films of one group"], patients)}

As published. The project does not use these splits: {facts["films"]["torn_groups"]} patient groups
stand in more than one of them (the number of a person in `kermany`, perhaps of different children).

{crossed("source", facts["published_splits"])}"""


def _sizes(facts: dict[str, Any]) -> str:
    rows = [
        [source, *(_range(found[name]) for name in ("width", "height", "aspect"))]
        for source, found in facts["sizes"].items()
    ]
    by_class = [
        [source, kind, _range(values)]
        for source, found in facts["sizes"].items()
        for kind, values in found["aspect_by_class"].items()
    ]
    return f"""## Sizes and aspect ratios

Of the copy that the pack was made from: median (5 to 95 % of the films). A source whose films all
have one size was made square before it came into the pack.

{table(["source", "width", "height", "width over height"], rows)}

![sizes](sizes.svg)

Where the aspect ratio differs between the classes of one source, it gives the class away; the
preprocessing squashes every film to a square for this reason.

{table(["source", "class", "width over height"], by_class)}"""


def _range(quantiles: Sequence[float]) -> str:
    low, _, middle, _, high = quantiles
    return f"{middle:g} ({low:g} to {high:g})"


def _intensity(facts: dict[str, Any]) -> str:
    rows = [
        [source, _range(found["mean"]), _range(found["deviation"])]
        for source, found in facts["intensity"]["sources"].items()
    ]
    shares = facts["confounding"]
    return f"""## Grey levels

Of the model input: mean and standard deviation of a film, median (5 to 95 % of the films).

{table(["source", "mean", "standard deviation"], rows)}

![intensity](intensity.svg)

The first layer of every network takes mean and deviation out, film by film. What that does to the
source's trace in the grey levels: the nearest mean histogram finds the right source for
{_percent(shares["source_by_grey_histogram"])} of a source's films before standardisation and for
{_percent(shares["source_by_standardised_histogram"])} after it (mean over sources, two-fold by
patient; chance {_percent(shares["source_by_chance"])}). What is left lies in the shape of the
histogram: black borders, collimation, processing at the site."""


def _people(facts: dict[str, Any]) -> str:
    return f"""## Age, sex and view

Years where stated, else what the source says of all its films:

{crossed("source", facts["ages"])}

{crossed("source", facts["sexes"])}

{crossed("source", facts["views"])}

![ages and views](people.svg)"""


def _annotations(facts: dict[str, Any]) -> str:
    masks = [
        [source, kind, count]
        for source, found in facts["masks"].items()
        for kind, count in found.items()
    ]
    boxes = [
        [source, label, count]
        for source, found in facts["boxes"].items()
        for label, count in found.items()
    ]
    return f"""## Masks and boxes

Lung masks follow two conventions, with and without the lung behind heart and mediastinum, and are
not pooled.

{table(["source", "mask", "count"], masks)}

{table(["source", "box", "count"], boxes)}"""


def _licences(facts: dict[str, Any]) -> str:
    rows = [
        [row["source"], row["licence"], row["flags"] or "none", row["films"]]
        for row in facts["licences"]
    ]
    return f"""## Licences

As stated by the sources; a flag can be ruled out by a recipe (`exclude_flags`).

{table(["source", "licence", "flags", "films"], rows)}"""


def _pictures(examples: Sequence[Shown], masked: Sequence[Shown]) -> str:
    credit = [
        [item.record.file, item.record.licence, item.record.address or "the source's own release"]
        for item in {item.record.file: item for item in (*examples, *masked)}.values()
    ]
    return f"""## Examples

Only films whose licence asks for credit alone are shown, so sources without one are not. By source
and class, drawn by the hash of their names, one film a patient:

![examples](examples.jpg)

Lung masks of V7 Labs (CC BY 4.0) over the films:

![masks](masks.jpg)

Credit: kermany and kermany_native, Kermany D, Zhang K, Goldbaum M, doi:10.17632/rscbjbr9sj; cohen,
Cohen JP, Morrison P, Dao L et al., arXiv:2003.11597, from the addresses below. The films were made
smaller, and tinted where a mask is shown.

{table(["film", "licence", "address"], credit)}"""
