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
                    .table("channel_slot")
                    .col(uuid("id").primary_key())
                    .col(big_integer("guild_id"))
                    .col(string("key"))
                    .col(big_integer_null("channel_id"))
                    .col(text("slot_type"))
                    .col(string_null("purpose"))
                    .col(text("state"))
                    .col(string_null("problem"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("channel_slot_guild_key")
                    .table("channel_slot")
                    .col("guild_id")
                    .col("key")
                    .unique()
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("channel_slot_channel").table("channel_slot").col("channel_id").take())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("channel_slot").take()).await?;
        Ok(())
    }
}
