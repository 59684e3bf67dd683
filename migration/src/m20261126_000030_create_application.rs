use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables in the order of their making.
const TABLES: [&str; 5] =
    ["application", "application_vote", "application_step", "application_note", "application_block"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [application(), vote(), step(), note(), block()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns, is_unique) in [
            ("application_number", "application", &["guild_id", "number"][..], true),
            // Lists, the newest first.
            ("application_newest", "application", &["submitted_at", "id"], false),
            ("application_guild", "application", &["guild_id", "status", "submitted_at"], false),
            ("application_status", "application", &["status", "submitted_at"], false),
            // What a form has received, and of whom.
            ("application_form", "application", &["form_id", "status"], false),
            ("application_applicant", "application", &["discord_user_id", "guild_id"], false),
            ("application_user", "application", &["user_id"], false),
            ("application_message", "application", &["message_id"], false),
            ("application_review", "application", &["review_message_id"], false),
            // What workers look at next.
            ("application_due", "application", &["due_at"], false),
            ("application_post_due", "application", &["post_due_at"], false),
            ("application_vote_voter", "application_vote", &["application_id", "voter"], true),
            ("application_vote_person", "application_vote", &["voter"], false),
            ("application_step_once", "application_step", &["application_id", "decision", "kind", "argument"], true),
            ("application_step_due", "application_step", &["due_at"], false),
            ("application_note_application", "application_note", &["application_id", "created_at"], false),
            ("application_block_person", "application_block", &["discord_user_id"], false),
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
        // No guild is equal to none, so that those of none have a rule of their own.
        let of_none = "CREATE UNIQUE INDEX application_number_of_none ON application (number) WHERE guild_id IS NULL";
        manager.get_connection().execute_unprepared(of_none).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn application() -> TableCreateStatement {
    Table::create()
        .table("application")
        .col(uuid("id").primary_key())
        .col(big_integer_null("guild_id"))
        .col(big_integer("number"))
        .col(uuid_null("form_id"))
        .col(uuid_null("user_id"))
        .col(big_integer_null("discord_user_id"))
        .col(text_null("message_id"))
        .col(text_null("native_request_id").unique_key())
        .col(json("answers"))
        .col(json("policy"))
        .col(text("status"))
        .col(timestamp_with_time_zone("submitted_at"))
        .col(timestamp_with_time_zone_null("deadline_at"))
        .col(boolean("is_extended"))
        .col(boolean("waits_for_owner"))
        .col(timestamp_with_time_zone_null("due_at"))
        .col(integer_null("voters_count"))
        .col(integer("decision"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .col(text_null("decided_by"))
        .col(text_null("decided_how"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone_null("reminded_at"))
        .col(big_integer_null("review_channel_id"))
        .col(big_integer_null("review_message_id"))
        .col(big_integer_null("review_thread_id"))
        .col(integer("revision"))
        .col(integer("posted_revision"))
        .col(timestamp_with_time_zone_null("post_due_at"))
        .col(timestamp_with_time_zone_null("post_leased_until"))
        .col(integer("post_attempts"))
        .col(text_null("post_code"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn vote() -> TableCreateStatement {
    Table::create()
        .table("application_vote")
        .col(uuid("id").primary_key())
        .col(uuid("application_id"))
        .col(text("voter"))
        .col(text_null("voter_name"))
        .col(text("choice"))
        .col(integer("weight"))
        .col(boolean("is_veto"))
        .col(text_null("reason"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("changed_at"))
        .foreign_key(&mut belongs("application_vote"))
        .take()
}

fn step() -> TableCreateStatement {
    Table::create()
        .table("application_step")
        .col(uuid("id").primary_key())
        .col(uuid("application_id"))
        .col(integer("decision"))
        .col(text("kind"))
        .col(text("argument"))
        .col(text("state"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone_null("due_at"))
        .col(timestamp_with_time_zone_null("leased_until"))
        .col(text_null("last_code"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("settled_at"))
        .foreign_key(&mut belongs("application_step"))
        .take()
}

fn note() -> TableCreateStatement {
    Table::create()
        .table("application_note")
        .col(uuid("id").primary_key())
        .col(uuid("application_id"))
        .col(text("author"))
        .col(text("text"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut belongs("application_note"))
        .take()
}

fn block() -> TableCreateStatement {
    Table::create()
        .table("application_block")
        .col(big_integer("guild_id"))
        .col(big_integer("discord_user_id"))
        .col(timestamp_with_time_zone_null("until"))
        .col(text_null("reason"))
        .col(text("blocked_by"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("guild_id").col("discord_user_id"))
        .take()
}

fn belongs(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk-{table}-application_id"))
        .from(table, "application_id")
        .to("application", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
