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
                Table::create().table("counter").col(string("name").primary_key()).col(big_integer("value")).take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("user_account")
                    .col(uuid("id").primary_key())
                    .col(text("role"))
                    .col(timestamp_with_time_zone_null("disabled_at"))
                    .col(big_integer("generation"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("user_account_generation").table("user_account").col("generation").take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("identity")
                    .col(text("platform"))
                    .col(string("identity"))
                    .col(uuid("user_id"))
                    .col(boolean("is_primary"))
                    .col(json_null("metadata"))
                    .col(timestamp_with_time_zone_null("verified_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .primary_key(Index::create().col("platform").col("identity"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-identity-user_id")
                            .from("identity", "user_id")
                            .to("user_account", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("identity_user").table("identity").col("user_id").take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("identity").take()).await?;
        manager.drop_table(Table::drop().table("user_account").take()).await?;
        manager.drop_table(Table::drop().table("counter").take()).await
    }
}
