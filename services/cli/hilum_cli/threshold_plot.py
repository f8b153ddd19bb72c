"""A picture of fitted thresholds: SVG 1.1, drawn by hand, so that the command needs no plotter.

One row a label. On the left sensitivity over 1 - specificity; on the right both over the threshold,
with the chosen threshold as a line and its 95 % interval as a band.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hilum.application.thresholds.fitting import Curve, Fit
    from hilum.application.thresholds.label_fit import LabelFit

_SIDE: Final = 260
_GAP: Final = 70
_LEFT: Final = 60
_TOP: Final = 80
_ROW: Final = _SIDE + 110
_WIDTH: Final = _LEFT + 2 * _SIDE + _GAP + 30
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_POINTS: Final = 400
_SENSITIVITY: Final = "#0b5fa5"
_SPECIFICITY: Final = "#b3541e"
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#222}.h{font-size:14px;font-weight:bold}.s{fill:#555}"
    ".g{stroke:#ddd;stroke-width:1}.a{stroke:#222;stroke-width:1;fill:none}"
    ".c{fill:none;stroke-width:2}.b{fill:#999;fill-opacity:.25}"
)


def draw_thresholds(fits: Iterable[LabelFit], title: str, notice: str) -> str:
    """The picture of all labels that have a threshold.

    Args:
        fits: Labels; those without a threshold are not drawn.
        title: First line.
        notice: Second line.
    """
    drawn = [
        (item, item.fit, item.curve)
        for item in fits
        if item.fit is not None and item.curve is not None
    ]
    height = _TOP + _ROW * len(drawn)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img">'
        ),
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _text(_LEFT, 24, title, "h"),
        _text(_LEFT, 42, notice, "s"),
    ]
    for index, (item, fit, curve) in enumerate(drawn):
        parts.append(f'<g transform="translate({_LEFT} {_TOP + index * _ROW})">')
        parts.append(_text(0, -8, f"{item.panel} / {item.label}", "h"))
        parts.append(_roc(fit, curve))
        parts.append(f'<g transform="translate({_SIDE + _GAP} 0)">{_by_threshold(fit, curve)}</g>')
        parts.append(_text(0, _SIDE + 52, _sentence(fit), "s"))
        parts.append("</g>")
    parts.append("</svg>\n")
    return "\n".join(parts)


def _roc(fit: Fit, curve: Curve) -> str:
    false_positives = [0.0, *(1.0 - float(value) for value in curve.specificity)]
    sensitivity = [0.0, *map(float, curve.sensitivity)]
    x, y = 1.0 - fit.specificity.value, fit.sensitivity.value
    across = (1.0 - fit.specificity.high, 1.0 - fit.specificity.low)
    parts = [
        _axes("1 - specificity", "sensitivity"),
        _line(list(zip(false_positives, sensitivity, strict=True)), _SENSITIVITY),
        _segment((across[0], y), (across[1], y)),
        _segment((x, fit.sensitivity.low), (x, fit.sensitivity.high)),
        f'<circle cx="{_x(x)}" cy="{_y(y)}" r="4.5" fill="{_SPECIFICITY}"/>',
        _text(_SIDE - 8, _SIDE - 10, f"AUROC {fit.auroc.value:.3f}", "s", anchor="end"),
    ]
    return "".join(parts)


def _by_threshold(fit: Fit, curve: Curve) -> str:
    thresholds = [float(value) for value in curve.thresholds]
    low, high = fit.threshold.low, fit.threshold.high
    parts = [
        _axes("threshold", ""),
        (
            f'<rect class="b" x="{_x(low)}" y="0" width="{max(_x(high) - _x(low), 1.0):.1f}" '
            f'height="{_SIDE}"/>'
        ),
    ]
    for values, colour in (
        (curve.sensitivity, _SENSITIVITY),
        (curve.specificity, _SPECIFICITY),
    ):
        points = list(zip(thresholds, map(float, values), strict=True))
        parts.append(_line(points, colour))
    parts.append(_segment((fit.threshold.value, 0.0), (fit.threshold.value, 1.0)))
    for line, (name, colour) in enumerate(
        (("sensitivity", _SENSITIVITY), ("specificity", _SPECIFICITY))
    ):
        y = _SIDE - 30 + 16 * line
        parts.append(f'<rect x="{_SIDE - 92}" y="{y - 8}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(_SIDE - 78, y, name, "s"))
    return "".join(parts)


def _sentence(fit: Fit) -> str:
    return (
        f"threshold {fit.threshold.value:.4f} ({fit.threshold.low:.4f} to "
        f"{fit.threshold.high:.4f}) for a {fit.aim.value} of {fit.wanted:g}; {fit.films} films, "
        f"{fit.positives} positive, {fit.patients} patients"
    )


def _axes(below: str, beside: str) -> str:
    parts = []
    for tick in _TICKS:
        parts.append(f'<line class="g" x1="{_x(tick)}" y1="0" x2="{_x(tick)}" y2="{_SIDE}"/>')
        parts.append(f'<line class="g" x1="0" y1="{_y(tick)}" x2="{_SIDE}" y2="{_y(tick)}"/>')
        parts.append(_text(_x(tick), _SIDE + 16, f"{tick:g}", "s", anchor="middle"))
        parts.append(_text(-6, _y(tick) + 4, f"{tick:g}", "s", anchor="end"))
    parts.append(f'<rect class="a" width="{_SIDE}" height="{_SIDE}"/>')
    parts.append(_text(_SIDE / 2, _SIDE + 34, below, "", anchor="middle"))
    if beside:
        parts.append(
            f'<text transform="translate(-40 {_SIDE / 2}) rotate(-90)" text-anchor="middle">'
            f"{escape(beside)}</text>"
        )
    return "".join(parts)


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    step = max(1, len(points) // _MOST_POINTS)
    kept = [*points[:-1:step], points[-1]]
    path = " ".join(f"{_x(x)},{_y(y)}" for x, y in kept)
    return f'<polyline class="c" stroke="{colour}" points="{path}"/>'


def _segment(start: tuple[float, float], end: tuple[float, float]) -> str:
    return (
        f'<line class="a" x1="{_x(start[0])}" y1="{_y(start[1])}" '
        f'x2="{_x(end[0])}" y2="{_y(end[1])}"/>'
    )


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{chosen} text-anchor="{anchor}">{escape(text)}</text>'


def _x(share: float) -> float:
    return round(share * _SIDE, 1)


def _y(share: float) -> float:
    return round((1.0 - share) * _SIDE, 1)
