use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event")
                    .col(big_integer("id").auto_increment().primary_key())
                    .col(big_integer_null("position").unique_key())
                    .col(string("kind"))
                    .col(big_integer_null("guild_id"))
                    .col(string("subject"))
                    .col(string("actor"))
                    .col(string("source"))
                    .col(json("data"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("event_guild").table("event").col("guild_id").col("kind").col("position").take(),
            )
            .await?;
        manager.get_connection().execute_unprepared(guards(manager)).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres {
            let connection = manager.get_connection();
            connection.execute_unprepared("DROP TRIGGER event_append_only ON event").await?;
            connection.execute_unprepared("DROP FUNCTION event_append_only").await?;
        }
        manager.drop_table(Table::drop().table("event").take()).await?;
        Ok(())
    }
}

/// The log is append-only on both engines: only the position may be filled in, once.
fn guards(manager: &SchemaManager) -> &'static str {
    match manager.get_database_backend() {
        sea_orm_migration::sea_orm::DbBackend::Postgres => {
            "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
               IF TG_OP = 'UPDATE' AND OLD.position IS NULL
                  AND (NEW.id, NEW.kind, NEW.guild_id, NEW.subject, NEW.actor, NEW.source, NEW.data::text, NEW.created_at)
                      IS NOT DISTINCT FROM
                      (OLD.id, OLD.kind, OLD.guild_id, OLD.subject, OLD.actor, OLD.source, OLD.data::text, OLD.created_at)
               THEN RETURN NEW; END IF;
               RAISE EXCEPTION 'the event log is append-only';
             END $$;
             CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
             FOR EACH ROW EXECUTE FUNCTION event_append_only();"
        }
        _ => {
            "CREATE TRIGGER event_no_update BEFORE UPDATE ON event
             BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
             CREATE TRIGGER event_no_delete BEFORE DELETE ON event
             BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;"
        }
    }
}
