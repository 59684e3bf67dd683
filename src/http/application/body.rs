//! What clients send about applications.

use entity::{
    application::ApplicationStatus,
    application_vote::VoteChoice,
    id::{FormId, GuildId},
};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use crate::domain::application::{ApplicationChange, HttpApplication, NewVote, Verdict};

/// Tells a null, which takes a value away, from a field that is not there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(source: D) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

/// How an application stands.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// It waits for a decision.
    Pending,
    /// It was accepted.
    Approved,
    /// It was turned down.
    Rejected,
    /// The applicant took it back.
    Withdrawn,
    /// Too few had voted at its deadline.
    Expired,
    /// The applicant left the server.
    Left,
}

impl From<Status> for ApplicationStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Approved => Self::Approved,
            Status::Rejected => Self::Rejected,
            Status::Withdrawn => Self::Withdrawn,
            Status::Expired => Self::Expired,
            Status::Left => Self::Left,
        }
    }
}

/// Which applications to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Those that stand so.
    #[param(inline)]
    pub(super) status: Option<Status>,
    /// Those of this form of a server.
    #[param(value_type = Option<String>, format = "uuid")]
    pub(super) form_id: Option<FormId>,
    /// Those of this server; that of the key, where it is bound to one.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$")]
    pub(super) guild_id: Option<GuildId>,
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    pub(super) limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    pub(super) offset: Option<u64>,
}

/// A part of the list of those that wait.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct PendingFilter {
    /// Those of this server; that of the key, where it is bound to one.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$")]
    pub(super) guild_id: Option<GuildId>,
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 100)]
    pub(super) limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    pub(super) offset: Option<u64>,
}

/// Whose numbers are meant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Numbers {
    /// Those of this server; else of the key's, else of the operator's setting `compat.guild_id`, else of no server.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$")]
    pub(super) guild_id: Option<GuildId>,
}

/// An application to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "messageId": "pending", "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7", "github": "ada",
    "excitement": "Everything", "motivation": "To learn", "signature": "0x00"
}))]
pub(super) struct CreateApplication {
    /// Your message about it; "pending", null or nothing while there is none.
    #[serde(default)]
    #[schema(max_length = 100)]
    message_id: Option<String>,
    /// The server; that of the key, else the operator's, where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$")]
    guild_id: Option<GuildId>,
    /// The applicant's wallet.
    #[schema(min_length = 1, max_length = 200)]
    wallet_address: String,
    /// What the wallet is called.
    #[schema(max_length = 255)]
    ens_name: Option<String>,
    /// Their name at GitHub.
    #[schema(max_length = 255)]
    github: Option<String>,
    /// Their name at Farcaster.
    #[schema(max_length = 255)]
    farcaster: Option<String>,
    /// Their name at Lens.
    #[schema(max_length = 255)]
    lens: Option<String>,
    /// Their name at Twitter.
    #[schema(max_length = 255)]
    twitter: Option<String>,
    /// What excites them.
    #[schema(max_length = 10_000)]
    excitement: String,
    /// What moves them.
    #[schema(max_length = 10_000)]
    motivation: String,
    /// What they signed.
    #[schema(max_length = 10_000)]
    signature: String,
}

impl From<CreateApplication> for HttpApplication {
    fn from(body: CreateApplication) -> Self {
        Self {
            guild_id: body.guild_id,
            message_id: body.message_id,
            wallet_address: body.wallet_address,
            ens_name: body.ens_name,
            github: body.github,
            farcaster: body.farcaster,
            lens: body.lens,
            twitter: body.twitter,
            excitement: body.excitement,
            motivation: body.motivation,
            signature: body.signature,
        }
    }
}

/// A decision.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetStatus {
    /// Approved or rejected.
    #[schema(value_type = String, pattern = "^(approved|rejected)$", example = "approved")]
    status: Status,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

impl From<SetStatus> for ApplicationChange {
    fn from(body: SetStatus) -> Self {
        let verdict = Verdict { status: body.status.into(), reason: body.reason };
        Self { verdict: Some(verdict), message_id: None }
    }
}

/// What is to be different of an application; what is not named stays.
#[expect(clippy::option_option, reason = "a null takes a value away, a field that is not there leaves it")]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"messageId": "1122334455667788990"}))]
pub(super) struct ChangeApplication {
    /// Approved or rejected.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(approved|rejected)$")]
    status: Option<Status>,
    /// Why it was decided so.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// Your message about it; null or "pending" for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    message_id: Option<Option<String>>,
}

impl From<ChangeApplication> for ApplicationChange {
    fn from(body: ChangeApplication) -> Self {
        let verdict = body.status.map(|status| Verdict { status: status.into(), reason: body.reason });
        Self { verdict, message_id: body.message_id }
    }
}

/// What a vote says.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum VoteType {
    /// Yes.
    Approve,
    /// No.
    Reject,
    /// Neither, but counted among those who have voted.
    Abstain,
    /// Does not take part.
    Recuse,
}

/// A vote.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"userId": "80351110224678912", "userName": "Ada", "voteType": "approve"}))]
pub(super) struct Cast {
    /// Who votes, as you call them; with a Bearer token it is whoever signed in, and nobody else.
    #[serde(default)]
    #[schema(max_length = 64)]
    user_id: Option<String>,
    /// What they are called.
    #[serde(default)]
    #[schema(max_length = 100)]
    user_name: Option<String>,
    /// What the vote says.
    #[schema(inline)]
    vote_type: VoteType,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

impl From<Cast> for NewVote {
    fn from(body: Cast) -> Self {
        let choice = match body.vote_type {
            VoteType::Approve => VoteChoice::Approve,
            VoteType::Reject => VoteChoice::Reject,
            VoteType::Abstain => VoteChoice::Abstain,
            VoteType::Recuse => VoteChoice::Recuse,
        };
        Self { voter: body.user_id, voter_name: body.user_name, choice, reason: body.reason }
    }
}
