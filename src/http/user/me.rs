//! One's own accounts, settings and data: `/api/users/me`.

use axum::{Json as Answer, extract::State, http::StatusCode, response::Response};
use entity::{
    id::UserId,
    user::{DirectMessages, Privacy},
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    admin::as_bad_request,
    body::{ClaimedAccount, NamedAccount, PlatformName},
    view::{IdentityRow, Message},
};
use crate::{
    app::App,
    domain::{
        Actor, Domain, Error, sign_in,
        user::{self, Profile, ProfileChange, holdings::Part},
    },
    http::{
        Routes,
        auth::{Caller, Known, NOT_AUTHENTICATED},
        error::Problem,
        extract::{Json, Path},
        page::Asked,
        throttle,
        view::Success,
    },
};

/// Below `/api/users`.
pub(super) fn routes() -> Routes {
    vec![
        routes!(identities),
        routes!(connect),
        routes!(disconnect),
        routes!(set_primary),
        routes!(show_profile, change_profile),
        routes!(export, erase),
    ]
}

fn own(actor: &Actor) -> Result<UserId, Problem> {
    match actor {
        Actor::User(user) => Ok(user.id),
        _ => Err(Problem::unauthenticated(NOT_AUTHENTICATED)),
    }
}

/// List one's own accounts
#[utoipa::path(get, path = "/me/identities", tag = "identities", operation_id = "listOwnIdentities",
    extensions(("x-scope" = json!("user"))),
    responses((status = 200, description = "They, the primary one first", body = Vec<IdentityRow>)))]
async fn identities(Caller(actor): Caller, State(domain): State<Domain>, asked: Asked) -> Result<Response, Problem> {
    let rows: Vec<IdentityRow> = user::own_identities(&domain, &actor).await?.into_iter().map(Into::into).collect();
    Ok(asked.configuration(&rows))
}

/// An account is one's own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnConnected {
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
    /// The account.
    identity: IdentityRow,
    /// Whether it was somebody else's, who had only this account and is now the same person.
    reassigned: bool,
    /// Who that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid", nullable = false)]
    previous_user_id: Option<UserId>,
}

/// Connect a wallet by a signed message, or say what is to be shown of one's own account
///
/// An account that is not connected yet needs a proof. That of a wallet is `message` and `signature`, checked as for
/// signing in; for Discord it is a sign-in with Discord, and for other platforms an administrator.
#[utoipa::path(post, path = "/me/identities/connect", tag = "identities", operation_id = "connectOwnIdentity",
    extensions(("x-scope" = json!("user"))),
    request_body = ClaimedAccount,
    responses(
        (status = 201, description = "It is one's own", body = OwnConnected),
        (status = 400, description = "The message cannot be read, or the account is of somebody who has more"),
        (status = 401, description = "Nobody is signed in, or the message, its nonce or its signature is not good"),
        (status = 403, description = "The key names no origins"),
        (status = 422, description = "It needs a proof: `identity.proof_required`")))]
async fn connect(
    State(app): State<App>,
    Known(principal): Known,
    Json(mut body): Json<ClaimedAccount>,
) -> Result<(StatusCode, Answer<OwnConnected>), Problem> {
    let signed_in = principal.signed_in().ok_or_else(|| Problem::unauthenticated(NOT_AUTHENTICATED))?;
    let proof = body.message.take().zip(body.signature.take());
    let account = body.account()?;
    let (identity, previous_user_id) = match proof {
        Some((message, signature)) => {
            let parsed = sign_in::Message::parse(&message).map_err(Error::from)?;
            throttle::admit_sign_in(app.limits(), principal.address(), &parsed.address().lower_case())?;
            let key = principal.stored_key().map(AsRef::as_ref);
            let proof = (message.as_str(), signature.as_str());
            let connected = sign_in::connect_wallet(app.domain(), signed_in, key, account, proof).await;
            let connected = connected.map_err(as_bad_request)?;
            (connected.identity, connected.previous)
        }
        None => (user::connect_claimed(app.domain(), &Actor::User(signed_in.actor), account).await?, None),
    };
    let message = "Identity connected successfully";
    let reassigned = previous_user_id.is_some();
    let view = OwnConnected { message, identity: identity.into(), reassigned, previous_user_id };
    Ok((StatusCode::CREATED, Answer(view)))
}

