"""The outbox: triggers announce what changes in its own transaction, the relay puts it in an order of its shop's own."""

# ruff: noqa: S608  (the triggers are put together from the names of our own tables and columns)

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Columns that are worth an event of the row itself, by table; the others are keys, times, secrets or follow from these.
ENTITIES = {
    "attribute": "slug name kind unit is_filterable is_variant_selection position",
    "attribute_value": "attribute_id slug name color position",
    "category": "parent_id path slug name description position seo_title seo_description",
    "channel": "slug name currency default_country prices_include_tax is_default",
    "collection": "slug name description kind rule is_published seo_title seo_description",
    "media": "product_id variant_id kind url alt position",
    "product": (
        "product_type_id category_id slug name description vendor tags status rating_average rating_count seo_title "
        "seo_description external_ref metadata deleted_at"
    ),
    "product_type": "slug name",
    "review": "product_id author_name author_subject rating title body status",
    "variant": (
        "product_id sku name barcode weight_g position track_inventory backorder_limit external_ref metadata deleted_at"
    ),
    "warehouse": "slug name country is_active",
}
# What an event says of the row beside its id, where that leads to those who wait for it.
PARENTS = {"attribute_value": "attribute_id", "media": "product_id", "review": "product_id", "variant": "product_id"}
MARKED_AS_DELETED = ("product", "variant")

# Rows that are a part of another, which they change: their key, their columns, and the select list of what they change.
PARTS = {
    "attribute_assignment": (
        "id",
        "product_id variant_id attribute_id value_id text_value number_value boolean_value date_value position",
        (
            "CASE WHEN r.variant_id IS NULL THEN 'product' ELSE 'variant' END, coalesce(r.variant_id, r.product_id), "
            "CASE WHEN r.variant_id IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('productId', r.product_id) END"
        ),
    ),
    "channel_warehouse": ("channel_id warehouse_id", "priority", "'channel', r.channel_id, '{}'::jsonb"),
    "collection_product": ("collection_id product_id", "position", "'collection', r.collection_id, '{}'::jsonb"),
    "product_relation": ("product_id kind related_id", "position", "'product', r.product_id, '{}'::jsonb"),
    "product_type_attribute": (
        "product_type_id attribute_id",
        "position",
        "'product_type', r.product_type_id, '{}'::jsonb",
    ),
    "translation": ("entity_id locale field", "value", "r.entity, r.entity_id, '{}'::jsonb"),
}
# A part that goes with its whole changes nothing; and who is in a collection by rule follows from other changes.
# Subqueries for one value, so that each stays a look-up in an index.
LOOK_UP = "(SELECT true FROM {} p WHERE p.shop_id = r.shop_id AND p.id = r.{})"
TRANSLATED = "attribute attribute_value category collection product product_type variant".split()
WHOLES = {
    "attribute_assignment": LOOK_UP.format("product", "product_id"),
    "channel_warehouse": LOOK_UP.format("channel", "channel_id"),
    "collection_product": LOOK_UP.format("collection", "collection_id").replace(
        " p WHERE", " p WHERE kind = 'MANUAL' AND"
    ),
    "product_relation": LOOK_UP.format("product", "product_id"),
    "product_type_attribute": LOOK_UP.format("product_type", "product_type_id"),
    "translation": "CASE r.entity "
    + " ".join(f"WHEN '{table}' THEN {LOOK_UP.format(table, 'entity_id')}" for table in TRANSLATED)
    + " END",
}

# Figures of a variant, of which an event tells what they were and what they are: the key beside the variant, its name
# in the payload, the columns, and what they are called.
FIGURES = {
    "stock_level": (
        "warehouse_id",
        "warehouseId",
        "on_hand allocated reserved safety backorder_limit",
        "'onHand', r.on_hand, 'available', r.on_hand - r.allocated - r.reserved - r.safety",
    ),
    "listing": (
        "channel_id",
        "channelId",
        "price_minor compare_at_minor cost_minor is_published available_from",
        (
            "'priceMinor', r.price_minor, 'compareAtMinor', r.compare_at_minor, 'isPublished', r.is_published, "
            "'availableFrom', r.available_from"
        ),
    ),
}
FIGURE_TYPES = {"stock_level": "stock.changed", "listing": "price.changed"}

READ_BY_DEFINER = ("attribute", "attribute_value", "category", "collection", "product_type")
"""Beside what it may read already."""

TABLES = (*ENTITIES, *PARTS, *FIGURES)
EVENT = "INSERT INTO outbox_event (shop_id, aggregate, aggregate_id, type, payload, actor)"


