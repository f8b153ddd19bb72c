"""Who may do what at which site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilum.domain.errors import NotPermitted
from hilum.domain.principal import (
    ALL_SITES,
    DEFAULT_SITE,
    PERMISSIONS,
    Grant,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    local_command,
    worker,
)
from tests.unit.gateway.test_permissions import TABLE

SITES = ("north", "south", "east")
GRANTS = st.lists(
    st.builds(Grant, st.sampled_from(Role), st.sampled_from([*SITES, ALL_SITES])), max_size=4
)


def principal(*grants: Grant) -> Principal:
    return Principal(PrincipalKind.USER, "u", "n", grants)


def test_roles_hold_what_the_table_of_the_design_says():
    """No more and no less; the table knows every role and every permission."""
    held = {role.value: {one.value for one in PERMISSIONS[role]} for role in Role}
    assert held == TABLE
    assert set().union(*TABLE.values()) == {one.value for one in Permission}


@given(GRANTS, st.sampled_from(Permission), st.sampled_from(SITES))
def test_grants_add_up(grants, permission, site):
    """A permission is held at a site if any one grant holds it there, and nowhere else."""
    asked = principal(*grants)
    due = any(
        permission in PERMISSIONS[grant.role] and grant.site in (site, ALL_SITES)
        for grant in grants
    )
    sites = asked.sites(permission)
    assert asked.holds(permission, site) is due
    assert (sites is None or site in sites) is due
    if due:
        asked.require(permission, site)
        asked.require(permission)
    else:
        with pytest.raises(NotPermitted, match=r"may not|only"):
            asked.require(permission, site)


@pytest.mark.parametrize(
    ("grant", "permission", "told"),
    [
        (
            Grant(Role.VIEWER, "*"),
            Permission.SUBMIT_IMAGES,
            "a key of the role viewer may not submit",
        ),
        (Grant(Role.SUBMITTER, "*"), Permission.OPERATE_QUEUE, "role submitter may not operate"),
        (Grant(Role.OPERATOR, "*"), Permission.MANAGE_ACCESS, "operator may not administer"),
        (Grant(Role.AUDITOR, "*"), Permission.READ_IMAGES, "auditor may not read images"),
        (Grant(Role.SUBMITTER, "north"), Permission.SUBMIT_IMAGES, "submits for site north only"),
        (Grant(Role.VIEWER, "north"), Permission.READ_JOBS, "this key reads jobs for site north"),
    ],
)
def test_a_refusal_says_what_is_not_permitted(grant, permission, told):
    """With the role or the site, in words for people."""
    asked = Principal(PrincipalKind.API_KEY, "k", "n", (grant,))
    with pytest.raises(NotPermitted, match=told):
        asked.require(permission, "south")


def test_a_role_at_one_site_gives_nothing_at_another():
    """An operator of the north who views the south operates the north alone."""
    asked = principal(Grant(Role.OPERATOR, "north"), Grant(Role.VIEWER, "south"))
    assert asked.sites(Permission.OPERATE_QUEUE) == {"north"}
    assert asked.sites(Permission.READ_JOBS) == {"north", "south"}
    with pytest.raises(NotPermitted, match="north"):
        asked.require(Permission.OPERATE_QUEUE, "south")


def test_a_principal_of_one_site_acts_for_that_site_alone():
    """Asked for nothing or for its own site it gives its own; for another it refuses."""
    bound = principal(Grant(Role.SUBMITTER, "north"))
    submit = Permission.SUBMIT_IMAGES
    assert [bound.site_for(submit, asked) for asked in (None, "", "north")] == ["north"] * 3
    for other in ("south", ALL_SITES):
        with pytest.raises(NotPermitted, match="north"):
            bound.site_for(submit, other)


def test_a_principal_of_every_site_names_one_or_means_the_default():
    """No site asked for is the default site."""
    free = principal(Grant(Role.SUBMITTER, ALL_SITES))
    assert free.site_for(Permission.SUBMIT_IMAGES, "south") == "south"
    assert free.site_for(Permission.SUBMIT_IMAGES, None) == DEFAULT_SITE


def test_a_principal_of_several_sites_has_to_name_one():
    """Nothing is guessed, and a principal of no site is refused."""
    several = principal(Grant(Role.SUBMITTER, "north"), Grant(Role.OPERATOR, "south"))
    assert several.site_for(Permission.SUBMIT_IMAGES, "south") == "south"
    with pytest.raises(NotPermitted, match="north, south"):
        several.site_for(Permission.SUBMIT_IMAGES, None)
    with pytest.raises(NotPermitted, match="role none"):
        principal().site_for(Permission.SUBMIT_IMAGES, None)


def test_parts_of_hilum_hold_fixed_permissions():
    """The local command may do everything everywhere, a worker needs no permission."""
    assert all(local_command("me").holds(permission, "north") for permission in Permission)
    assert not any(worker("a").holds(permission) for permission in Permission)


def test_a_principal_is_known_by_kind_and_id():
    """Its name and its grants say nothing about who it is."""
    assert principal(Grant(Role.ADMIN, ALL_SITES)) == Principal(PrincipalKind.USER, "u")
    assert Principal(PrincipalKind.USER, "u") != Principal(PrincipalKind.API_KEY, "u")
