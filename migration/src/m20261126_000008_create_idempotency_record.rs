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
                    .table("idempotency_record")
                    .col(string("principal"))
                    .col(string("operation"))
                    .col(string("key"))
                    .col(blob("fingerprint"))
                    .col(integer("status"))
                    .col(string_null("content_type"))
                    .col(blob_null("body"))
                    .col(string_null("subject"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .primary_key(Index::create().col("principal").col("operation").col("key"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("idempotency_record_expires").table("idempotency_record").col("expires_at").take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_record").take()).await
    }
}
