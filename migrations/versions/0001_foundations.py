"""Extensions, roles, and the two functions that tables are built on."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

EXTENSIONS = ("pg_trgm", "btree_gin")

# galleria_app serves requests, galleria_worker relays events across shops, galleria_definer owns the few functions that
# must read before a tenant is known, or through an index that row-level security would hide.
ROLES = ("galleria_app", "galleria_worker", "galleria_definer")


def upgrade() -> None:
    for extension in EXTENSIONS:
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    for role in ROLES:
        # Roles belong to the cluster: another database of it may have made them.
        op.execute(
            f"""
            DO $$ BEGIN
                CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """
        )
    # With one address for everything the owner serves requests too, as galleria_app; where the role was made for us with
    # an address of its own, there is nothing to grant.
    op.execute(
        """
        DO $$ BEGIN
            GRANT galleria_app TO CURRENT_USER;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION app_shop() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
        RETURN nullif(current_setting('app.shop_id', true), '')::uuid
        """
    )
    # array_to_string is only STABLE because elements of some types print by settings; text does not.
    op.execute(
        """
        CREATE FUNCTION immutable_join(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN array_to_string($1, ' ')
        """
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION immutable_join(text[])")
    op.execute("DROP FUNCTION app_shop()")
    for extension in EXTENSIONS:
        op.execute(f"DROP EXTENSION {extension}")
