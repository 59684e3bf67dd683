use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    #[expect(clippy::too_many_lines, reason = "five tables, one after the other")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("vanish_rule")
                    .col(big_integer("channel_id").primary_key())
                    .col(big_integer("guild_id"))
                    .col(big_integer_null("after_seconds"))
                    .col(integer_null("keep_last"))
                    .col(text("schedule"))
                    .col(integer_null("at_minute"))
                    .col(text_null("pins"))
                    .col(text_null("threads"))
                    .col(text("state"))
                    .col(timestamp_with_time_zone_null("confirmed_at"))
                    .col(string_null("problem"))
                    .col(timestamp_with_time_zone_null("paused_until"))
                    .col(big_integer("starts_after"))
                    .col(big_integer("messages_deleted"))
                    .col(timestamp_with_time_zone_null("last_deletion"))
                    .col(big_integer("revision"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("vanish_rule_guild").table("vanish_rule").col("guild_id").take())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("vanish_default")
                    .col(big_integer("guild_id").primary_key())
                    .col(big_integer_null("after_seconds"))
                    .col(integer_null("keep_last"))
                    .col(text_null("pins"))
                    .col(text_null("threads"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("vanish_exemption")
                    .col(big_integer("guild_id"))
                    .col(big_integer("channel_bits"))
                    .col(text("kind"))
                    .col(big_integer("target_bits"))
                    .col(timestamp_with_time_zone("created_at"))
                    .primary_key(Index::create().col("guild_id").col("channel_bits").col("kind").col("target_bits"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("vanish_place")
                    .col(big_integer("place_id").primary_key())
                    .col(big_integer("rule_channel_id"))
                    .col(big_integer("guild_id"))
                    .col(big_integer("cursor"))
                    .col(big_integer_null("passed_over"))
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(big_integer_null("backlog_after"))
                    .col(big_integer_null("backlog_until"))
                    .col(timestamp_with_time_zone_null("backlog_due_at"))
                    .col(boolean("ignore_schedule"))
                    .col(timestamp_with_time_zone_null("leased_until"))
                    .col(integer("attempts"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-vanish_place-rule_channel_id")
                            .from("vanish_place", "rule_channel_id")
                            .to("vanish_rule", "channel_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("vanish_place_due").table("vanish_place").col("due_at").take())
            .await?;
        manager
            .create_index(
                Index::create().name("vanish_place_backlog").table("vanish_place").col("backlog_due_at").take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("vanish_place_rule").table("vanish_place").col("rule_channel_id").take())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("vanish_message")
                    .col(big_integer("message_id").primary_key())
                    .col(big_integer("channel_id"))
                    .col(big_integer("guild_id"))
                    .col(text("fate"))
                    .col(timestamp_with_time_zone_null("due_at"))
                    .col(timestamp_with_time_zone_null("leased_until"))
                    .col(integer("attempts"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("vanish_message_channel").table("vanish_message").col("channel_id").take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("vanish_message_due").table("vanish_message").col("due_at").take())
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("vanish_message").take()).await?;
        manager.drop_table(Table::drop().table("vanish_place").take()).await?;
        manager.drop_table(Table::drop().table("vanish_exemption").take()).await?;
        manager.drop_table(Table::drop().table("vanish_default").take()).await?;
        manager.drop_table(Table::drop().table("vanish_rule").take()).await?;
        Ok(())
    }
}
