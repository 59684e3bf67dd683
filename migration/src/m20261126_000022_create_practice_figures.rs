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
                    .table("practice_activity_day")
                    .col(uuid("user_id"))
                    .col(big_integer("guild_bits"))
                    .col(text("activity"))
                    .col(date("local_date"))
                    .col(big_integer("seconds"))
                    .col(big_integer("voice_seconds"))
                    .primary_key(Index::create().col("user_id").col("guild_bits").col("activity").col("local_date"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("practice_activity_day_board")
                    .table("practice_activity_day")
                    .col("guild_bits")
                    .col("activity")
                    .col("local_date")
                    .col("user_id")
                    .col("seconds")
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("guild_departure")
                    .col(uuid("user_id"))
                    .col(big_integer("guild_id"))
                    .col(timestamp_with_time_zone("noted_at"))
                    .primary_key(Index::create().col("user_id").col("guild_id"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("guild_departure").take()).await?;
        manager.drop_table(Table::drop().table("practice_activity_day").take()).await
    }
}
