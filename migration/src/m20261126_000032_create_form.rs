use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables in the order of their making.
const TABLES: [&str; 4] = ["form", "form_question", "form_panel", "form_draft"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [form(), question(), panel(), draft()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns, is_unique) in [
            // A form is asked for by its name, whatever its case.
            ("form_guild_name", "form", &["guild_id", "name_key"][..], true),
            ("form_question_form", "form_question", &["form_id", "position"], false),
            ("form_panel_form", "form_panel", &["form_id"], false),
            // Nobody writes two drafts of one form.
            ("form_draft_applicant", "form_draft", &["form_id", "discord_user_id"], true),
            ("form_draft_user", "form_draft", &["discord_user_id"], false),
            // What is forgotten next.
            ("form_draft_expiry", "form_draft", &["expires_at"], false),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(*column);
            }
            if is_unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn form() -> TableCreateStatement {
    Table::create()
        .table("form")
        .col(uuid("id").primary_key())
        .col(big_integer("guild_id"))
        .col(text("name"))
        .col(text("name_key"))
        .col(text("title"))
        .col(text("intro"))
        .col(text("state"))
        .col(json("eligibility"))
        .col(json("policy"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn question() -> TableCreateStatement {
    Table::create()
        .table("form_question")
        .col(uuid("id").primary_key())
        .col(uuid("form_id"))
        .col(integer("position"))
        .col(text("label"))
        .col(text("kind"))
        .col(text("placeholder"))
        .col(json("choices"))
        .col(boolean("is_required"))
        .col(integer("min_length"))
        .col(integer("max_length"))
        .foreign_key(&mut belongs("form_question"))
        .take()
}

fn panel() -> TableCreateStatement {
    Table::create()
        .table("form_panel")
        .col(big_integer("message_id").primary_key())
        .col(big_integer("channel_id"))
        .col(uuid("form_id"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut belongs("form_panel"))
        .take()
}

fn draft() -> TableCreateStatement {
    Table::create()
        .table("form_draft")
        .col(uuid("id").primary_key())
        .col(uuid("form_id"))
        .col(big_integer("discord_user_id"))
        .col(uuid_null("application_id"))
        .col(json("answers"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut belongs("form_draft"))
        .take()
}

fn belongs(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk-{table}-form_id"))
        .from(table, "form_id")
        .to("form", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
