//! The steps and the rows describe one schema, on both engines, and every step can be undone.

use std::collections::BTreeSet;

use migration::{Migrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, Database as Connect, DatabaseConnection, DbBackend, Statement};

use crate::harness::{Database, TestDatabase};

/// A table's columns, keys and references as short sentences, so that a difference reads by itself.
type Facts = BTreeSet<String>;

/// Indexes that are not unique only make things fast, those of some rows only cannot be said by rows, and what a reference does on delete is not told to the rows:
/// neither is compared. Names of constraints are nobody's business, nor is which of SQLite's two names for bytes is used.
const SQLITE_FACTS: [&str; 3] = [
    r#"SELECT t.name || '.' || c.name || ' is ' || replace(lower(c.type), 'varbinary_blob', 'blob')
           || CASE WHEN c."notnull" THEN ' not null' ELSE '' END
           || CASE WHEN c.pk THEN ' in the key' ELSE '' END || CASE WHEN c.dflt_value IS NULL THEN '' ELSE ' with default' END
       FROM sqlite_master t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'seaql_migrations'"#,
    r#"SELECT t.name || ' has one row per '
           || (SELECT group_concat(name) FROM (SELECT c.name FROM pragma_index_info(i.name) c ORDER BY c.name))
       FROM sqlite_master t, pragma_index_list(t.name) i
       WHERE t.type = 'table' AND t.name <> 'seaql_migrations' AND i."unique" AND NOT i.partial AND i.origin <> 'pk'"#,
    r#"SELECT t.name || '.' || f."from" || ' refers to ' || f."table" || '.' || f."to"
       FROM sqlite_master t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"#,
];

const POSTGRES_FACTS: [&str; 3] = [
    "SELECT (table_name || '.' || column_name || ' is ' || data_type
         || CASE WHEN is_nullable = 'NO' THEN ' not null' ELSE '' END
         || CASE WHEN column_default IS NULL AND is_identity = 'NO' THEN '' ELSE ' with default' END)::text
     FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name <> 'seaql_migrations'",
    "SELECT t.relname::text || CASE WHEN i.indisprimary THEN ' has the key ' ELSE ' has one row per ' END
         || (SELECT string_agg(c.attname::text, ',' ORDER BY c.attname) FROM pg_attribute c
             WHERE c.attrelid = t.oid AND c.attnum = ANY(i.indkey))
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
     WHERE n.nspname = current_schema() AND i.indisunique AND i.indpred IS NULL AND t.relname <> 'seaql_migrations'",
    "SELECT t.relname::text || '.' || c.attname::text || ' refers to ' || u.relname::text || '.' || d.attname::text
     FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class u ON u.oid = f.confrelid
     JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = f.conkey[1]
     JOIN pg_attribute d ON d.attrelid = u.oid AND d.attnum = f.confkey[1]
     WHERE f.contype = 'f'",
];

async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<String> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await.expect("the catalogue can be read");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
}

async fn facts(connection: &DatabaseConnection) -> Facts {
    let queries = match connection.get_database_backend() {
        DbBackend::Sqlite => SQLITE_FACTS,
        _ => POSTGRES_FACTS,
    };
    let mut facts = Facts::new();
    for query in queries {
        facts.extend(texts(connection, query).await);
    }
    facts
}

/// An empty database and a connection to it; none without PostgreSQL.
pub(crate) async fn empty(kind: Database) -> Option<(TestDatabase, DatabaseConnection)> {
    let database = TestDatabase::make(kind).await?;
    let create = if kind == Database::Sqlite { "?mode=rwc" } else { "" };
    let connection = Connect::connect(format!("{}{create}", database.url())).await.expect("it was made just now");
    Some((database, connection))
}

/// What the rows of `entity` ask for. A table that is missing here shows as a difference.
async fn build_from_rows(connection: &DatabaseConnection) {
    connection
        .get_schema_builder()
        .register(entity::announcement::Entity)
        .register(entity::api_key::Entity)
        .register(entity::api_key_caller::Entity)
        .register(entity::api_key_claim::Entity)
        .register(entity::api_key_usage::Entity)
        .register(entity::application::Entity)
        .register(entity::application_block::Entity)
        .register(entity::application_note::Entity)
        .register(entity::application_step::Entity)
        .register(entity::application_vote::Entity)
        .register(entity::auth_nonce::Entity)
        .register(entity::channel_slot::Entity)
        .register(entity::counter::Entity)
        .register(entity::direct_message::Entity)
        .register(entity::event::Entity)
        .register(entity::event_cursor::Entity)
        .register(entity::form::Entity)
        .register(entity::form_draft::Entity)
        .register(entity::form_panel::Entity)
        .register(entity::form_question::Entity)
        .register(entity::guild::Entity)
        .register(entity::guild_departure::Entity)
        .register(entity::guild_role::Entity)
        .register(entity::idempotency_record::Entity)
        .register(entity::identity::Entity)
        .register(entity::instance_value::Entity)
        .register(entity::lease::Entity)
        .register(entity::native_link::Entity)
        .register(entity::oauth_state::Entity)
        .register(entity::password_credential::Entity)
        .register(entity::practice_activity_day::Entity)
        .register(entity::practice_correction::Entity)
        .register(entity::practice_day::Entity)
        .register(entity::practice_goal::Entity)
        .register(entity::practice_post::Entity)
        .register(entity::practice_rule::Entity)
        .register(entity::practice_season::Entity)
        .register(entity::practice_segment::Entity)
        .register(entity::practice_session::Entity)
        .register(entity::practice_total::Entity)
        .register(entity::project::Entity)
        .register(entity::project_tag::Entity)
        .register(entity::proposal::Entity)
        .register(entity::refresh_token::Entity)
        .register(entity::session::Entity)
        .register(entity::user::Entity)
        .register(entity::vanish_default::Entity)
        .register(entity::vanish_exemption::Entity)
        .register(entity::vanish_message::Entity)
        .register(entity::vanish_own::Entity)
        .register(entity::vanish_place::Entity)
        .register(entity::vanish_rule::Entity)
        .apply(connection)
        .await
        .expect("the rows make a schema");
}

