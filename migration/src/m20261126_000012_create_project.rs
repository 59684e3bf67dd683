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
                    .table("project")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("title"))
                    .col(text("description"))
                    .col(text("search_text"))
                    .col(text_null("github_url"))
                    .col(text_null("deployment_url"))
                    .col(boolean("is_public"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-project-user_id")
                            .from("project", "user_id")
                            .to("user_account", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        for (name, column) in [("project_public_newest", "is_public"), ("project_user_newest", "user_id")] {
            manager
                .create_index(
                    Index::create().name(name).table("project").col(column).col("created_at").col("id").take(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("project_tag")
                    .col(uuid("project_id"))
                    .col(text("tag"))
                    .col(integer("place"))
                    .col(boolean("is_public"))
                    .primary_key(Index::create().col("project_id").col("tag"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-project_tag-project_id")
                            .from("project_tag", "project_id")
                            .to("project", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("project_tag_tag").table("project_tag").col("tag").col("project_id").take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("project_tag_public").table("project_tag").col("is_public").col("tag").take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("project_tag").take()).await?;
        manager.drop_table(Table::drop().table("project").take()).await
    }
}
