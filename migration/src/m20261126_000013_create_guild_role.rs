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
                    .table("guild_role")
                    .col(big_integer("guild_id"))
                    .col(text("kind"))
                    .col(big_integer("role_id"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .primary_key(Index::create().col("guild_id").col("kind"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("guild_role").take()).await
    }
}
