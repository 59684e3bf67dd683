use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// Giving an event its position on PostgreSQL reads only those that have none, and runs no function for each: that is
/// run only where something else is to change.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let statements = "
            CREATE INDEX event_waiting ON event (id) WHERE position IS NULL;
            DROP TRIGGER event_append_only ON event;
            CREATE TRIGGER event_append_only
            BEFORE DELETE OR UPDATE OF id, kind, guild_id, subject, actor, source, data, created_at ON event
            FOR EACH ROW EXECUTE FUNCTION event_append_only();
            CREATE TRIGGER event_positioned_once BEFORE UPDATE OF position ON event
            FOR EACH ROW WHEN (OLD.position IS NOT NULL) EXECUTE FUNCTION event_append_only();";
        manager.get_connection().execute_unprepared(statements).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let statements = "
            DROP TRIGGER event_positioned_once ON event;
            DROP TRIGGER event_append_only ON event;
            DROP INDEX event_waiting;
            CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
            FOR EACH ROW EXECUTE FUNCTION event_append_only();";
        manager.get_connection().execute_unprepared(statements).await?;
        Ok(())
    }
}
