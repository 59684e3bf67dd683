//! Facts about this installation.

use std::fmt::Write as _;

use entity::instance_value::{self, Model};
use sea_orm::{EntityTrait, IntoActiveModel, sea_query::OnConflict};

use super::{Domain, Error};

/// SHA-256 of the generated root key, in hexadecimal.
pub const ROOT_KEY_DIGEST: &str = "root_key_digest";
/// What the registered commands looked like: application id and SHA-256 of the list.
pub const COMMANDS_DIGEST: &str = "commands_digest";
/// The registered commands' ids, as a JSON object by name.
pub const COMMAND_IDS: &str = "command_ids";

/// A named value.
pub async fn value(domain: &Domain, name: &str) -> Result<Option<String>, Error> {
    let row = instance_value::Entity::find_by_id(name).one(domain.store.reader()).await?;
    Ok(row.map(|row| row.value))
}

/// Sets a named value.
pub async fn set_value(domain: &Domain, name: &str, value: String) -> Result<(), Error> {
    let row = Model { name: name.to_owned(), value };
    domain
        .store
        .write(row, |txn, row| {
            Box::pin(async move {
                instance_value::Entity::insert(row.clone().into_active_model())
                    .on_conflict(
                        OnConflict::column(instance_value::Column::Name)
                            .update_column(instance_value::Column::Value)
                            .to_owned(),
                    )
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// Sets a named value unless it is set already; says whether it was.
pub async fn set_value_once(domain: &Domain, name: &str, value: String) -> Result<bool, Error> {
    let row = Model { name: name.to_owned(), value };
    domain
        .store
        .write(row, |txn, row| {
            Box::pin(async move {
                let inserted = instance_value::Entity::insert(row.clone().into_active_model())
                    .on_conflict(OnConflict::column(instance_value::Column::Name).do_nothing().to_owned())
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok::<_, Error>(inserted > 0)
            })
        })
        .await
}

/// A digest as values spell it.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
