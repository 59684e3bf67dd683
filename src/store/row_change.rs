//! A change of one row that is made only while the row is as its author believes, and its event, as data instead of
//! as work: so that those that wait become one statement, however many they are.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DbErr, EntityName, IdenStatic, Statement, Value};

use super::{EventNote, NewEvent, WriteTransaction};

/// The change, and the event that tells of it.
#[derive(Clone, Debug)]
pub struct RowChange {
    table: &'static str,
    key: &'static str,
    id: i64,
    expected: Vec<(&'static str, Value)>,
    set: Vec<(&'static str, Value)>,
    event: NewEvent,
}

impl RowChange {
    /// Of the row whose primary key, an integer in column `key`, is `id`.
    pub fn new(entity: impl EntityName, key: impl IdenStatic, id: i64, event: NewEvent) -> Self {
        Self { table: entity.table_name(), key: key.as_str(), id, expected: Vec::new(), set: Vec::new(), event }
    }

    /// Only while the column holds this.
    pub fn expecting(mut self, column: impl IdenStatic, value: impl Into<Value>) -> Self {
        self.expected.push((column.as_str(), value.into()));
        self
    }

    /// What it is to hold afterwards.
    pub fn setting(mut self, column: impl IdenStatic, value: impl Into<Value>) -> Self {
        self.set.push((column.as_str(), value.into()));
        self
    }

    /// Makes the change inside a transaction; false: the row is not as expected, and nothing was done.
    pub(super) async fn apply(&self, transaction: &WriteTransaction) -> Result<bool, DbErr> {
        let changed = apply_together(transaction, &[self]).await?;
        Ok(self.is_of(&changed))
    }

    pub(super) fn note(&self) -> EventNote {
        EventNote::from(&self.event)
    }

    /// Whether it is one of these rows.
    pub(super) fn is_of(&self, rows: &HashSet<i64>) -> bool {
        rows.contains(&self.id)
    }

    /// Takes its values from `wanted`: `c0` the key, then what is expected, then what is set.
    fn update(&self) -> String {
        let (table, key) = (self.table, self.key);
        let guards = (1..).zip(&self.expected);
        let guards = guards.map(|(n, (column, _))| format!(" AND {table}.{column} IS NOT DISTINCT FROM c{n}"));
        let sets = (1 + self.expected.len()..).zip(&self.set).map(|(n, (column, _))| format!("{column} = c{n}"));
        format!(
            "UPDATE {table} SET {} FROM wanted WHERE {table}.{key} = c0{} RETURNING {table}.{key}",
            sets.collect::<Vec<_>>().join(", "),
            guards.collect::<String>(),
        )
    }

    fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.expected.iter().chain(&self.set).map(|(column, _)| *column)
    }

    fn is_alike(&self, other: &Self) -> bool {
        self.table == other.table && self.expected.len() == other.expected.len() && self.columns().eq(other.columns())
    }

    fn values(&self) -> impl Iterator<Item = Value> {
        let values = self.expected.iter().chain(&self.set).map(|(_, value)| value.clone());
        std::iter::once(self.id.into()).chain(values)
    }

    fn event_values(&self) -> [Value; EVENT_COLUMNS.len()] {
        let event = &self.event;
        [
            event.kind.into(),
            event.guild_id.into(),
            event.subject.clone().into(),
            event.actor.clone().into(),
            event.source.into(),
            event.data().into(),
            event.at.into(),
        ]
    }
}

const EVENT_COLUMNS: [&str; 7] = ["kind", "guild_id", "subject", "actor", "source", "data", "created_at"];

/// Which of these can be made by one statement: those like the first, one for each row.
pub(super) fn alike<'a>(changes: impl Iterator<Item = Option<&'a RowChange>>) -> Vec<usize> {
    let (mut first, mut rows, mut chosen) = (None, HashSet::new(), Vec::new());
    for (index, change) in changes.enumerate() {
        let Some(change) = change else { continue };
        if change.is_alike(first.get_or_insert(change)) && rows.insert(change.id) {
            chosen.push(index);
        }
    }
    chosen
}

/// Makes changes that are [`alike`]; returns the rows that were as expected.
pub(super) async fn apply_together(
    transaction: &WriteTransaction,
    changes: &[&RowChange],
) -> Result<HashSet<i64>, DbErr> {
    let Some(first) = changes.first() else { return Ok(HashSet::new()) };
    let wanted = wanted(changes.iter().map(|change| change.values().collect()));
    let rows = query(transaction.connection(), &format!("{} {}", wanted.sql, first.update()), wanted.values).await?;
    for change in changes.iter().filter(|change| change.is_of(&rows)) {
        transaction.append_event(change.event.clone()).await?;
    }
    Ok(rows)
}

/// The same on PostgreSQL by one statement that writes the events too and is a transaction by itself: one round trip.
pub(super) async fn apply_at_once(
    connection: &impl ConnectionTrait,
    changes: &[&RowChange],
) -> Result<HashSet<i64>, DbErr> {
    let Some(first) = changes.first() else { return Ok(HashSet::new()) };
    let wanted = wanted(changes.iter().map(|change| change.values().chain(change.event_values()).collect()));
    let event_from = first.values().count();
    let event_values: Vec<_> = (event_from..event_from + EVENT_COLUMNS.len()).map(|n| format!("c{n}")).collect();
    let sql = format!(
        "{}, changed AS ({}), logged AS (INSERT INTO event ({}) SELECT {} FROM wanted JOIN changed ON changed.{} = c0) \
         SELECT * FROM changed",
        wanted.sql,
        first.update(),
        EVENT_COLUMNS.join(", "),
        event_values.join(", "),
        first.key,
    );
    query(connection, &sql, wanted.values).await
}

/// `WITH wanted(c0, c1, …) AS (VALUES …)`.
struct Wanted {
    sql: String,
    values: Vec<Value>,
}

fn wanted(rows: impl Iterator<Item = Vec<Value>>) -> Wanted {
    let (mut tuples, mut values, mut width) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        width = row.len();
        let places = (values.len() + 1..=values.len() + width).map(|n| format!("${n}"));
        tuples.push(format!("({})", places.collect::<Vec<_>>().join(", ")));
        values.extend(row);
    }
    let columns: Vec<_> = (0..width).map(|n| format!("c{n}")).collect();
    Wanted { sql: format!("WITH wanted({}) AS (VALUES {})", columns.join(", "), tuples.join(", ")), values }
}

async fn query(connection: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<HashSet<i64>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.query_all_raw(statement).await?.iter().map(|row| row.try_get_by_index(0)).collect()
}
