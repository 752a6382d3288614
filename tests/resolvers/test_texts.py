"""Slugs made of names, and the names of constraints that refusals are read off."""

import re

import pytest
from hypothesis import given, strategies

from models.base import LONGEST_SLUG, SLUG_PATTERN
from models.constraints import place_of
from resolvers.refusals import camel, snake
from resolvers.texts import slug_of


@given(strategies.text())
def test_a_slug_is_empty_or_one(text):
    slug = slug_of(text)

    assert slug == "" or re.fullmatch(SLUG_PATTERN, slug)
    # A number fits behind it.
    assert len(f"{slug}-99999999") <= LONGEST_SLUG


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Blue Shirt", "blue-shirt"),
        ("  Überhemd №1!", "uberhemd-no1"),
        ("日本", ""),
        ("a--b__c", "a-b-c"),
        ("x" * 200, "x" * (LONGEST_SLUG - 10)),
    ],
)
def test_a_slug_is_made_of_letters_and_digits(text, slug):
    assert slug_of(text) == slug


@pytest.mark.parametrize(
    ("constraint", "place"),
    [
        ("uq_product_slug", ("product", "slug")),
        ("fk_product_product_type_id", ("product", "product_type_id")),
        ("uq_attribute_value_slug", ("attribute_value", "slug")),
        ("ck_stock_level_not_oversold", ("stock_level", "not_oversold")),
        ("pk_stock_level", ("stock_level", "")),
        ("name", ("", "")),
    ],
)
def test_a_constraint_names_its_table_and_column(constraint, place):
    assert place_of(constraint) == place


@pytest.mark.parametrize("column", ["name", "seo_title", "weight_g", "compare_at_price"])
def test_clients_and_columns_have_one_name(column):
    assert snake(camel(column)) == column