def upgrade() -> None:
    op.execute("GRANT galleria_definer TO CURRENT_USER")
    _make_tables()
    for table in READ_BY_DEFINER:
        op.execute(f"GRANT SELECT ON {table} TO galleria_definer")
        op.execute(f"CREATE POLICY definer ON {table} FOR SELECT TO galleria_definer USING (true)")
    op.execute("GRANT CREATE ON SCHEMA public TO galleria_definer")
    for table in ENTITIES:
        _announce(table, _entity(table))
    for table in PARTS:
        _announce(table, _part(table))
    for table in FIGURES:
        _announce(table, _figures(table))
    _follow_shops()
    _relay()
    _expire()
    _measure()
    op.execute("REVOKE CREATE ON SCHEMA public FROM galleria_definer")


def _make_tables() -> None:
    """Make the outbox, without the reference to the shop that would be checked for each event.

    The events of a shop that is deleted go by a trigger; its position, of which there is one, by a reference.
    """
    op.execute(
        """
        CREATE TABLE outbox_event (
            shop_id uuid NOT NULL,
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            place bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
            aggregate text NOT NULL,
            aggregate_id uuid NOT NULL,
            type text NOT NULL,
            payload jsonb NOT NULL DEFAULT '{}',
            actor text,
            trace text,
            created_at timestamp with time zone NOT NULL DEFAULT now(),
            sequence bigint,
            relayed_at timestamp with time zone,
            CONSTRAINT pk_outbox_event PRIMARY KEY (shop_id, id)
        )
        """
    )
    op.execute("CREATE INDEX ix_outbox_event_place ON outbox_event (place) WHERE sequence IS NULL")
    op.execute(
        "CREATE UNIQUE INDEX uq_outbox_event_sequence ON outbox_event (shop_id, sequence) WHERE sequence IS NOT NULL"
    )
    op.execute(
        """
        CREATE TABLE outbox_position (
            shop_id uuid NOT NULL,
            sequence bigint NOT NULL DEFAULT 0,
            oldest bigint NOT NULL DEFAULT 1,
            CONSTRAINT pk_outbox_position PRIMARY KEY (shop_id),
            CONSTRAINT fk_outbox_position_ FOREIGN KEY (shop_id) REFERENCES shop (id) ON DELETE CASCADE
        )
        """
    )
    for table in ("outbox_event", "outbox_position"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} TO galleria_app "
            "USING (shop_id = (SELECT app_shop())) WITH CHECK (shop_id = (SELECT app_shop()))"
        )
        op.execute(f"CREATE POLICY definer ON {table} TO galleria_definer USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO galleria_app, galleria_definer")
    _position_of_shops_that_are_there()


def _position_of_shops_that_are_there() -> None:
    """Write them as a role that the policies let through, since the owner of the tables may be no superuser."""
    op.execute("SET LOCAL ROLE galleria_definer")
    op.execute("INSERT INTO outbox_position (shop_id) SELECT id FROM shop")
    op.execute("RESET ROLE")


def _rows(alias: str, columns: str) -> str:
    return f"({', '.join(f'{alias}.{column}' for column in columns.split())})"


def _changed(key: str, columns: str) -> str:
    """Return the join of rows that an update has made different in one of these columns."""
    return f"old_rows o JOIN new_rows n ON {_rows('o', key)} = {_rows('n', key)} AND {_rows('o', columns)} IS DISTINCT FROM {_rows('n', columns)}"


def _entity(table: str) -> tuple[str, str, str]:
    """Return the statements that announce what was inserted, updated and deleted in a table of entities.

    What is marked as deleted is deleted, and nobody hears of it any more, not even that the mark's row is removed.
    """
    marked = table in MARKED_AS_DELETED
    parent = PARENTS.get(table)
    name = {"product_id": "productId", "attribute_id": "attributeId"}.get(parent or "")

    def event(row: str, verb: str) -> str:
        payload = f"jsonb_build_object('{name}', {row}.{parent})" if parent else "'{}'::jsonb"
        if table == "product" and row == "n" and verb != repr("product.created"):
            # Whether those who see active ones only have seen it: a draft is not to be known by its changes.
            payload = "jsonb_build_object('wasActive', o.status = 'ACTIVE' AND o.deleted_at IS NULL)"
        return f"{EVENT} SELECT {row}.shop_id, '{table}', {row}.id, {verb}, {payload}, actor"

    verb = f"'{table}.updated'"
    if marked:
        verb = f"CASE WHEN n.deleted_at IS NULL THEN {verb} ELSE '{table}.deleted' END"
    update = f"{event('n', verb)} FROM {_changed('id', ENTITIES[table])}"
    if marked:
        update += " WHERE o.deleted_at IS NULL OR n.deleted_at IS NULL"
    return (
        f"{event('n', repr(f'{table}.created'))} FROM new_rows n" + (" WHERE n.deleted_at IS NULL" if marked else ""),
        update,
        f"{event('o', repr(f'{table}.deleted'))} FROM old_rows o" + (" WHERE o.deleted_at IS NULL" if marked else ""),
    )


