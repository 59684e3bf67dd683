use std::time::Duration;

use chrono::DateTime;
use entity::{event, guild, id::GuildId, instance_value};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, QueryOrder};
use serde_json::Value;
use tempfile::TempDir;

use super::{NewEvent, RowChange, Settings, Store, Work, WriteError, WriteTransaction};
use crate::secret::DatabaseUrl;

#[derive(Debug)]
enum Failure {
    Refused,
    Database(DbErr),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl WriteError for Failure {
    fn database_error(&self) -> Option<&DbErr> {
        match self {
            Self::Refused => None,
            Self::Database(error) => Some(error),
        }
    }
}

/// What a write of these tests does once it has made its row and its event.
#[derive(Clone, Copy)]
enum End {
    Well,
    Refusal,
    Panic,
    SameAgain,
    Nested,
}

async fn open() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let second = Duration::from_secs(1);
    let settings = Settings {
        url: DatabaseUrl::parse(&format!("sqlite://{}", folder.path().join("guildhall.db").display())).unwrap(),
        readers_max: 1,
        pool_connections_max: 1,
        acquire_timeout: second,
        statement_timeout: second,
        idle_in_transaction_timeout: second,
        copies_kept: 0,
    };
    let store = Store::open(settings).await.unwrap();
    store.migrate().await.unwrap();
    (store, folder)
}

async fn make(txn: &WriteTransaction, id: u64) -> Result<(), DbErr> {
    let row = instance_value::Model { name: id.to_string(), value: String::new() };
    instance_value::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    txn.append_event(NewEvent {
        kind: "test.made",
        guild_id: None,
        subject: id.to_string(),
        actor: "system".to_owned(),
        source: "worker",
        before: Value::Null,
        after: Value::Null,
        at: DateTime::UNIX_EPOCH,
    })
    .await
}

async fn run(txn: &WriteTransaction, id: u64, end: End) -> Result<u64, Failure> {
    make(txn, id).await?;
    match end {
        End::Well => {}
        End::Refusal => return Err(Failure::Refused),
        End::Panic => panic!("as ordered"),
        End::SameAgain => make(txn, id).await?,
        End::Nested => {
            let kept = txn.savepoint().await?;
            make(&kept, id + 100).await?;
            kept.release(txn).await?;
            let dropped = txn.savepoint().await?;
            make(&dropped, id + 200).await?;
            dropped.rollback().await?;
        }
    }
    Ok(id)
}

/// Writes at once, so that all that wait for the first share a batch.
async fn write_together(store: &Store, ends: &[End]) -> Vec<Result<u64, Failure>> {
    let mut writes = Vec::new();
    for (id, end) in (1..).zip(ends) {
        writes.push(store.write((id, *end), |txn, (id, end)| Box::pin(run(txn, *id, *end))));
    }
    futures_util::future::join_all(writes).await
}

async fn log(store: &Store) -> Vec<(i64, String)> {
    let events = event::Entity::find().order_by_asc(event::COLUMN.position).all(store.reader()).await.unwrap();
    events.into_iter().map(|event| (event.position.unwrap(), event.subject)).collect()
}

