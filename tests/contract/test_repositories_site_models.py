"""What the repositories of operating points and promotions promise, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hilum.domain.errors import InternalError
from hilum.domain.model import OperatingPoint
from hilum.domain.site_models import Origin, Promotion, SiteOperatingPoint
from hilum.domain.site_rule import SiteRule
from tests.contract.samples import NOW, seconds

if TYPE_CHECKING:
    from hilum.application.ports.unit_of_work import UnitOfWork


def _point(label: str = "covid19", **fields: Any) -> SiteOperatingPoint:
    known: dict[str, Any] = {
        "site": "north",
        "model": "chest",
        "version": "1.0.0",
        "panel": "pneumonia",
        "point": OperatingPoint(label, 0.123457, 0.95, None, "films of site north, für alle"),
        "origin": Origin.FITTED,
        "set_by": "operator:a",
        "set_at": NOW,
        "evidence": {"aim": "sensitivity", "threshold": [0.1, 0.2], "films": 40},
    }
    return SiteOperatingPoint(**{**known, **fields})


def _promotion(number: int = 1, **fields: Any) -> Promotion:
    known: dict[str, Any] = {
        "site": "north",
        "model": "chest",
        "version": f"1.{number}.0",
        "promoted_by": "operator:a",
        "promoted_at": NOW,
    }
    return Promotion(number=number, **{**known, **fields})


def test_operating_points_come_back_as_they_were_put(unit_of_work: UnitOfWork) -> None:
    """Threshold bit for bit, what is not known as None, the evidence as a document; in order."""
    points = [
        _point("covid19"),
        _point("normal", point=OperatingPoint("normal", 1 / 3), origin=Origin.SHIPPED, evidence={}),
        _point(
            panel="tuberculosis",
            point=OperatingPoint("covid19", 0.9, child_threshold=0.125, beyond_scope=("a", "b")),
        ),
        _point(version="1.1.0"),
        _point(site="south"),
    ]
    with unit_of_work.begin() as transaction:
        transaction.operating_points.put(points[::-1])
        transaction.operating_points.put([])
    with unit_of_work.begin(write=False) as transaction:
        held = transaction.operating_points
        assert list(held.all()) == points
        assert list(held.of_sites({"north"})) == points[:4]
        assert list(held.of_sites({"south", "nowhere"})) == points[4:]
        assert list(held.of_sites(set())) == []


def test_an_operating_point_is_replaced(unit_of_work: UnitOfWork) -> None:
    """One row for each site, version and label: the last one put, whole."""
    later = _point(
        point=OperatingPoint("covid19", 0.9),
        origin=Origin.SHIPPED,
        set_by="operator:b",
        set_at=NOW + seconds(1),
        evidence={},
    )
    with unit_of_work.begin() as transaction:
        transaction.operating_points.put([_point(), _point("normal")])
    with unit_of_work.begin() as transaction:
        transaction.operating_points.put([later])
        assert list(transaction.operating_points.all()) == [later, _point("normal")]


def test_an_operating_point_is_removed_by_its_key(unit_of_work: UnitOfWork) -> None:
    """Its values do not matter; others stay, and one that is not there changes nothing."""
    others = [_point("normal"), _point(version="1.1.0"), _point(site="south")]
    with unit_of_work.begin() as transaction:
        transaction.operating_points.put([_point(), *others])
    with unit_of_work.begin() as transaction:
        changed = _point(point=OperatingPoint("covid19", 0.9), evidence={})
        transaction.operating_points.remove([changed, _point("hernia")])
        transaction.operating_points.remove([])
    with unit_of_work.begin(write=False) as transaction:
        assert list(transaction.operating_points.all()) == others


def test_a_read_only_transaction_sets_nothing(unit_of_work: UnitOfWork) -> None:
    """Showing an operating point never changes one."""

    def put() -> None:
        with unit_of_work.begin(write=False) as transaction:
            transaction.operating_points.put([_point()])

    def add() -> None:
        with unit_of_work.begin(write=False) as transaction:
            transaction.promotions.add(_promotion())

    def remove() -> None:
        with unit_of_work.begin(write=False) as transaction:
            transaction.operating_points.remove([_point()])

    for change in (put, add, remove):
        with pytest.raises(InternalError):
            change()


def test_promotions_come_back_in_the_order_of_their_numbers(unit_of_work: UnitOfWork) -> None:
    """By site and model first; ten comes after nine."""
    promotions = [
        _promotion(9),
        _promotion(10),
        _promotion(1, model="gate"),
        _promotion(1, site="south"),
    ]
    with unit_of_work.begin() as transaction:
        assert all(transaction.promotions.add(promotion) for promotion in promotions[::-1])
    with unit_of_work.begin(write=False) as transaction:
        assert list(transaction.promotions.all()) == promotions
        assert list(transaction.promotions.of_sites({"north"})) == promotions[:3]
        assert list(transaction.promotions.of_sites(set())) == []


def test_a_number_is_given_once(unit_of_work: UnitOfWork) -> None:
    """The second promotion with it is not added, and the first stays as it is."""
    with unit_of_work.begin() as transaction:
        assert transaction.promotions.add(_promotion())
        assert not transaction.promotions.add(_promotion(version="9.9.9"))
    with unit_of_work.begin() as transaction:
        assert not transaction.promotions.add(_promotion(version="9.9.9"))
        assert list(transaction.promotions.all()) == [_promotion()]


def test_a_promotion_is_taken_back_once(unit_of_work: UnitOfWork) -> None:
    """With who and when; again, or one that is not there, gives None."""
    with unit_of_work.begin() as transaction:
        for number in (1, 2):
            transaction.promotions.add(_promotion(number))
        promotions = transaction.promotions
        later = NOW + seconds(5)
        taken_back = promotions.roll_back(_promotion(2), "operator:b", later)
        assert taken_back == replace(
            _promotion(2), rolled_back_by="operator:b", rolled_back_at=later
        )
        assert promotions.roll_back(_promotion(2), "operator:b", later) is None
        assert promotions.roll_back(_promotion(3), "operator:b", later) is None
    with unit_of_work.begin(write=False) as transaction:
        assert list(transaction.promotions.all()) == [_promotion(1), taken_back]


def test_a_rule_takes_the_place_of_its_former_value(unit_of_work: UnitOfWork) -> None:
    """One value for each site and rule, ordered by both."""
    first = SiteRule("south", "for_processing", "accept", "operator:a", NOW)
    other = SiteRule("north", "for_processing", "refuse", "operator:b", NOW)
    second = replace(first, value="refuse", set_by="operator:b")
    for rule in (first, other, second):
        with unit_of_work.begin() as transaction:
            transaction.site_rules.put(rule)
    with unit_of_work.begin(write=False) as transaction:
        assert list(transaction.site_rules.all()) == [other, second]
        assert list(transaction.site_rules.of_sites({"south", "default"})) == [second]
