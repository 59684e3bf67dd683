//! What a signed-in person is shown of themselves.

use entity::{
    identity::{self, Platform},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::domain::{Domain, Error, UserActor, user::UserRefusal};

/// A person and the account of each kind that they are shown by.
#[derive(Clone, Debug)]
pub struct Me {
    /// The person.
    pub user: user::Model,
    /// Their wallet, in lower case.
    pub address: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// The person who asks.
pub async fn me(domain: &Domain, person: UserActor) -> Result<Me, Error> {
    let reader = domain.store.reader();
    let user = user::Entity::find_by_id(person.id).one(reader).await?.ok_or(UserRefusal::NotFound)?;
    let account = async |platform: Platform| -> Result<Option<String>, Error> {
        let found = identity::Entity::find()
            .filter(identity::COLUMN.user_id.eq(person.id))
            .filter(identity::COLUMN.platform.eq(platform))
            .order_by_desc(identity::COLUMN.is_primary)
            .order_by_asc(identity::COLUMN.created_at)
            .one(reader)
            .await?;
        Ok(found.map(|row| row.identity))
    };
    Ok(Me { address: account(Platform::Evm).await?, email: account(Platform::Email).await?, user })
}