async fn made(store: &Store) -> Vec<u64> {
    let rows = instance_value::Entity::find().all(store.reader()).await.unwrap();
    let mut ids: Vec<u64> = rows.into_iter().filter_map(|row| row.name.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn the_events_of_batches_are_numbered_without_a_gap() {
    let (store, _folder) = open().await;
    write_together(&store, &[End::Well; 150]).await;
    let (positions, mut ids): (Vec<i64>, Vec<u64>) =
        log(&store).await.into_iter().map(|(position, subject)| (position, subject.parse::<u64>().unwrap())).unzip();
    ids.sort_unstable();
    assert_eq!(positions, (1..=150).collect::<Vec<i64>>());
    assert_eq!(ids, (1..=150).collect::<Vec<u64>>());
    store.close().await;
}

#[tokio::test]
async fn a_write_that_fails_undoes_only_itself() {
    let (store, _folder) = open().await;
    let ends = [End::Well, End::Refusal, End::Well, End::Panic, End::SameAgain, End::Well];
    let outcomes = write_together(&store, &ends).await;
    assert!(matches!(
        outcomes.as_slice(),
        [
            Ok(1),
            Err(Failure::Refused),
            Ok(3),
            Err(Failure::Database(DbErr::Custom(_))),
            Err(Failure::Database(DbErr::Exec(_))),
            Ok(6)
        ]
    ));
    assert_eq!(made(&store).await, [1, 3, 6]);
    assert_eq!(log(&store).await, [(1, "1".to_owned()), (2, "3".to_owned()), (3, "6".to_owned())]);
    store.close().await;
}

#[tokio::test]
async fn events_of_a_savepoint_share_its_fate() {
    let (store, _folder) = open().await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = told.clone();
    store.on_commit(move |notes| listener.lock().unwrap().extend(notes.iter().map(|note| note.subject.clone())));
    write_together(&store, &[End::Nested]).await;
    assert_eq!(made(&store).await, [1, 101]);
    assert_eq!(log(&store).await, [(1, "1".to_owned()), (2, "101".to_owned())]);
    assert_eq!(*told.lock().unwrap(), ["1", "101"]);
    store.close().await;
}

async fn insert_guild(store: &Store, id: i64) {
    let insert: Work<i64, (), Failure> = |txn, id| {
        Box::pin(async {
            let at = DateTime::UNIX_EPOCH;
            let row = guild::Model {
                guild_id: GuildId::new(id.cast_unsigned()).unwrap(),
                time_zone: "UTC".to_owned(),
                week_start: guild::WeekStart::Monday,
                language: "en-GB".to_owned(),
                digest: guild::Digest::Off,
                digest_due_at: None,
                present: true,
                left_at: None,
                created_at: at,
                updated_at: at,
            };
            guild::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
            Ok(())
        })
    };
    store.write(id, insert).await.unwrap();
}

/// Moves a guild from one time zone to another.
fn change(id: i64, (from, to): (&str, &str)) -> RowChange {
    let event = NewEvent {
        kind: "test.changed",
        guild_id: None,
        subject: id.to_string(),
        actor: "system".to_owned(),
        source: "worker",
        before: Value::Null,
        after: Value::Null,
        at: DateTime::UNIX_EPOCH,
    };
    let zone = guild::Column::TimeZone;
    RowChange::new(guild::Entity, guild::Column::GuildId, id, event).expecting(zone, from).setting(zone, to)
}

#[tokio::test]
async fn changes_of_rows_that_wait_are_made_together_and_each_only_as_expected() {
    let (store, _folder) = open().await;
    for id in 1..=3 {
        insert_guild(&store, id).await;
    }
    let wanted = [
        change(1, ("UTC", "Europe/Berlin")),
        // Of a row that somebody else in the same batch changes: the second is too late.
        change(1, ("UTC", "Pacific/Apia")),
        change(2, ("Pacific/Apia", "Europe/Berlin")),
        change(3, ("UTC", "America/St_Johns")),
        change(4, ("UTC", "Europe/Berlin")),
    ];
    let writes = wanted.map(|change| store.change_row::<Failure>(change));
    let (made, other) =
        futures_util::future::join(futures_util::future::join_all(writes), write_together(&store, &[End::Well])).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made, [true, false, false, true, false]);
    assert!(matches!(other.as_slice(), [Ok(1)]));
    let zones: Vec<_> = guild::Entity::find().order_by_asc(guild::COLUMN.guild_id).all(store.reader()).await.unwrap();
    let zones: Vec<_> = zones.into_iter().map(|guild| guild.time_zone).collect();
    assert_eq!(zones, ["Europe/Berlin", "UTC", "America/St_Johns"]);
    let subjects: Vec<_> = log(&store).await.into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    store.close().await;
}

#[tokio::test]
async fn a_failing_neighbour_undoes_no_change_of_a_row() {
    let (store, _folder) = open().await;
    insert_guild(&store, 1).await;
    let (made, other) = futures_util::future::join(
        store.change_row::<Failure>(change(1, ("UTC", "Europe/Berlin"))),
        write_together(&store, &[End::Refusal, End::Well]),
    )
    .await;
    assert!(made.unwrap());
    assert!(matches!(other.as_slice(), [Err(Failure::Refused), Ok(2)]));
    assert_eq!(log(&store).await, [(1, "1".to_owned()), (2, "2".to_owned())]);
    store.close().await;
}

#[tokio::test]
async fn a_caller_that_hangs_up_cancels_nothing_and_a_closed_store_says_so() {
    let (store, _folder) = open().await;
    let write = write_together(&store, &[End::Well; 10]);
    assert!(futures_util::FutureExt::now_or_never(write).is_none());
    store.close().await;
    let again = Store::open(store.inner.settings.clone()).await.unwrap();
    assert_eq!(made(&again).await.len(), 10);
    assert!(matches!(
        write_together(&store, &[End::Well]).await.as_slice(),
        [Err(Failure::Database(DbErr::Custom(_)))]
    ));
    again.close().await;
}
