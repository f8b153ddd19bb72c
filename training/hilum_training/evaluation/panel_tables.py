"""The tables of a panel's page: key of the report, title, and what the table shows."""

from __future__ import annotations

from typing import Final

BEFORE: Final = (
    (
        "within_source",
        "Within one source",
        """The hospital is the same on both sides and cannot give the label away. Age, projection
and aspect ratio still may, and cohen's images are of many hospitals. `shipped` is at the operating
points of the positive outputs, `named` is what the panel names. Both are of the images inside the
panel's scope (`assessed`).""",
    ),
    (
        "test_by_source",
        "At the operating point, by source",
        """Test images on which it is known whether the label is there. Images that are recorded as
normal lack every finding, also those of sources that the panel does not use. Images outside the
panel's scope are left out. Intervals of few patients are Wilson's.""",
    ),
    (
        "predictive_values",
        "What a flag means",
        """Of images that are flagged, the share that have the finding (ppv), and of the others the
share that do not (npv), at the stated prevalence. From sensitivity and specificity at the source
where a flag means least, among those with enough patients of each kind. Without a false flag there,
one patient more is taken to be flagged.""",
    ),
    (
        "no_point",
        "Labels without an operating point",
        "They have a score and no verdict.",
    ),
    (
        "calibration_within_source",
        "Calibration within each source",
        "Over all sources together, errors in opposite directions cancel.",
    ),
    (
        "severe",
        "Severely ill chests that are accepted",
        """Frontal radiographs that were made severely ill from test images, by what was done to
them. Those with unequal sides are real: one lung opaque or empty.""",
    ),
    (
        "kinds_that_stop",
        "What is rejected, by kind",
        """Dental radiographs, pelves and laterals are real. The last column is the share of what
is rejected whose stated reason is that it is no chest.""",
    ),
    ("gate", "What is accepted and rejected, by source", "At the shipped operating point."),
)
"""Before the curves, in the order in which they are read."""

AFTER: Final = (
    (
        "labels",
        "Label by label, all sources together",
        """Each label compared with the others. Precision, recall and F1 are of the most probable
label. Sensitivity and specificity are at the shipped operating point, which validation images
chose.""",
    ),
    ("confusion", "Recorded and predicted", "Rows were recorded, columns predicted."),
    (
        "per_source",
        "By source and recorded label",
        "The share whose most probable label is right.",
    ),
    ("outside_the_panel", "Images with none of the labels", "What is predicted all the same."),
    (
        "copied_films",
        "Copies of one image",
        "How far the panel's probabilities move between copies, the farthest label of each image.",
    ),
    (
        "changed_films",
        "Images with something removed",
        "AUROC without retraining. What is covered gets the image's mean grey.",
    ),
    (
        "without_lungs",
        "Lungs only, and no lungs",
        "AUROC with everything but the lungs covered, and with the lungs covered.",
    ),
    (
        "aspect_shortcut",
        "Aspect ratio",
        "AUROC of the aspect ratio alone, of the model, and of it among images of similar ratio.",
    ),
    (
        "localisation",
        "Compared with readers' boxes",
        """Pointing game, and the share of readers' boxes that a box of the map overlaps. Boxes of
pneumonia, consolidation and ground glass. The pack's few boxes of other findings are not used.""",
    ),
    (
        "answers_by_licence",
        "Which images may be shown",
        """Right and wrong predictions by the terms of the image. Of several findings the surest one
counts, and images without any are left out. The page of maps holds images whose licence asks for
credit alone. Where no image has one there is no page. A page of all sources lies in
`training/runs/heatmaps/` where `evaluate` ran: it is not to be passed on.""",
    ),
    (
        "films_shown",
        "Images on the page of maps",
        "Right predictions first. The pack's `manifest.csv` has the address of each.",
    ),
)
"""After the curves."""
