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
                    .table("guild")
                    .col(big_integer("guild_id").primary_key())
                    .col(string("time_zone"))
                    .col(text("week_start"))
                    .col(string("language"))
                    .col(text("digest"))
                    .col(timestamp_with_time_zone_null("digest_due_at"))
                    .col(boolean("present"))
                    .col(timestamp_with_time_zone_null("left_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .take(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("guild").take()).await?;
        Ok(())
    }
}
