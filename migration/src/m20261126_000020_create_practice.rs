use sea_orm_migration::{prelude::*, schema::*};

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables in the order of their making.
const TABLES: [&str; 8] = [
    "practice_rule",
    "practice_session",
    "practice_segment",
    "practice_day",
    "practice_total",
    "practice_correction",
    "practice_goal",
    "practice_season",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [rule(), session(), segment(), day(), total(), correction(), goal(), season()] {
            manager.create_table(table).await?;
        }
        for (name, table, columns) in [
            // What the keeper looks at next.
            ("practice_session_look", "practice_session", &["look_at"][..]),
            // A person's history; and whether two sessions overlap.
            ("practice_session_user", "practice_session", &["user_id", "started_at"]),
            // A guild's export, and the effect of its rules.
            ("practice_session_guild", "practice_session", &["guild_id", "started_at"]),
            // Who practises in a guild now.
            ("practice_session_guild_open", "practice_session", &["guild_id", "open_user_id"]),
            ("practice_segment_session", "practice_segment", &["session_id", "started_at"]),
            // Boards of some days.
            ("practice_day_board", "practice_day", &["guild_bits", "local_date", "user_id", "seconds"]),
            // The board of all time: its first rows are the answer.
            ("practice_total_board", "practice_total", &["guild_bits", "seconds", "user_id"]),
            ("practice_correction_queue", "practice_correction", &["guild_id", "state", "id"]),
            ("practice_correction_user", "practice_correction", &["user_id", "state"]),
            ("practice_season_guild", "practice_season", &["guild_id", "first_date"]),
        ] {
            let mut index = Index::create().name(name).table(table).take();
            for column in columns {
                index.col(*column);
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

fn rule() -> TableCreateStatement {
    Table::create()
        .table("practice_rule")
        .col(big_integer("guild_id").primary_key())
        .col(text("channel_mode"))
        .col(json("channels"))
        .col(big_integer("minimum_seconds"))
        .col(big_integer("session_cap_seconds"))
        .col(big_integer("day_cap_seconds"))
        .col(big_integer("bridge_seconds"))
        .col(big_integer("idle_check_seconds"))
        .col(boolean("counts_muted"))
        .col(boolean("counts_deafened"))
        .col(boolean("counts_alone"))
        .col(boolean("counts_afk"))
        .col(boolean("counts_bots"))
        .col(big_integer("manual_auto_seconds"))
        .col(text("privacy"))
        .col(timestamp_with_time_zone("updated_at"))
        .take()
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("practice_session")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(uuid_null("open_user_id").unique_key())
        .col(big_integer_null("guild_id"))
        .col(big_integer_null("channel_id"))
        .col(text("source"))
        .col(text("state"))
        .col(string("time_zone"))
        .col(timestamp_with_time_zone("started_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("end_reason"))
        .col(timestamp_with_time_zone_null("running_since"))
        .col(big_integer("counted_milliseconds"))
        .col(timestamp_with_time_zone("observed_until"))
        .col(timestamp_with_time_zone_null("look_at"))
        .col(timestamp_with_time_zone_null("missed_at"))
        .col(timestamp_with_time_zone_null("asked_at"))
        .col(timestamp_with_time_zone("touched_at"))
        .col(big_integer("session_cap_seconds"))
        .col(big_integer_null("day_cap_seconds"))
        .col(big_integer("minimum_seconds"))
        .col(big_integer("bridge_seconds"))
        .col(big_integer_null("idle_check_seconds"))
        .col(big_integer_null("focus_seconds"))
        .col(big_integer_null("break_seconds"))
        .col(integer_null("rounds_left"))
        .col(timestamp_with_time_zone_null("phase_ends_at"))
        .col(boolean("is_private"))
        .col(text_null("activity"))
        .col(text_null("note"))
        .col(big_integer_null("goal_seconds"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .foreign_key(&mut belongs("practice_session", "user_id", "user_account"))
        .take()
}

fn segment() -> TableCreateStatement {
    Table::create()
        .table("practice_segment")
        .col(uuid("id").primary_key())
        .col(uuid("session_id"))
        .col(text("kind"))
        .col(timestamp_with_time_zone("started_at"))
        .col(timestamp_with_time_zone("ended_at"))
        .col(big_integer("carried_milliseconds"))
        .col(boolean("is_claimed"))
        .foreign_key(&mut belongs("practice_segment", "session_id", "practice_session"))
        .take()
}

fn belongs(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk-{table}-{column}"))
        .from(table, column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn day() -> TableCreateStatement {
    Table::create()
        .table("practice_day")
        .col(uuid("user_id"))
        .col(big_integer("guild_bits"))
        .col(date("local_date"))
        .col(big_integer("seconds"))
        .col(big_integer("voice_seconds"))
        .primary_key(Index::create().col("user_id").col("guild_bits").col("local_date"))
        .take()
}

fn total() -> TableCreateStatement {
    Table::create()
        .table("practice_total")
        .col(uuid("user_id"))
        .col(big_integer("guild_bits"))
        .col(big_integer("seconds"))
        .col(big_integer("voice_seconds"))
        .primary_key(Index::create().col("user_id").col("guild_bits"))
        .take()
}

fn correction() -> TableCreateStatement {
    Table::create()
        .table("practice_correction")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(big_integer_null("guild_id"))
        .col(uuid_null("session_id"))
        .col(uuid_null("segment_id"))
        .col(text("kind"))
        .col(text("state"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(big_integer("delta_seconds"))
        .col(text_null("activity"))
        .col(text_null("note"))
        .col(text_null("reason"))
        .col(text_null("decided_by"))
        .col(timestamp_with_time_zone_null("decided_at"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn goal() -> TableCreateStatement {
    Table::create()
        .table("practice_goal")
        .col(uuid("user_id"))
        .col(big_integer("guild_bits"))
        .col(text("period"))
        .col(big_integer("seconds"))
        .col(timestamp_with_time_zone("updated_at"))
        .primary_key(Index::create().col("user_id").col("guild_bits").col("period"))
        .take()
}

fn season() -> TableCreateStatement {
    Table::create()
        .table("practice_season")
        .col(uuid("id").primary_key())
        .col(big_integer("guild_id"))
        .col(big_integer_null("open_guild_id").unique_key())
        .col(text("name"))
        .col(date("first_date"))
        .col(date_null("last_date"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}
