use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut form = ForeignKey::create();
        form.name("native_link_form")
            .from("native_link", "form_id")
            .to("form", "id")
            .on_delete(ForeignKeyAction::Cascade);
        let table = Table::create()
            .table("native_link")
            .col(big_integer("guild_id").primary_key())
            .col(uuid("form_id"))
            .col(timestamp_with_time_zone("linked_at"))
            .foreign_key(&mut form)
            .take();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("native_link").take()).await
    }
}