def _part(table: str) -> tuple[str, str, str]:
    """Return the statements that announce that a part of something has changed: one event for each whole."""
    key, columns, whole = PARTS[table]
    sources = ("new_rows", f"(SELECT n.* FROM {_changed(key, columns)})", "old_rows")
    return tuple(  # type: ignore[return-value]
        f"{EVENT} SELECT w.shop_id, w.aggregate, w.aggregate_id, w.aggregate || '.updated', w.payload, actor FROM ("
        f"SELECT DISTINCT r.shop_id, {whole} FROM {source} r WHERE {WHOLES[table]}) AS w (shop_id, aggregate, aggregate_id, payload)"
        for source in sources
    )


def _figures(table: str) -> tuple[str, str, str]:
    """Return the statements that announce what figures of a variant were and are; null where there were, or are, none.

    What an article costs the shop is no price: it is a property of the variant.
    """
    key, name, columns, said = FIGURES[table]

    def event(row: str, before: str, after: str) -> str:
        payload = f"jsonb_build_object('{name}', {row}.{key}, 'before', {before}, 'after', {after})"
        return f"SELECT {row}.shop_id, 'variant', {row}.variant_id, '{FIGURE_TYPES[table]}', {payload}, actor"

    old, new = (f"jsonb_build_object({said.replace('r.', f'{row}.')})" for row in "on")
    changed = _changed(f"variant_id {key}", columns)
    update = f"{EVENT} {event('n', old, new)} FROM {changed}"
    if table == "listing":
        seen = columns.replace("cost_minor ", "")
        is_price = f"{_rows('o', seen)} IS DISTINCT FROM {_rows('n', seen)}"
        product = "(SELECT v.product_id FROM variant v WHERE v.shop_id = n.shop_id AND v.id = n.variant_id)"
        update += (
            f" WHERE {is_price} UNION ALL SELECT n.shop_id, 'variant', n.variant_id, 'variant.updated', "
            f"jsonb_build_object('productId', {product}), actor FROM {changed} WHERE NOT ({is_price})"
        )
    return (
        f"{EVENT} {event('n', 'null', new)} FROM new_rows n",
        update,
        f"{EVENT} {event('o', old, 'null')} FROM old_rows o",
    )


