use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let due = timestamp_with_time_zone_null("ens_due_at").take();
        manager.alter_table(Table::alter().table("user_account").add_column(due).take()).await?;
        // Most people have no wallet, and are in no index of wallets that are due.
        manager.get_connection().execute_unprepared(INDEX).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX user_account_ens_due").await?;
        let due = Alias::new("ens_due_at");
        manager.alter_table(Table::alter().table("user_account").drop_column(due).take()).await
    }
}

const INDEX: &str = "CREATE INDEX user_account_ens_due ON user_account (ens_due_at) WHERE ens_due_at IS NOT NULL";
