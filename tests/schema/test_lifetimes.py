"""Every root field for everybody says how long its answer lasts, and what is not for everybody is never kept."""

from schema.build import build
from schema.lifetimes import DETAILS, LISTS, STOCK, seconds_of
from schema.policies import Open, policy_of

SCHEMA = build()
DETAILED = {"shop", "product", "variant", "category", "collection", "node", "nodes"}


def test_every_public_root_field_lasts():
    public = {name for name, field in SCHEMA.query_type.fields.items() if policy_of(field) is Open.ANYONE}
    lasting = {name: seconds_of(SCHEMA.query_type.fields[name]) for name in public}
    assert lasting == {name: DETAILS if name in DETAILED else LISTS for name in public}


def test_what_is_not_for_everybody_is_never_kept():
    guarded = [
        seconds_of(field)
        for each in SCHEMA.type_map.values()
        for field in getattr(each, "fields", {}).values()
        if hasattr(field, "args") and policy_of(field) not in {None, Open.ANYONE}
    ]
    assert len(guarded) > 10
    assert set(guarded) == {0}


def test_what_is_left_is_kept_for_a_moment():
    for name in ("Product", "Variant"):
        assert seconds_of(SCHEMA.type_map[name].fields["availability"]) == STOCK
