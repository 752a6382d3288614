"""Events say whether only the shop's staff can see what has changed, and only the relay changes what is announced."""

# ruff: noqa: S608  (the triggers are put together from the names of our own tables and columns)

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Columns that are worth an event, by table, and after them those that concern nobody but the shop: what other systems
# call the row, and what these keep with it.
PUBLIC = {
    "product": (
        "product_type_id category_id slug name description vendor tags status rating_average rating_count seo_title "
        "seo_description deleted_at"
    ),
    "variant": "product_id sku name barcode weight_g position track_inventory backorder_limit deleted_at",
}
INTERNAL = "external_ref metadata"

PAYLOADS = {
    # Of a change, and of a beginning or an end.
    "product": ("jsonb_build_object('wasActive', o.status = 'ACTIVE' AND o.deleted_at IS NULL)", "'{}'::jsonb"),
    "variant": ("jsonb_build_object('productId', n.product_id)", "jsonb_build_object('productId', r.product_id)"),
}

LISTED = "price_minor compare_at_minor is_published available_from"
FIGURES = (
    "jsonb_build_object('priceMinor', r.price_minor, 'compareAtMinor', r.compare_at_minor, 'isPublished', "
    "r.is_published, 'availableFrom', r.available_from)"
)

MARK = """'{"internal": true}'::jsonb"""
EVENT = "INSERT INTO outbox_event (shop_id, aggregate, aggregate_id, type, payload, actor)"
TABLES = ("outbox_event", "outbox_position")
SHORTEST_DAYS = "greatest(days, 1)"


def upgrade() -> None:
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    _announce(marked=True)
    for table in TABLES:
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM galleria_app")
    op.execute("REVOKE INSERT ON outbox_position FROM galleria_app")
    _expire(SHORTEST_DAYS)


def _announce(*, marked: bool) -> None:
    for table in PUBLIC:
        _replace(table, *_entity(table, marked=marked))
    _replace("listing", *_listing(marked=marked))


def _rows(alias: str, columns: str) -> str:
    return f"({', '.join(f'{alias}.{column}' for column in columns.split())})"


def _is_changed(columns: str) -> str:
    return f"{_rows('o', columns)} IS DISTINCT FROM {_rows('n', columns)}"


def _entity(table: str, *, marked: bool) -> tuple[str, str, str]:
    """Return the statements that announce what was inserted, updated and deleted in a table of entities."""
    public, (changed, other) = PUBLIC[table], PAYLOADS[table]
    if marked:
        changed += f" || CASE WHEN {_is_changed(public)} THEN '{{}}'::jsonb ELSE {MARK} END"

    def event(row: str, verb: str) -> str:
        payload = other.replace("r.", f"{row}.")
        return (
            f"{EVENT} SELECT {row}.shop_id, '{table}', {row}.id, '{table}.{verb}', {payload}, actor "
            f"FROM {'new' if row == 'n' else 'old'}_rows {row} WHERE {row}.deleted_at IS NULL"
        )

    update = (
        f"{EVENT} SELECT n.shop_id, '{table}', n.id, "
        f"CASE WHEN n.deleted_at IS NULL THEN '{table}.updated' ELSE '{table}.deleted' END, {changed}, actor "
        f"FROM old_rows o JOIN new_rows n ON n.id = o.id AND {_is_changed(f'{public} {INTERNAL}')} "
        "WHERE o.deleted_at IS NULL OR n.deleted_at IS NULL"
    )
    return event("n", "created"), update, event("o", "deleted")


def _listing(*, marked: bool) -> tuple[str, str, str]:
    """Return the statements that announce prices; what an article costs the shop is a property of the variant."""

    def event(row: str, before: str, after: str) -> str:
        payload = f"jsonb_build_object('channelId', {row}.channel_id, 'before', {before}, 'after', {after})"
        return f"SELECT {row}.shop_id, 'variant', {row}.variant_id, 'price.changed', {payload}, actor"

    old, new = (FIGURES.replace("r.", f"{row}.") for row in "on")
    changed = "FROM old_rows o JOIN new_rows n ON (n.variant_id, n.channel_id) = (o.variant_id, o.channel_id)"
    product = "(SELECT v.product_id FROM variant v WHERE v.shop_id = n.shop_id AND v.id = n.variant_id)"
    update = (
        f"{EVENT} {event('n', old, new)} {changed} AND {_is_changed(LISTED)} "
        "UNION ALL SELECT n.shop_id, 'variant', n.variant_id, 'variant.updated', "
        f"jsonb_build_object('productId', {product}){f' || {MARK}' if marked else ''}, actor {changed} "
        f"AND {_is_changed('cost_minor')} AND NOT ({_is_changed(LISTED)})"
    )
    return (
        f"{EVENT} {event('n', 'null', new)} FROM new_rows n",
        update,
        f"{EVENT} {event('o', old, 'null')} FROM old_rows o",
    )


def _replace(table: str, inserted: str, updated: str, deleted: str) -> None:
    """Let a table announce its changes by these statements; who owns the function, and who may call it, stays."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION announce_{table}() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_nestloop = off
        AS $$
        DECLARE
            actor constant text := nullif(current_setting('app.actor', true), '');
        BEGIN
            IF app_shop() IS NULL OR current_setting('app.events', true) = 'off' THEN
                RETURN NULL;
            END IF;
            IF TG_OP = 'INSERT' THEN
                {inserted};
            ELSIF TG_OP = 'UPDATE' THEN
                {updated};
            ELSE
                {deleted};
            END IF;
            RETURN NULL;
        END
        $$
        """
    )


def _expire(days: str) -> None:
    """Delete old events of a shop from its first one on; whoever calls it, those of the last day stay."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION expire_events(days int, at_most int) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
        AS $$
        DECLARE
            due constant timestamptz := now() - make_interval(days => {days});
            found uuid;
            last bigint;
            gone bigint;
        BEGIN
            SELECT p.shop_id INTO found FROM outbox_position p
            WHERE (
                SELECT e.relayed_at < due FROM outbox_event e
                WHERE e.shop_id = p.shop_id AND e.sequence >= p.oldest ORDER BY e.sequence LIMIT 1
            )
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
            IF found IS NULL THEN
                RETURN 0;
            END IF;
            SELECT max(f.sequence) INTO last FROM (
                SELECT e.sequence, e.relayed_at FROM outbox_event e
                WHERE e.shop_id = found AND e.sequence IS NOT NULL ORDER BY e.sequence LIMIT at_most
            ) AS f
            WHERE f.relayed_at < due;
            DELETE FROM outbox_event e WHERE e.shop_id = found AND e.sequence <= last;
            GET DIAGNOSTICS gone = ROW_COUNT;
            UPDATE outbox_position p SET oldest = last + 1 WHERE p.shop_id = found AND gone > 0;
            RETURN gone;
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    _announce(marked=False)
    for table in TABLES:
        op.execute(f"GRANT INSERT, UPDATE, DELETE ON {table} TO galleria_app")
    _expire("days")
