"""Row-level security, grants, and the functions that run with rights of their own."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "attribute attribute_assignment attribute_value category channel channel_warehouse collection collection_product "
    "domain listing media product product_listing product_relation product_type product_type_attribute review "
    "stock_level translation variant warehouse"
).split()

# What galleria_definer reads, across shops: never more than its two functions need.
DEFINER_TABLES = ("shop", "domain", "channel", "product", "variant")


def upgrade() -> None:
    _policy("shop", "id")
    for table in TENANT_TABLES:
        _policy(table, "shop_id")
    op.execute("GRANT SELECT ON alembic_version TO galleria_app, galleria_worker")
    for table in DEFINER_TABLES:
        op.execute(f"GRANT SELECT ON {table} TO galleria_definer")
        op.execute(f"CREATE POLICY definer ON {table} FOR SELECT TO galleria_definer USING (true)")
    _find_shop()
    _search_products()


def _policy(table: str, column: str) -> None:
    """Keep tenants apart; the parentheses around the call make it run once a statement instead of once a scan."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} TO galleria_app "
        f"USING ({column} = (SELECT app_shop())) WITH CHECK ({column} = (SELECT app_shop()))"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO galleria_app")


def _find_shop() -> None:
    op.execute(
        """
        CREATE FUNCTION find_shop(by_id uuid, by_slug text, by_host text)
        RETURNS TABLE (id uuid, slug text, name text, status text, default_currency text, default_locale text,
                       cursor_key bytea, default_channel_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        BEGIN ATOMIC
            SELECT s.id, s.slug, s.name, s.status, s.default_currency, s.default_locale, s.cursor_key, c.id
            FROM shop s LEFT JOIN channel c ON c.shop_id = s.id AND c.is_default
            WHERE s.id = by_id OR s.slug = by_slug
                OR s.id = (SELECT d.shop_id FROM domain d WHERE d.host = by_host);
        END
        """
    )
    _hand_over("find_shop(uuid, text, text)")


def _search_products() -> None:
    """Search under the index: `@@` and similarity are not leakproof, so a policy would make them filters.

    The shop comes from app_shop(), never from the caller. Words first; spelling errors by trigram where no word is
    found, or where the language has no word breaks; an exact SKU before everything.
    """
    op.execute(
        """
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
                        sought, E'\\\\', E'\\\\\\\\'), '%', E'\\\\%'), '_', E'\\\\_') || '%')
                ORDER BY score DESC, p.id LIMIT at_most;
        END
        $$
        """
    )
    _hand_over("search_products(text, regconfig, int)")


def _hand_over(function: str) -> None:
    """Make galleria_definer the owner of a function, which then runs with that role's rights."""
    op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO galleria_app, galleria_worker")
    op.execute("GRANT CREATE ON SCHEMA public TO galleria_definer")
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    op.execute(f"ALTER FUNCTION {function} OWNER TO galleria_definer")
    op.execute("REVOKE CREATE ON SCHEMA public FROM galleria_definer")


def downgrade() -> None:
    op.execute("DROP FUNCTION search_products(text, regconfig, int)")
    op.execute("DROP FUNCTION find_shop(uuid, text, text)")
    for table in DEFINER_TABLES:
        op.execute(f"DROP POLICY definer ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM galleria_definer")
    op.execute("REVOKE ALL ON alembic_version FROM galleria_app, galleria_worker")
    for table in ("shop", *TENANT_TABLES):
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM galleria_app")
