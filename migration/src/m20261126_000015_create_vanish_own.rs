use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in BOUNDS {
            let column = big_integer_null(name).take();
            manager.alter_table(Table::alter().table("vanish_default").add_column(column).take()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("vanish_own")
                    .col(big_integer("guild_id"))
                    .col(big_integer("discord_user_id"))
                    .col(big_integer("channel_bits"))
                    .col(big_integer("after_seconds"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .primary_key(Index::create().col("guild_id").col("discord_user_id").col("channel_bits"))
                    .take(),
            )
            .await?;
        for (name, column) in INDEXES {
            manager.create_index(Index::create().name(name).table("vanish_own").col(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("vanish_own").take()).await?;
        for name in BOUNDS {
            manager.alter_table(Table::alter().table("vanish_default").drop_column(Alias::new(name)).take()).await?;
        }
        Ok(())
    }
}

const BOUNDS: [&str; 2] = ["own_min_seconds", "own_max_seconds"];

const INDEXES: [(&str, &str); 2] = [("vanish_own_account", "discord_user_id"), ("vanish_own_channel", "channel_bits")];
