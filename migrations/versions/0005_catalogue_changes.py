"""A trace of every transaction that changes what a shop's clients read, so that caches know their answers are old."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# All that answers are made of. A domain only leads to its shop, and `shop` itself holds what every answer starts from.
WATCHED_TABLES = (
    "attribute attribute_assignment attribute_value category channel channel_warehouse collection collection_product "
    "listing media product product_listing product_relation product_type product_type_attribute review shop "
    "stock_level translation variant warehouse"
).split()


def upgrade() -> None:
    op.create_table(
        "catalogue_change",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "step",
            sa.BigInteger(),
            server_default=sa.text("(1 + floor(random() * 4294967295))::bigint"),
            nullable=False,
        ),
        sa.CheckConstraint("step > 0", name=op.f("ck_catalogue_change_step")),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_catalogue_change_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_catalogue_change")),
    )
    op.create_index(
        "ix_listing_available_from",
        "listing",
        ["shop_id", "available_from"],
        postgresql_where=sa.text("available_from IS NOT NULL"),
    )
    op.execute("ALTER TABLE catalogue_change ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE catalogue_change FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON catalogue_change TO galleria_app "
        "USING (shop_id = (SELECT app_shop())) WITH CHECK (shop_id = (SELECT app_shop()))"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON catalogue_change TO galleria_app")
    op.execute("CREATE POLICY definer ON catalogue_change TO galleria_definer USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT ON catalogue_change TO galleria_definer")
    # Shops that are there have a version to start from, which no other database has.
    op.execute("INSERT INTO catalogue_change (shop_id) SELECT id FROM shop")
    _note_changes()


def _note_changes() -> None:
    """Leave a row of its own for each transaction, which waits for nobody; one counter would make writers queue.

    The trigger cannot be forgotten by any code that writes, and what it leaves commits and rolls back with the rest.
    Later statements of a transaction are let off by a setting that ends with it, and with a savepoint. It runs as
    galleria_definer since cascades run their triggers as the owner of the table, whom no policy lets in. Whoever
    writes without a tenant, as in a migration, changes all shops; a shop that is being deleted needs no trace.
    """
    op.execute(
        """
        CREATE FUNCTION note_catalogue_change() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
        AS $$
        DECLARE
            changed constant text := 'of ' || coalesce(app_shop()::text, 'all');
        BEGIN
            IF current_setting('app.changed', true) IS DISTINCT FROM changed THEN
                INSERT INTO catalogue_change (shop_id)
                SELECT s.id FROM shop s WHERE app_shop() IS NULL OR s.id = app_shop();
                PERFORM set_config('app.changed', changed, true);
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    for table in WATCHED_TABLES:
        op.execute(
            f"CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION note_catalogue_change()"
        )
    op.execute("REVOKE ALL ON FUNCTION note_catalogue_change() FROM PUBLIC")
    op.execute("GRANT CREATE ON SCHEMA public TO galleria_definer")
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    op.execute("ALTER FUNCTION note_catalogue_change() OWNER TO galleria_definer")
    op.execute("REVOKE CREATE ON SCHEMA public FROM galleria_definer")


def downgrade() -> None:
    for table in WATCHED_TABLES:
        op.execute(f"DROP TRIGGER note_change ON {table}")
    op.execute("DROP FUNCTION note_catalogue_change()")
    op.execute("DROP TABLE catalogue_change")
    op.drop_index("ix_listing_available_from", "listing")
