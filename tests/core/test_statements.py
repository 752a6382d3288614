"""Statements are compiled once, and their rows know what they are rows of."""

import pytest
from sqlalchemy import Integer, bindparam, literal, select, text

from core import statements
from core.statements import compile_statement


def test_a_statement_is_compiled_at_its_first_sight_alone():
    statement = select(bindparam("number", type_=Integer()))

    assert compile_statement(statement) is compile_statement(statement)


def test_the_store_is_bounded():
    for number in range(statements._LARGEST_CACHE + 10):
        compile_statement(text(f"SELECT {number}"))

    assert len(statements._compiled) == statements._LARGEST_CACHE


def test_values_go_in_the_order_of_the_text_which_holds_the_constants():
    statement = select(bindparam("b", type_=Integer()), literal(7), bindparam("a", type_=Integer()))

    compiled = compile_statement(statement)

    assert compiled.arguments({"a": 1, "b": 2, "more": 3}) == [2, 1]
    assert " 7 " in compiled.text
    with pytest.raises(KeyError):
        compiled.arguments({"a": 1})


async def test_rows_are_read_by_name_and_know_their_entity(database, shop):
    tenant = database.of_tenant(shop.id)
    statement = select(literal(1).label("number")).execution_options(entity="product")

    row = await tenant.fetch_one(statement)

    assert (row.number, row["number"], row.entity) == (1, 1, "product")
    with pytest.raises(AttributeError, match="nothing"):
        row.nothing  # noqa: B018
    await tenant.close()
