use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            manager.alter_table(Table::alter().table("user_account").add_column(column).take()).await?;
        }
        let name = "user_account_merged_into";
        manager.create_index(Index::create().name(name).table("user_account").col("merged_into").take()).await?;
        let connection = manager.get_connection();
        connection.execute_unprepared(ONE_PRIMARY).await?;
        // Only what people did, or what was done to them, is found by who it was. Other events pay nothing for it.
        for index in EVENTS_OF_PEOPLE {
            connection.execute_unprepared(index).await?;
        }
        connection
            .execute_unprepared(if is_postgres(manager) { REDACTABLE_POSTGRES } else { REDACTABLE_SQLITE })
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        connection.execute_unprepared(if is_postgres(manager) { FIXED_POSTGRES } else { FIXED_SQLITE }).await?;
        for index in [
            "event_about_account",
            "event_about_user",
            "event_of_user",
            "event_of_member",
            "identity_primary",
            "user_account_merged_into",
        ] {
            connection.execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        for column in columns() {
            let name = column.get_column_name();
            manager.alter_table(Table::alter().table("user_account").drop_column(Alias::new(name)).take()).await?;
        }
        Ok(())
    }
}

fn is_postgres(manager: &SchemaManager) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}

fn columns() -> Vec<ColumnDef> {
    vec![
        uuid_null("merged_into").take(),
        timestamp_with_time_zone_null("deleted_at").take(),
        timestamp_with_time_zone_null("erased_at").take(),
        text_null("time_zone").take(),
        text_null("language").take(),
        text_null("privacy").take(),
        text_null("ens_name").take(),
        text_null("ens_avatar").take(),
    ]
}

/// A person is shown by one account at most. Of several, the oldest stays.
const ONE_PRIMARY: &str = "
    UPDATE identity SET is_primary = FALSE WHERE is_primary AND EXISTS (
        SELECT 1 FROM identity older WHERE older.user_id = identity.user_id AND older.is_primary
        AND (older.created_at, older.platform, older.identity) < (identity.created_at, identity.platform, identity.identity));
    CREATE UNIQUE INDEX identity_primary ON identity (user_id) WHERE is_primary;";

const EVENTS_OF_PEOPLE: [&str; 4] = [
    "CREATE INDEX event_of_member ON event (actor) WHERE actor LIKE 'member:%'",
    "CREATE INDEX event_of_user ON event (actor) WHERE actor LIKE 'user:%'",
    "CREATE INDEX event_about_user ON event (subject) WHERE subject LIKE 'user/%'",
    "CREATE INDEX event_about_account ON event (subject) WHERE subject LIKE 'vanish_exemption/%/user/%'",
];

/// The log stays append-only, but for an erasure: it may put a person's own id in the place of their Discord account,
/// and take that account out of an exemption.
const REDACTABLE_POSTGRES: &str = r#"
    CREATE OR REPLACE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND OLD.position IS NULL
         AND (NEW.id, NEW.kind, NEW.guild_id, NEW.subject, NEW.actor, NEW.source, NEW.data::text, NEW.created_at)
             IS NOT DISTINCT FROM
             (OLD.id, OLD.kind, OLD.guild_id, OLD.subject, OLD.actor, OLD.source, OLD.data::text, OLD.created_at)
      THEN RETURN NEW; END IF;
      IF TG_OP = 'UPDATE'
         AND (NEW.id, NEW.position, NEW.kind, NEW.guild_id, NEW.source, NEW.created_at)
             IS NOT DISTINCT FROM (OLD.id, OLD.position, OLD.kind, OLD.guild_id, OLD.source, OLD.created_at)
         AND (NEW.actor = OLD.actor OR (OLD.actor LIKE 'member:%' AND NEW.actor LIKE 'user:%'))
         AND ((NEW.subject = OLD.subject AND NEW.data::text = OLD.data::text)
              OR (OLD.subject LIKE 'vanish_exemption/%/user/%' AND NEW.subject LIKE 'vanish_exemption/%/user/erased'
                  AND NEW.data::text = '{"before":null,"after":null}'))
      THEN RETURN NEW; END IF;
      RAISE EXCEPTION 'the event log is append-only';
    END $$;"#;

const REDACTABLE_SQLITE: &str = r#"
    DROP TRIGGER event_no_update;
    CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    WHEN NOT (NEW.id IS OLD.id AND NEW.position IS OLD.position AND NEW.kind IS OLD.kind
        AND NEW.guild_id IS OLD.guild_id AND NEW.source IS OLD.source AND NEW.created_at IS OLD.created_at
        AND (NEW.actor IS OLD.actor OR (OLD.actor LIKE 'member:%' AND NEW.actor LIKE 'user:%'))
        AND ((NEW.subject IS OLD.subject AND NEW.data IS OLD.data)
             OR (OLD.subject LIKE 'vanish_exemption/%/user/%' AND NEW.subject LIKE 'vanish_exemption/%/user/erased'
                 AND NEW.data IS '{"before":null,"after":null}')))
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;"#;

const FIXED_POSTGRES: &str = "
    CREATE OR REPLACE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND OLD.position IS NULL
         AND (NEW.id, NEW.kind, NEW.guild_id, NEW.subject, NEW.actor, NEW.source, NEW.data::text, NEW.created_at)
             IS NOT DISTINCT FROM
             (OLD.id, OLD.kind, OLD.guild_id, OLD.subject, OLD.actor, OLD.source, OLD.data::text, OLD.created_at)
      THEN RETURN NEW; END IF;
      RAISE EXCEPTION 'the event log is append-only';
    END $$;";

const FIXED_SQLITE: &str = "
    DROP TRIGGER event_no_update;
    CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;";
