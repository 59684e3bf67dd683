use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_session(manager).await?;
        create_challenges(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("password_credential")
                    .col(text("platform"))
                    .col(string("identity"))
                    .col(string("phc"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .primary_key(Index::create().col("platform").col("identity"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-password_credential-identity")
                            .from("password_credential", ("platform", "identity"))
                            .to("identity", ("platform", "identity"))
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["password_credential", "oauth_state", "auth_nonce", "refresh_token", "session"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

async fn create_session(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("session")
                .col(uuid("id").primary_key())
                .col(uuid("user_id"))
                .col(text("method"))
                .col(uuid_null("api_key_id"))
                .col(string_null("client_name"))
                .col(big_integer("generation"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("revoked_at"))
                .col(text_null("revoked_reason"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk-session-user_id")
                        .from("session", "user_id")
                        .to("user_account", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .take(),
        )
        .await?;
    for column in ["user_id", "generation", "expires_at", "revoked_at"] {
        let name = format!("session_{column}");
        manager.create_index(Index::create().name(name).table("session").col(column).take()).await?;
    }
    manager
        .create_table(
            Table::create()
                .table("refresh_token")
                .col(blob("digest").primary_key())
                .col(uuid("session_id"))
                .col(blob_null("predecessor").unique_key())
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(timestamp_with_time_zone_null("used_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk-refresh_token-session_id")
                        .from("refresh_token", "session_id")
                        .to("session", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .take(),
        )
        .await?;
    for column in ["session_id", "expires_at"] {
        let name = format!("refresh_token_{column}");
        manager.create_index(Index::create().name(name).table("refresh_token").col(column).take()).await?;
    }
    Ok(())
}

async fn create_challenges(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("auth_nonce")
                .col(blob("digest").primary_key())
                .col(boolean("is_used"))
                .col(uuid_null("api_key_id"))
                .col(string_null("address"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .take(),
        )
        .await?;
    manager
        .create_table(
            Table::create()
                .table("oauth_state")
                .col(blob("digest").primary_key())
                .col(uuid_null("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .foreign_key(
                    ForeignKey::create()
                        .name("fk-oauth_state-user_id")
                        .from("oauth_state", "user_id")
                        .to("user_account", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .take(),
        )
        .await?;
    for table in ["auth_nonce", "oauth_state"] {
        let name = format!("{table}_expires_at");
        manager.create_index(Index::create().name(name).table(table).col("expires_at").take()).await?;
    }
    Ok(())
}