async fn steps_and_rows_agree(kind: Database) {
    let (Some((_one, migrated)), Some((_other, derived))) = (empty(kind).await, empty(kind).await) else { return };
    Migrator::up(&migrated, None).await.expect("the steps go up");
    build_from_rows(&derived).await;
    let (steps, rows) = (facts(&migrated).await, facts(&derived).await);
    let only = |one: &Facts, other: &Facts| one.difference(other).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(
        steps == rows,
        "`migration` and `entity` differ.\nonly the steps say:\n  {}\nonly the rows say:\n  {}",
        only(&steps, &rows),
        only(&rows, &steps)
    );
    assert!(steps.len() > 50, "only {} facts were compared", steps.len());
    let _ = (migrated.close().await, derived.close().await);
}

/// Columns whose name says that they may name a person. `id` and `data` say nothing, so that the registry alone knows
/// of those.
const NAMES_A_PERSON: [&str; 8] =
    ["%user_id%", "%owner%", "%_by", "%author%", "actor", "principal", "merged_into", "target_bits"];
/// Columns that only look so: whoever holds a lease is a process, and a key is replaced by a key.
const NAMES_NOBODY: [&str; 2] = ["lease.owner", "api_key.replaced_by"];

async fn every_holding_is_registered(kind: Database) {
    use guildhall::domain::user::holdings::HOLDINGS;
    let Some((_database, connection)) = empty(kind).await else { return };
    Migrator::up(&connection, None).await.expect("the steps go up");
    let columns = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT t.name || '.' || c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        }
        _ => {
            "SELECT (table_name || '.' || column_name)::text FROM information_schema.columns
             WHERE table_schema = current_schema()"
        }
    };
    let columns: BTreeSet<String> = texts(&connection, columns).await.into_iter().collect();
    let registered: BTreeSet<String> = HOLDINGS
        .iter()
        .flat_map(|holding| holding.columns.iter().map(|column| format!("{}.{column}", holding.table)))
        .collect();
    let fits = |name: &str, pattern: &str| match (pattern.strip_prefix('%'), pattern.strip_suffix('%')) {
        (Some(_), Some(_)) => name.contains(pattern.trim_matches('%')),
        (Some(end), None) => name.ends_with(end),
        _ => name == pattern,
    };
    let names_a_person = |column: &&String| {
        let name = column.split_once('.').map_or("", |(_, name)| name);
        NAMES_A_PERSON.iter().any(|pattern| fits(name, pattern)) && !NAMES_NOBODY.contains(&column.as_str())
    };
    let missing: Vec<_> = columns.iter().filter(names_a_person).filter(|one| !registered.contains(*one)).collect();
    assert!(missing.is_empty(), "not in src/domain/user/holdings.rs: {missing:?}");
    let unknown: Vec<_> = registered.difference(&columns).collect();
    assert!(unknown.is_empty(), "in the registry and not in the schema: {unknown:?}");
    assert!(columns.iter().filter(names_a_person).count() >= 8, "the patterns find what is known to be there");
    let _ = connection.close().await;
}

#[tokio::test]
async fn every_column_that_names_a_person_has_its_rules_on_sqlite() {
    every_holding_is_registered(Database::Sqlite).await;
}

#[tokio::test]
async fn every_column_that_names_a_person_has_its_rules_on_postgres() {
    every_holding_is_registered(Database::Postgres).await;
}

async fn steps_can_be_undone(kind: Database) {
    let Some((_database, connection)) = empty(kind).await else { return };
    Migrator::up(&connection, None).await.expect("up");
    let before = facts(&connection).await;
    Migrator::down(&connection, None).await.expect("down");
    assert_eq!(facts(&connection).await, Facts::new(), "`down` leaves something behind");
    Migrator::up(&connection, None).await.expect("up again");
    assert_eq!(facts(&connection).await, before);
    let _ = connection.close().await;
}

#[tokio::test]
async fn the_steps_and_the_rows_describe_one_schema_on_sqlite() {
    steps_and_rows_agree(Database::Sqlite).await;
}

#[tokio::test]
async fn the_steps_and_the_rows_describe_one_schema_on_postgres() {
    steps_and_rows_agree(Database::Postgres).await;
}

#[tokio::test]
async fn every_step_can_be_undone_and_done_again_on_sqlite() {
    steps_can_be_undone(Database::Sqlite).await;
}

#[tokio::test]
async fn every_step_can_be_undone_and_done_again_on_postgres() {
    steps_can_be_undone(Database::Postgres).await;
}

#[test]
fn every_step_is_one_transaction() {
    for step in Migrator::migrations() {
        // The migrator opens none on SQLite unless the step asks for it: half a step could stay behind.
        assert_eq!(step.use_transaction(), Some(true), "{} must say use_transaction() = Some(true)", step.name());
    }
}
