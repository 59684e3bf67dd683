//! Making applications: over HTTP by the built-in form, and by the forms of guilds.
//!
//! Invariant: whoever takes a guild's next number holds off everybody who wants one until their transaction ends, so
//! that numbers have no gaps and what a person may have open is counted with nobody in between.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, ApplicationStatus, Model},
    application_block,
    id::{ApplicationId, DiscordUserId, FormId, GuildId, UserId},
    identity::{self, Platform},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::Value;

use super::{
    ApplicationRefusal, GivenAnswer, Policy, answers,
    change::{Change, facts},
    counter_name,
    decide::{accepted, require_free},
    fits,
};
use crate::{
    domain::{Actor, Domain, Error, Right, counter, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Longest id of a message that a program names.
const MESSAGE_ID_MAX: usize = 100;
/// What programs send while there is no message yet.
const UNBOUND: &str = "pending";
/// Open applications that a signed-in person may have over HTTP.
const OPEN_OVER_HTTP_MAX: u64 = 5;

/// The fields of the built-in form: name, label, pointer, fewest and most characters.
const FIELDS: [(&str, &str, &str, usize, usize); 9] = [
    ("walletAddress", "Wallet address", "/walletAddress", 1, 200),
    ("ensName", "ENS name", "/ensName", 0, 255),
    ("github", "GitHub", "/github", 0, 255),
    ("farcaster", "Farcaster", "/farcaster", 0, 255),
    ("lens", "Lens", "/lens", 0, 255),
    ("twitter", "Twitter", "/twitter", 0, 255),
    ("excitement", "Excitement", "/excitement", 0, 10_000),
    ("motivation", "Motivation", "/motivation", 0, 10_000),
    ("signature", "Signature", "/signature", 0, 10_000),
];

/// What the operator says about applications that programs make.
#[derive(Clone, Debug)]
pub struct HttpForm {
    /// The guild of those whose key belongs to none.
    pub guild_id: Option<GuildId>,
    /// How they are decided.
    pub policy: Policy,
}

impl Default for HttpForm {
    fn default() -> Self {
        Self { guild_id: None, policy: Policy { deadline_hours: None, ..Policy::default() } }
    }
}

/// An application that a program makes.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of the built-in form")]
pub struct HttpApplication {
    /// The guild; that of the key, or the operator's, where it is left out.
    pub guild_id: Option<GuildId>,
    /// The program's message about it; none while there is none.
    pub message_id: Option<String>,
    pub wallet_address: String,
    pub ens_name: Option<String>,
    pub github: Option<String>,
    pub farcaster: Option<String>,
    pub lens: Option<String>,
    pub twitter: Option<String>,
    pub excitement: String,
    pub motivation: String,
    pub signature: String,
}

impl HttpApplication {
    /// The answers of the built-in form, those that were given.
    fn answers(self) -> Result<Vec<GivenAnswer>, ApplicationRefusal> {
        let values = [
            Some(self.wallet_address),
            self.ens_name,
            self.github,
            self.farcaster,
            self.lens,
            self.twitter,
            Some(self.excitement),
            Some(self.motivation),
            Some(self.signature),
        ];
        let mut answers = Vec::with_capacity(FIELDS.len());
        for ((name, label, pointer, min, max), value) in FIELDS.into_iter().zip(values) {
            let Some(answer) = value else { continue };
            if answer.trim().chars().count() < min || !fits(&answer, max) {
                return Err(ApplicationRefusal::BadField { what: label, pointer, min, max });
            }
            answers.push(GivenAnswer { question_id: name.to_owned(), label: label.to_owned(), answer });
        }
        Ok(answers)
    }
}

/// The message of a program as it is kept; none while there is none.
pub(super) fn message_id(text: Option<String>) -> Result<Option<String>, ApplicationRefusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty() && text != UNBOUND) else { return Ok(None) };
    if fits(&text, MESSAGE_ID_MAX) { Ok(Some(text)) } else { Err(ApplicationRefusal::BadMessage) }
}

/// What limits those who apply; nothing, unless somebody says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// How long a rejected applicant waits before the next one with this form.
    pub cooldown_seconds: i64,
    /// Open applications that somebody may have with this form.
    pub open_max: Option<u64>,
}

