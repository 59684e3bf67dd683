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
                    .table("direct_message")
                    .col(uuid("id").primary_key())
                    .col(big_integer("discord_user_id"))
                    .col(string("kind"))
                    .col(json("data"))
                    .col(string("dedupe_key").unique_key())
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(timestamp_with_time_zone_null("leased_until"))
                    .col(integer("attempts"))
                    .col(string_null("outcome"))
                    .col(big_integer_null("channel_id"))
                    .col(big_integer_null("message_id"))
                    .col(timestamp_with_time_zone_null("delete_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await?;
        for column in ["due_at", "delete_at"] {
            let name = format!("direct_message_{column}");
            manager.create_index(Index::create().name(name).table("direct_message").col(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("direct_message").take()).await
    }
}
