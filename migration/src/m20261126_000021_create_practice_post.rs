use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let post = Table::create()
            .table("practice_post")
            .col(big_integer("guild_id"))
            .col(text("period"))
            .col(text("slot_key"))
            .col(integer("at_minute"))
            .col(timestamp_with_time_zone_null("due_at"))
            .col(text_null("problem"))
            .col(timestamp_with_time_zone_null("posted_at"))
            .col(timestamp_with_time_zone("updated_at"))
            .primary_key(Index::create().col("guild_id").col("period"))
            .take();
        manager.create_table(post).await?;
        let due = Index::create().name("practice_post_due").table("practice_post").col("due_at").take();
        manager.create_index(due).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("practice_post").take()).await
    }
}
