use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let wish = text_null("direct_messages").take();
        manager.alter_table(Table::alter().table("user_account").add_column(wish).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let wish = Alias::new("direct_messages");
        manager.alter_table(Table::alter().table("user_account").drop_column(wish).take()).await
    }
}