def _announce(table: str, statements: tuple[str, str, str]) -> None:
    """Let a table announce its changes: one statement for all rows, in the transaction of the change.

    It runs as galleria_definer since cascades run their triggers as the owner of the table, whom no policy lets in. Who
    writes without a tenant, as in a migration, or has said that nobody waits for it, announces nothing. Rows before
    and after are hashed: the plan is kept, and one made for a row would compare each of a thousand with every other.
    """
    inserted, updated, deleted = statements
    op.execute(
        f"""
        CREATE FUNCTION announce_{table}() RETURNS trigger
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
    tables = {"insert": "NEW TABLE AS new_rows", "delete": "OLD TABLE AS old_rows"}
    tables["update"] = f"{tables['delete']} {tables['insert']}"
    for verb, referencing in tables.items():
        op.execute(
            f"CREATE TRIGGER announce_{verb} AFTER {verb.upper()} ON {table} REFERENCING {referencing} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION announce_{table}()"
        )
    op.execute(f"REVOKE ALL ON FUNCTION announce_{table}() FROM PUBLIC")
    op.execute(f"ALTER FUNCTION announce_{table}() OWNER TO galleria_definer")


def _follow_shops() -> None:
    """Give each new shop its position, and take the events of one that is deleted, and let the cascade leave none."""
    op.execute(
        """
        CREATE FUNCTION follow_shop() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
        AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                INSERT INTO outbox_position (shop_id) SELECT n.id FROM new_rows n;
            ELSIF EXISTS (SELECT FROM old_rows) THEN
                PERFORM set_config('app.events', 'off', true);
                DELETE FROM outbox_event e WHERE e.shop_id IN (SELECT o.id FROM old_rows o);
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    for verb, referencing in (("insert", "NEW TABLE AS new_rows"), ("delete", "OLD TABLE AS old_rows")):
        op.execute(
            f"CREATE TRIGGER follow_{verb} AFTER {verb.upper()} ON shop REFERENCING {referencing} "
            "FOR EACH STATEMENT EXECUTE FUNCTION follow_shop()"
        )
    op.execute("REVOKE ALL ON FUNCTION follow_shop() FROM PUBLIC")
    op.execute("ALTER FUNCTION follow_shop() OWNER TO galleria_definer")


def _relay() -> None:
    """Number waiting events, each shop's for itself.

    A shop belongs to whoever has locked its position, until the commit: the next one numbers on from there, and nobody
    sees a number before all smaller ones. Shops that another has are left to it. Events are looked for again under the
    lock, in a statement of its own, which sees what the one before has committed. Within a shop they keep the order of
    their places, so that what waited for another change comes behind it. They are updated one by one, by their keys:
    how a join of five hundred is made depends on how many there were when somebody counted.
    """
    op.execute(
        """
        CREATE FUNCTION relay_events(at_most int) RETURNS TABLE (shop_id uuid, sequence bigint, relayed bigint)
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
        AS $$
        #variable_conflict use_column
        DECLARE
            mine uuid[];
            event uuid;
            taken record;
            number bigint;
        BEGIN
            SELECT array_agg(l.shop_id) INTO mine FROM (
                SELECT p.shop_id FROM outbox_position p
                WHERE p.shop_id = ANY (ARRAY(
                    SELECT DISTINCT w.shop_id FROM (
                        SELECT e.shop_id FROM outbox_event e WHERE e.sequence IS NULL ORDER BY e.place LIMIT at_most
                    ) AS w
                ))
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS l;
            IF mine IS NULL THEN
                RETURN;
            END IF;
            FOR taken IN
                SELECT w.shop_id, array_agg(w.id ORDER BY w.place) AS ids FROM (
                    SELECT e.shop_id, e.id, e.place FROM outbox_event e
                    WHERE e.sequence IS NULL AND e.shop_id = ANY (mine) ORDER BY e.place LIMIT at_most
                ) AS w
                GROUP BY w.shop_id
            LOOP
                SELECT p.sequence INTO number FROM outbox_position p WHERE p.shop_id = taken.shop_id;
                FOREACH event IN ARRAY taken.ids LOOP
                    number := number + 1;
                    UPDATE outbox_event e SET sequence = number, relayed_at = clock_timestamp()
                    WHERE e.shop_id = taken.shop_id AND e.id = event;
                END LOOP;
                UPDATE outbox_position p SET sequence = number WHERE p.shop_id = taken.shop_id;
                RETURN QUERY SELECT taken.shop_id, number, cardinality(taken.ids)::bigint;
            END LOOP;
        END
        $$
        """
    )
    _hand_over("relay_events(int)")


def _expire() -> None:
    """Delete old events of a shop from its first one on, and note which is the first that is left."""
    op.execute(
        """
        CREATE FUNCTION expire_events(days int, at_most int) RETURNS bigint
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
        AS $$
        DECLARE
            due constant timestamptz := now() - make_interval(days => days);
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
    _hand_over("expire_events(int, int)")


def _measure() -> None:
    op.execute(
        """
        CREATE FUNCTION outbox_backlog() RETURNS TABLE (waiting bigint, oldest_seconds double precision)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
        BEGIN ATOMIC
            SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(e.created_at)), 0)::double precision
            FROM outbox_event e WHERE e.sequence IS NULL;
        END
        """
    )
    _hand_over("outbox_backlog()")


def _hand_over(function: str) -> None:
    """Make galleria_definer the owner of a function, which then runs with that role's rights, over all shops."""
    op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO galleria_app, galleria_worker")
    op.execute(f"ALTER FUNCTION {function} OWNER TO galleria_definer")


def downgrade() -> None:
    for function in ("outbox_backlog()", "expire_events(int, int)", "relay_events(int)"):
        op.execute(f"DROP FUNCTION {function}")
    for verb in ("insert", "delete"):
        op.execute(f"DROP TRIGGER follow_{verb} ON shop")
    op.execute("DROP FUNCTION follow_shop()")
    for table in TABLES:
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER announce_{verb} ON {table}")
        op.execute(f"DROP FUNCTION announce_{table}()")
    for table in READ_BY_DEFINER:
        op.execute(f"DROP POLICY definer ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM galleria_definer")
    op.execute("DROP TABLE outbox_position")
    op.execute("DROP TABLE outbox_event")
