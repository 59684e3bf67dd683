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
                    .table("event_cursor")
                    .col(string("name").primary_key())
                    .col(big_integer("position"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create().table("instance_value").col(string("name").primary_key()).col(string("value")).take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("lease")
                    .col(string("name").primary_key())
                    .col(uuid("holder"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("proposal")
                    .col(uuid("id").primary_key())
                    .col(big_integer("guild_id"))
                    .col(big_integer("user_id"))
                    .col(string("kind"))
                    .col(json("data"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("proposal_expires").table("proposal").col("expires_at").take())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("announcement")
                    .col(uuid("id").primary_key())
                    .col(big_integer("guild_id"))
                    .col(string("slot_key"))
                    .col(string("kind"))
                    .col(json("data"))
                    .col(string("dedupe_key").unique_key())
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(timestamp_with_time_zone_null("leased_until"))
                    .col(integer("attempts"))
                    .col(string_null("outcome"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("announcement_due").table("announcement").col("due_at").take())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("announcement").take()).await?;
        manager.drop_table(Table::drop().table("proposal").take()).await?;
        manager.drop_table(Table::drop().table("lease").take()).await?;
        manager.drop_table(Table::drop().table("instance_value").take()).await?;
        manager.drop_table(Table::drop().table("event_cursor").take()).await?;
        Ok(())
    }
}