/// Give up one of one's own accounts
#[utoipa::path(delete, path = "/me/identities/{platform}/{identity}", tag = "identities",
    operation_id = "disconnectOwnIdentity",
    extensions(("x-scope" = json!("user"))),
    params(("platform" = PlatformName, Path, description = "The platform"),
        ("identity" = String, Path, description = "The account there")),
    responses(
        (status = 200, description = "It is nobody's", body = Message),
        (status = 400, description = "There is no other account")))]
async fn disconnect(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path((platform, identity)): Path<(PlatformName, String)>,
) -> Result<Answer<Message>, Problem> {
    let key = (platform.into(), identity.as_str());
    user::disconnect(&domain, &actor, Some(own(&actor)?), key).await.map_err(as_bad_request)?;
    Ok(Answer(Message { message: "Identity disconnected successfully" }))
}

/// Be shown by this account
#[utoipa::path(put, path = "/me/identities/primary", tag = "identities", operation_id = "setOwnPrimaryIdentity",
    extensions(("x-scope" = json!("user"))),
    request_body = NamedAccount,
    responses(
        (status = 200, description = "It is the primary one", body = Message),
        (status = 404, description = "It is not one's own")))]
async fn set_primary(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<NamedAccount>,
) -> Result<Answer<Message>, Problem> {
    let key = (body.platform.into(), body.identity.as_str());
    let (_, is_changed) = user::set_primary(&domain, &actor, Some(own(&actor)?), key).await?;
    let message = if is_changed { "Primary identity set successfully" } else { "Identity is already primary" };
    Ok(Answer(Message { message }))
}

/// Who sees a person's accounts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PrivacyLevel {
    /// Everybody who has signed in.
    Public,
    /// Members and administrators.
    Members,
    /// Administrators.
    Private,
}

impl From<Privacy> for PrivacyLevel {
    fn from(privacy: Privacy) -> Self {
        match privacy {
            Privacy::Public => Self::Public,
            Privacy::Members => Self::Members,
            Privacy::Private => Self::Private,
        }
    }
}

impl From<PrivacyLevel> for Privacy {
    fn from(level: PrivacyLevel) -> Self {
        match level {
            PrivacyLevel::Public => Self::Public,
            PrivacyLevel::Members => Self::Members,
            PrivacyLevel::Private => Self::Private,
        }
    }
}

/// Which direct messages of the bot a person wants. What protects their keys comes in any case.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MessageWish {
    /// All.
    All,
    /// What was decided about something that they asked for.
    Decisions,
    /// No other.
    None,
}

impl From<DirectMessages> for MessageWish {
    fn from(wish: DirectMessages) -> Self {
        match wish {
            DirectMessages::All => Self::All,
            DirectMessages::Decisions => Self::Decisions,
            DirectMessages::None => Self::None,
        }
    }
}

impl From<MessageWish> for DirectMessages {
    fn from(wish: MessageWish) -> Self {
        match wish {
            MessageWish::All => Self::All,
            MessageWish::Decisions => Self::Decisions,
            MessageWish::None => Self::None,
        }
    }
}

/// One's own settings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProfileView {
    /// IANA name; null takes the server's.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// Language tag of Discord; null takes the server's.
    #[schema(example = "en-GB")]
    language: Option<String>,
    /// Who sees one's accounts.
    privacy: PrivacyLevel,
    /// Which direct messages of the bot one wants.
    direct_messages: MessageWish,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        let (privacy, direct_messages) = (profile.privacy().into(), profile.direct_messages().into());
        Self { time_zone: profile.time_zone, language: profile.language, privacy, direct_messages }
    }
}

/// What is to be different; what is not named stays, and null takes a value away.
#[expect(clippy::option_option, reason = "a null takes a value away, a field that is not there leaves it")]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"timeZone": "Europe/Berlin", "privacy": "private"}))]
struct ChangeProfile {
    /// IANA name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 64)]
    time_zone: Option<Option<String>>,
    /// Language tag of Discord.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 16)]
    language: Option<Option<String>>,
    /// Who sees one's accounts.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<PrivacyLevel>)]
    privacy: Option<Option<PrivacyLevel>>,
    /// Which direct messages of the bot one wants.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<MessageWish>)]
    direct_messages: Option<Option<MessageWish>>,
}

/// A field that is there, also with a null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

/// Read one's own settings
#[utoipa::path(get, path = "/me/profile", tag = "users", operation_id = "getOwnProfile",
    extensions(("x-scope" = json!("user"))),
    responses((status = 200, description = "They", body = ProfileView)))]
