use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_key(manager).await?;
        create_usage(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("api_key_claim")
                    .col(uuid("id").primary_key())
                    .col(blob("token_digest").unique_key())
                    .col(blob("code_digest"))
                    .col(json("specification"))
                    .col(big_integer("discord_user_id"))
                    .col(big_integer_null("guild_id"))
                    .col(integer("wrong_codes"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .col(uuid_null("key_id"))
                    .col(string("created_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("api_key_claim").take()).await?;
        manager.drop_table(Table::drop().table("api_key_caller").take()).await?;
        manager.drop_table(Table::drop().table("api_key_usage").take()).await?;
        manager.drop_table(Table::drop().table("api_key").take()).await
    }
}

async fn create_key(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("api_key")
                .col(uuid("id").primary_key())
                .col(blob("digest").unique_key())
                .col(string("brand"))
                .col(string("start"))
                .col(string("last_four"))
                .col(uuid_null("user_id"))
                .col(integer_null("slot"))
                .col(big_integer_null("guild_id"))
                .col(string("name"))
                .col(string_null("description"))
                .col(string_null("client_name"))
                .col(text_null("preset"))
                .col(json("scopes"))
                .col(json("allowed_origins"))
                .col(json("ip_allowlist"))
                .col(json("rate_limits"))
                .col(text("state"))
                .col(timestamp_with_time_zone("state_at"))
                .col(string("state_by"))
                .col(string_null("state_reason"))
                .col(timestamp_with_time_zone_null("expires_at"))
                .col(timestamp_with_time_zone_null("grace_ends_at"))
                .col(uuid_null("rotated_from"))
                .col(uuid_null("replaced_by"))
                .col(big_integer("generation"))
                .col(big_integer("total_requests"))
                .col(timestamp_with_time_zone_null("last_used_at"))
                .col(string("created_by"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("updated_at"))
                .foreign_key(
                    ForeignKey::create().name("fk-api_key-user_id").from("api_key", "user_id").to("user_account", "id"),
                )
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("idx-api_key-owner_slot").table("api_key").col("user_id").col("slot").unique().take(),
        )
        .await?;
    for column in ["guild_id", "generation", "expires_at", "created_at", "state"] {
        let name = format!("api_key_{column}");
        manager.create_index(Index::create().name(name).table("api_key").col(column).take()).await?;
    }
    Ok(())
}

async fn create_usage(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("api_key_usage")
                .col(uuid("key_id"))
                .col(text("step"))
                .col(timestamp_with_time_zone("starts_at"))
                .col(string("route"))
                .col(string("outcome"))
                .col(big_integer("requests"))
                .col(big_integer("latency_total_microseconds"))
                .col(big_integer("latency_max_microseconds"))
                .primary_key(Index::create().col("key_id").col("step").col("starts_at").col("route").col("outcome"))
                .take(),
        )
        .await?;
    manager
        .create_index(
            Index::create().name("api_key_usage_age").table("api_key_usage").col("step").col("starts_at").take(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("api_key_caller")
                .col(uuid("key_id"))
                .col(string("address"))
                .col(string("network"))
                .col(string("last_route"))
                .col(big_integer("requests"))
                .col(timestamp_with_time_zone("first_seen_at"))
                .col(timestamp_with_time_zone("last_seen_at"))
                .primary_key(Index::create().col("key_id").col("address"))
                .take(),
        )
        .await?;
    manager
        .create_index(Index::create().name("api_key_caller_age").table("api_key_caller").col("last_seen_at").take())
        .await
}