/// An application to be made.
#[derive(Clone, Debug)]
pub struct NewApplication {
    /// The guild.
    pub guild_id: Option<GuildId>,
    /// The form; none for the built-in one.
    pub form_id: Option<FormId>,
    /// Who applies, where they are a person of ours.
    pub user_id: Option<UserId>,
    /// Who applies, where they are in Discord.
    pub discord_user_id: Option<DiscordUserId>,
    /// The message of a program.
    pub message_id: Option<String>,
    /// Discord's join request that it mirrors: of each there is one application.
    pub native_request_id: Option<String>,
    /// What was asked and answered.
    pub answers: Vec<GivenAnswer>,
    /// How it is decided.
    pub policy: Policy,
    /// What limits those who apply.
    pub terms: Terms,
}

struct Input {
    author: Author,
    ids: IdSource,
    new: NewApplication,
}

/// Makes an application over HTTP: a program one of whoever it says, a signed-in person one of their own.
pub async fn create(domain: &Domain, actor: &Actor, mut new: HttpApplication) -> Result<Model, Error> {
    let form = &domain.limits().applications;
    let guild_id = new.guild_id.or_else(|| actor.bound_guild()).or(form.guild_id);
    let user_id = match actor {
        Actor::User(user) => Some(user.id),
        _ => None,
    };
    if user_id.is_none() {
        actor.require(Right::WriteApplications, guild_id)?;
    }
    let message_id = message_id(new.message_id.take())?;
    let new = NewApplication {
        guild_id,
        form_id: None,
        user_id,
        discord_user_id: None,
        message_id,
        native_request_id: None,
        answers: new.answers()?,
        policy: form.policy.clone(),
        terms: Terms { cooldown_seconds: 0, open_max: user_id.map(|_| OPEN_OVER_HTTP_MAX) },
    };
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), new };
    domain.store.write(input, |txn, input| Box::pin(submit_in(txn, (&input.author, &input.ids), &input.new))).await
}

/// Makes an application of a member, who makes it; or of whoever else, by our workers or somebody who may make any.
pub async fn submit(domain: &Domain, actor: &Actor, new: NewApplication) -> Result<Model, Error> {
    let is_own = match actor {
        Actor::Member(member) => new.discord_user_id == Some(member.user_id) && new.guild_id == Some(member.guild_id),
        _ => false,
    };
    if !is_own {
        actor.require(Right::WriteApplications, new.guild_id)?;
    }
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), new };
    domain.store.write(input, |txn, input| Box::pin(submit_in(txn, (&input.author, &input.ids), &input.new))).await
}

/// The same, within a transaction that does more, for whoever may do it.
pub(in crate::domain) async fn submit_in(
    txn: &WriteTransaction,
    (author, ids): (&Author, &IdSource),
    new: &NewApplication,
) -> Result<Model, Error> {
    answers::check(&new.answers)?;
    let policy = new.policy.clone().checked()?;
    let change = Change { txn, author, ids };
    if let Some(mirrored) = mirrored(change, new).await? {
        return Ok(mirrored);
    }
    if let Some(guild_id) = new.guild_id {
        guild::ensure(txn, guild_id, author.at()).await?;
    }
    // From here on nobody else gets a number, or is counted, until this ends.
    let number = counter::next(txn, &counter_name(new.guild_id)).await?;
    let new = &with_accounts(txn, new).await?;
    require_welcome(change, new, &policy).await?;
    let row = blank(change, new, &policy, number)?;
    require_free(txn, &row).await?;
    let insert = application::Entity::insert(row.clone().into_active_model());
    insert.exec_without_returning(txn.connection()).await?;
    change.tell("application.created", &row, (Value::Null, facts(&row))).await?;
    Ok(row)
}

/// The application that mirrors the same join request already.
async fn mirrored(change: Change<'_>, new: &NewApplication) -> Result<Option<Model>, Error> {
    let Some(request) = &new.native_request_id else { return Ok(None) };
    let mirrors = application::Column::NativeRequestId.eq(request.as_str());
    Ok(application::Entity::find().filter(mirrors).one(change.txn.connection()).await?)
}

/// A person and their account in Discord, where we know of both.
async fn with_accounts(txn: &WriteTransaction, new: &NewApplication) -> Result<NewApplication, Error> {
    let mut new = new.clone();
    match (new.user_id, new.discord_user_id) {
        (None, Some(account)) => {
            let key = (Platform::Discord, account.to_string());
            let known = identity::Entity::find_by_id(key).one(txn.connection()).await?;
            new.user_id = known.map(|known| known.user_id);
        }
        (Some(user), None) => {
            let known = identity::Entity::find()
                .filter(identity::Column::UserId.eq(user))
                .filter(identity::Column::Platform.eq(Platform::Discord))
                .order_by_desc(identity::Column::IsPrimary)
                .order_by_asc(identity::Column::CreatedAt)
                .one(txn.connection())
                .await?;
            new.discord_user_id = known.and_then(|known| known.identity.parse().ok());
        }
        _ => {}
    }
    Ok(new)
}

