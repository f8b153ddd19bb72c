"""The operating point of one label: which of a site's images it is fitted on, and what it says.

An image outside the panel's scope has no verdict, so it has no part in a fit, unless the site wants
its points to hold there, too. It then has to be shown for each cause by itself. A label with a
threshold of its own for small children is fitted on everybody else; a site that images children
alone fits that threshold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hilum.application.thresholds.fitting import (
    FEWEST_PATIENTS,
    Curve,
    Fit,
    curve,
    fit,
    require_separable,
)
from hilum.application.thresholds.labelled_films import patients_of, under_label
from hilum.domain.errors import LabelNotSeparable, TooFewFilms
from hilum.domain.model import OperatingPoint
from hilum.domain.verdict import reason_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hilum.application.thresholds.labelled_films import Key, ScoredFilm, Scores
    from hilum.application.thresholds.resampling import Aim

FOR_CHILDREN: Final = "for_children"
_LEFT_OUT: Final = "left_out"


@dataclass(frozen=True, slots=True)
class LabelFit:
    """The outcome of one label.

    Attributes:
        panel: Panel name.
        label: Label name.
        fit: The threshold; None where it could not be fitted.
        curve: What every threshold would have given; None where there was too little to ask.
        refusal: Why there is no threshold, or None.
        beyond: Causes of lying outside the panel's scope for which the point holds, too; keys of
            :data:`hilum.domain.scope.REASONS`.
        for_children: It is the threshold for images of small children.
        left_out: How many images had no part, by cause.
        before: The operating point that it takes the place of, or None.
    """

    panel: str
    label: str
    fit: Fit | None
    curve: Curve | None
    refusal: TooFewFilms | LabelNotSeparable | None = None
    beyond: tuple[str, ...] = ()
    for_children: bool = False
    left_out: Mapping[str, int] | None = None
    before: OperatingPoint | None = None

    @property
    def now(self) -> float | None:
        """The threshold that it takes the place of."""
        return self.before.threshold_for(child=self.for_children) if self.before else None

    def point(self, site: str) -> OperatingPoint | None:
        """Return the operating point of a site; None without a threshold.

        What was not fitted stays: the threshold for children, or the one for everybody else.
        """
        if self.fit is None:
            return None
        told = _fitted_on(self.fit, site)
        if self.for_children and self.before is not None:
            return replace(
                self.before,
                child_threshold=self.fit.threshold.value,
                fitted_on=f"{self.before.fitted_on} For small children: {told}".lstrip(),
                beyond_scope=self.beyond,
            )
        return OperatingPoint(
            label=self.label,
            threshold=self.fit.threshold.value,
            sensitivity=round(self.fit.sensitivity.value, 6),
            specificity=round(self.fit.specificity.value, 6),
            fitted_on=told,
            beyond_scope=self.beyond,
            child_threshold=self.before.child_threshold if self.before else None,
        )

    def evidence(self) -> dict[str, Any]:
        """How it was fitted, JSON-ready."""
        return {
            **(self.fit.evidence() if self.fit else {}),
            **({FOR_CHILDREN: True} if self.for_children else {}),
            **({_LEFT_OUT: dict(self.left_out)} if self.left_out else {}),
        }


def fit_label(scores: Scores, key: Key, aim: Aim, wanted: float, *, beyond_scope: bool) -> LabelFit:
    """Fit one label of a panel.

    Args:
        scores: Images with their truth; the manifest has the site's active operating points.
        key: ``(panel, label)``.
        aim: What is wanted.
        wanted: How much of it.
        beyond_scope: Images outside the panel's scope count, those of each cause as a source, if
            they alone would be enough for a point.

    Raises:
        InvalidRequest: ``wanted`` cannot be asked for.
    """
    panel, label = key
    found = scores.manifest.panel(panel)
    before = found.operating_point(label) if found else None
    told = [one for one in scores.scored if key in one.film.truth and key in one.probabilities]
    counted, for_children = _of_one_age(told, panel, before)
    reasons, too_weak = _causes_shown(counted, key, aim, wanted) if beyond_scope else ((), None)
    used = [one for one in counted if one.beyond.get(panel, "") in {"", *reasons}]
    result = LabelFit(
        panel,
        label,
        None,
        None,
        beyond=reasons,
        for_children=for_children,
        left_out=_causes(told, counted, used, panel),
        before=before,
    )
    labelled = under_label([_of_its_source(one, panel) for one in used], key)
    known = None
    try:
        fitted = fit(labelled, aim, wanted)
        known = curve(labelled)
        require_separable(fitted)
        if too_weak and not reasons:
            raise too_weak
    except (TooFewFilms, LabelNotSeparable) as error:
        refusal = type(error)(f"{error.detail}{_told_left_out(result.left_out)}")
        return replace(result, curve=known, refusal=refusal)
    return replace(result, fit=fitted, curve=known)


def _of_one_age(
    told: Sequence[ScoredFilm], panel: str, before: OperatingPoint | None
) -> tuple[list[ScoredFilm], bool]:
    """The images that one threshold judges, and whether it is the one for small children."""
    if before is None or before.child_threshold is None:
        return list(told), False
    others = [one for one in told if panel not in one.child]
    return (others, False) if others or not told else (list(told), True)


def _causes_shown(
    counted: Sequence[ScoredFilm], key: Key, aim: Aim, wanted: float
) -> tuple[tuple[str, ...], TooFewFilms | LabelNotSeparable | None]:
    """The causes whose images are enough for a point, and why the last of the others is not."""
    shown: list[str] = []
    too_weak: TooFewFilms | LabelNotSeparable | None = None
    for reason in sorted({one.beyond[key[0]] for one in counted if key[0] in one.beyond}):
        try:
            _require_outside(counted, key, reason, aim, wanted)
            shown.append(reason)
        except (TooFewFilms, LabelNotSeparable) as error:
            too_weak = error
    return tuple(shown), too_weak


def _of_its_source(one: ScoredFilm, panel: str) -> ScoredFilm:
    """An image outside the scope, under its cause instead of its source."""
    reason = one.beyond.get(panel)
    return one if reason is None else replace(one, film=replace(one.film, source=reason))


def _require_outside(
    counted: Iterable[ScoredFilm], key: Key, reason: str, aim: Aim, wanted: float
) -> None:
    """Ask the images of one cause what all of them were asked.

    Raises:
        TooFewFilms: They are of too few patients.
        LabelNotSeparable: The model hardly tells the label apart on them.
    """
    outside = under_label([one for one in counted if one.beyond.get(key[0]) == reason], key)
    for truth, words in ((True, "with"), (False, "without")):
        count = patients_of(outside, of_kind=truth)
        if count < FEWEST_PATIENTS:
            raise TooFewFilms(
                f"outside the panel's scope ({reason_text(reason)}): {count} patients {words} the "
                f"label, at least {FEWEST_PATIENTS} are needed"
            )
    try:
        require_separable(fit(outside, aim, wanted))
    except (TooFewFilms, LabelNotSeparable) as error:
        raise type(error)(
            f"outside the panel's scope ({reason_text(reason)}): {error.detail}"
        ) from error


def _causes(
    told: Sequence[ScoredFilm],
    counted: Sequence[ScoredFilm],
    used: Sequence[ScoredFilm],
    panel: str,
) -> dict[str, int]:
    children = len(told) - len(counted)
    kept = {id(one) for one in used}
    outside = Counter(one.beyond[panel] for one in counted if id(one) not in kept)
    return {**({"small_children": children} if children else {}), **outside}


def _told_left_out(left_out: Mapping[str, int] | None) -> str:
    told = [f"{count} {cause.replace('_', ' ')}" for cause, count in (left_out or {}).items()]
    return f"; images left out: {', '.join(told)}" if told else ""


def _fitted_on(fitted: Fit, site: str) -> str:
    """Which images chose a point, from what was counted."""
    text = (
        f"{fitted.films} images of {fitted.patients} patients of site {site} "
        f"({fitted.positives} images of {fitted.positive_patients} patients with the label, "
        f"{fitted.negatives} of {fitted.negative_patients} without it), "
        f"for a {fitted.aim.value} of {fitted.wanted:g}"
    )
    if not fitted.by_source:
        return text
    named = ", ".join(item.source for item in fitted.by_source)
    return f"{text} at the worst source ({fitted.worst_source}) of {named}"
