"""A search that leaves hidden products aside, and that finds a SKU and words together."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BY_SHOP = "search_products(text, regconfig, int)"
_BY_CHANNEL = "search_products(text, regconfig, uuid, boolean, int)"


def upgrade() -> None:
    op.execute("GRANT SELECT ON product_listing TO galleria_definer")
    op.execute("CREATE POLICY definer ON product_listing FOR SELECT TO galleria_definer USING (true)")
    # No release has called it, so there is no older server that a rolling deployment would break.
    op.execute(f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {_BY_SHOP}")
    _search_what_may_be_seen()


def _search_what_may_be_seen() -> None:
    """Look at visibility inside: what a shopper may not see must not change what is found, not even by a step.

    The shop comes from app_shop(), never from the caller. An exact SKU comes before words; spelling errors by trigram
    where neither finds anything, or where the language has no word breaks. The listing is a scalar subquery because a
    join, planned without knowing the words, may read all listings of the channel.
    """
    op.execute(
        r"""
        CREATE FUNCTION search_products(sought text, config regconfig, channel uuid, drafts boolean, at_most int)
        RETURNS TABLE (product_id uuid, rank int)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        AS $$
        DECLARE
            shop constant uuid := app_shop();
            words constant tsquery := websearch_to_tsquery(config, sought);
            inside constant text := '%' || regexp_replace(sought, '([\\%_])', '\\\1', 'g') || '%';
        BEGIN
            RETURN QUERY
                SELECT f.id, max(f.score) AS best
                FROM (
                    SELECT v.product_id AS id, 2000000 AS score FROM variant v
                    WHERE v.shop_id = shop AND v.sku = sought AND v.deleted_at IS NULL
                    UNION ALL
                    SELECT p.id, (ts_rank_cd(p.search_vector, words, 32) * 1000000)::int FROM product p
                    WHERE p.shop_id = shop AND p.search_vector @@ words AND p.deleted_at IS NULL
                ) AS f
                WHERE (
                    SELECT drafts OR l.is_visible AND (l.available_from IS NULL OR l.available_from <= now())
                    FROM product_listing l
                    WHERE l.shop_id = shop AND l.channel_id = channel AND l.product_id = f.id
                )
                GROUP BY f.id ORDER BY best DESC, f.id LIMIT at_most;
            IF FOUND THEN RETURN; END IF;
            RETURN QUERY
                SELECT p.id, (word_similarity(sought, p.name) * 1000)::int AS score
                FROM product p
                WHERE p.shop_id = shop AND p.deleted_at IS NULL AND (sought <% p.name OR p.name LIKE inside) AND (
                    SELECT drafts OR l.is_visible AND (l.available_from IS NULL OR l.available_from <= now())
                    FROM product_listing l
                    WHERE l.shop_id = shop AND l.channel_id = channel AND l.product_id = p.id
                )
                ORDER BY score DESC, p.id LIMIT at_most;
        END
        $$
        """
    )
    _hand_over(_BY_CHANNEL)


def _hand_over(function: str) -> None:
    """Make galleria_definer the owner of a function, which then runs with that role's rights."""
    op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO galleria_app, galleria_worker")
    op.execute("GRANT CREATE ON SCHEMA public TO galleria_definer")
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    op.execute(f"ALTER FUNCTION {function} OWNER TO galleria_definer")
    op.execute("REVOKE CREATE ON SCHEMA public FROM galleria_definer")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_BY_CHANNEL}")
    op.execute("DROP POLICY definer ON product_listing")
    op.execute("REVOKE ALL ON product_listing FROM galleria_definer")
    _search_everything()


def _search_everything() -> None:
    """Bring back the search as it was, which looked at all of a shop's products."""
    op.execute(
        r"""
        CREATE FUNCTION search_products(sought text, config regconfig, at_most int)
        RETURNS TABLE (product_id uuid, rank int)
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        AS $$
        DECLARE
            shop constant uuid := app_shop();
            words constant tsquery := websearch_to_tsquery(config, sought);
        BEGIN
            RETURN QUERY
                SELECT v.product_id, 2000000 FROM variant v
                WHERE v.shop_id = shop AND v.sku = sought AND v.deleted_at IS NULL;
            IF FOUND THEN RETURN; END IF;
            RETURN QUERY
                SELECT p.id, (ts_rank_cd(p.search_vector, words, 32) * 1000000)::int AS score FROM product p
                WHERE p.shop_id = shop AND p.search_vector @@ words AND p.deleted_at IS NULL
                ORDER BY score DESC, p.id LIMIT at_most;
            IF FOUND THEN RETURN; END IF;
            RETURN QUERY
                SELECT p.id, (word_similarity(sought, p.name) * 1000)::int AS score FROM product p
                WHERE p.shop_id = shop AND p.deleted_at IS NULL
                    AND (sought <% p.name OR p.name LIKE '%' || replace(replace(replace(
                        sought, E'\\', E'\\\\'), '%', E'\\%'), '_', E'\\_') || '%')
                ORDER BY score DESC, p.id LIMIT at_most;
        END
        $$
        """
    )
    _hand_over(_BY_SHOP)