/// Refuses whoever is blocked, waits, or has as many as they may; and everybody, once the form has accepted enough.
async fn require_welcome(change: Change<'_>, new: &NewApplication, policy: &Policy) -> Result<(), Error> {
    let (connection, now) = (change.txn.connection(), change.now());
    if let (Some(guild), Some(account)) = (new.guild_id, new.discord_user_id) {
        let found = application_block::Entity::find_by_id((guild, account)).one(connection).await?;
        if let Some(block) = found.filter(|block| block.until.is_none_or(|until| until > now)) {
            return Err(ApplicationRefusal::Blocked { until: block.until }.into());
        }
    }
    if let Some(limit) = policy.accept_limit
        && accepted(change.txn, new.guild_id, new.form_id).await? >= u64::from(limit)
    {
        return Err(ApplicationRefusal::Full { limit }.into());
    }
    let Some(own) = own_with_form(new) else { return Ok(()) };
    if let Some(max) = new.terms.open_max {
        let open = application::Entity::find()
            .filter(own.clone())
            .filter(application::Column::Status.eq(ApplicationStatus::Pending));
        if open.count(connection).await? >= max {
            return Err(ApplicationRefusal::TooManyOpen { max }.into());
        }
    }
    let rejected = application::Entity::find()
        .filter(own)
        .filter(application::Column::Status.eq(ApplicationStatus::Rejected))
        .order_by_desc(application::COLUMN.decided_at)
        .one(connection)
        .await?;
    let cooldown = TimeDelta::try_seconds(new.terms.cooldown_seconds).unwrap_or_default();
    let until = rejected.and_then(|row| row.decided_at?.checked_add_signed(cooldown));
    match until.filter(|until| *until > now) {
        Some(until) => Err(ApplicationRefusal::CoolingDown { until }.into()),
        None => Ok(()),
    }
}

/// What the applicant has made with this form; none where nobody knows who they are.
fn own_with_form(new: &NewApplication) -> Option<Condition> {
    if new.user_id.is_none() && new.discord_user_id.is_none() {
        return None;
    }
    let theirs = Condition::any()
        .add_option(new.user_id.map(|id| application::COLUMN.user_id.eq(id)))
        .add_option(new.discord_user_id.map(|id| application::COLUMN.discord_user_id.eq(id)));
    let of_guild = match new.guild_id {
        Some(id) => application::COLUMN.guild_id.eq(id),
        None => application::COLUMN.guild_id.is_null(),
    };
    let of_form = match new.form_id {
        Some(id) => application::COLUMN.form_id.eq(id),
        None => application::COLUMN.form_id.is_null(),
    };
    Some(Condition::all().add(theirs).add(of_guild).add(of_form))
}

/// When a vote that begins now ends.
pub(super) fn deadline(policy: &Policy, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    policy.deadline_hours.map(|hours| now + TimeDelta::hours(hours.into()))
}

fn blank(change: Change<'_>, new: &NewApplication, policy: &Policy, number: i64) -> Result<Model, Error> {
    let now = change.now();
    let deadline_at = deadline(policy, now);
    Ok(Model {
        id: ApplicationId(change.ids.uuid()),
        guild_id: new.guild_id,
        number,
        form_id: new.form_id,
        user_id: new.user_id,
        discord_user_id: new.discord_user_id,
        message_id: new.message_id.clone(),
        native_request_id: new.native_request_id.clone(),
        answers: serde_json::to_value(&new.answers)?,
        policy: serde_json::to_value(policy)?,
        status: ApplicationStatus::Pending,
        submitted_at: now,
        deadline_at,
        is_extended: false,
        waits_for_owner: false,
        due_at: deadline_at,
        voters_count: None,
        decision: 0,
        decided_at: None,
        decided_by: None,
        decided_how: None,
        reason: None,
        reminded_at: None,
        review_channel_id: None,
        review_message_id: None,
        review_thread_id: None,
        revision: 1,
        posted_revision: 0,
        post_due_at: new.guild_id.map(|_| now),
        post_leased_until: None,
        post_attempts: 0,
        post_code: None,
        updated_at: now,
    })
}