async fn show_profile(Caller(actor): Caller, State(domain): State<Domain>, asked: Asked) -> Result<Response, Problem> {
    Ok(asked.configuration(&ProfileView::from(user::profile(&domain, &actor).await?)))
}

/// Change one's own settings
#[utoipa::path(patch, path = "/me/profile", tag = "users", operation_id = "changeOwnProfile",
    extensions(("x-scope" = json!("user"))),
    request_body = ChangeProfile,
    responses((status = 200, description = "They, as they are now", body = ProfileView)))]
async fn change_profile(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<ChangeProfile>,
) -> Result<Answer<ProfileView>, Problem> {
    let change = ProfileChange {
        time_zone: body.time_zone,
        language: body.language,
        privacy: body.privacy.map(|level| level.map(Into::into)),
        direct_messages: body.direct_messages.map(|wish| wish.map(Into::into)),
    };
    Ok(Answer(user::set_profile(&domain, &actor, change).await?.into()))
}

/// Everything that is held about oneself, by table.
#[derive(ToSchema)]
#[schema(as = PersonalData)]
#[expect(dead_code, reason = "describes what the domain puts together")]
struct PersonalData {
    /// The person.
    #[schema(rename = "userId", format = "uuid")]
    user_id: String,
    /// When it was put together.
    #[schema(rename = "exportedAt", value_type = String, format = DateTime)]
    exported_at: String,
    /// Tables of which only the newest 10 000 rows are here.
    #[schema(rename = "newestRowsOnly")]
    newest_rows_only: Vec<String>,
    /// The rows, by table.
    tables: std::collections::BTreeMap<String, Vec<Value>>,
}

/// Read everything that is held about oneself
///
/// No secret and no digest is in it.
#[utoipa::path(get, path = "/me/data", tag = "users", operation_id = "exportOwnData",
    extensions(("x-scope" = json!("user"))),
    responses((status = 200, description = "It", body = PersonalData)))]
async fn export(Caller(actor): Caller, State(domain): State<Domain>, asked: Asked) -> Result<Response, Problem> {
    Ok(asked.configuration(&user::export(&domain, &actor, own(&actor)?).await?))
}

/// A word that makes sure.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({"confirm": "erase"}))]
struct ConfirmErasure {
    /// Must be `erase`.
    #[schema(pattern = "^erase$")]
    confirm: String,
    /// What is forgotten; everything unless a part is named.
    #[serde(default)]
    scope: ErasureScope,
}

/// What is forgotten.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ErasureScope {
    /// The person, with all that is held about them.
    #[default]
    Everything,
    /// Time zone, language, privacy, wishes, and the name of the wallet.
    Profile,
    /// Every account but the one that one is shown by.
    Accounts,
    /// API keys, which end.
    Keys,
    /// Sessions, which end.
    Sessions,
    /// Projects.
    Projects,
    /// What the bot has written to one.
    Messages,
    /// What is special about one's messages in vanishing channels.
    Vanish,
}

impl ErasureScope {
    fn part(self) -> Option<Part> {
        match self {
            Self::Everything => None,
            Self::Profile => Some(Part::Profile),
            Self::Accounts => Some(Part::Accounts),
            Self::Keys => Some(Part::Keys),
            Self::Sessions => Some(Part::Sessions),
            Self::Projects => Some(Part::Projects),
            Self::Messages => Some(Part::Messages),
            Self::Vanish => Some(Part::Vanish),
        }
    }
}

/// Be forgotten, or have a part of it forgotten
///
/// Keys and sessions end, accounts and settings go. What sums need, and the log, keep the bare id. With `scope`, only that
/// part goes and one stays who one is. It cannot be undone.
#[utoipa::path(delete, path = "/me/data", tag = "users", operation_id = "eraseOwnData",
    extensions(("x-scope" = json!("user"))),
    request_body = ConfirmErasure,
    responses((status = 200, description = "It is done", body = Success)))]
async fn erase(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<ConfirmErasure>,
) -> Result<Answer<Success>, Problem> {
    if body.confirm != "erase" {
        return Err(Problem::invalid_field("/confirm", "must be `erase`, because it cannot be undone"));
    }
    match body.scope.part() {
        None => user::erase(&domain, &actor, own(&actor)?).await?,
        Some(part) => user::erase_part(&domain, &actor, own(&actor)?, part).await?,
    }
    Ok(Answer(Success::DONE))
}
