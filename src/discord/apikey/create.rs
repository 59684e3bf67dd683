//! `/apikey create`: a key for a program, with only what it needs.

use entity::{
    api_key::Preset,
    id::{ApiKeyClaimId, GuildId},
};
use serenity::all::{CreateActionRow, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption};

use super::{
    AREA,
    argument::{self, DeliveryChoice, PresetChoice, ReachChoice},
    deliver::{self, Way},
};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        text,
    },
    domain::{
        Actor, Right,
        api_key::{self, NewKey, Shape, Wanted},
        scope,
    },
};

/// Entries of a menu that Discord shows.
const OPTIONS_MAX: usize = 25;

/// Issue a key for a program
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub async fn create(
    ctx: Context<'_>,
    #[description = "What it is for"]
    #[min_length = 1]
    #[max_length = 100]
    name: String,
    #[description = "What it may do"] preset: PresetChoice,
    #[description = "Its life, from 1d to 365d (90d)"]
    #[autocomplete = "argument::complete_life"]
    expires: Option<String>,
    #[description = "How you get it (claim link)"] delivery: Option<DeliveryChoice>,
    #[description = "At most so many requests, such as 100/1m"]
    #[autocomplete = "argument::complete_rate"]
    rate: Option<String>,
    #[description = "Only from these addresses or networks"]
    #[max_length = 2000]
    ips: Option<String>,
    #[description = "Where it works (this server)"] reach: Option<ReachChoice>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let order = Box::pin(async {
        let way = way(data, &asked, delivery)?;
        let (actor, guild_id) = issuer(data, &asked, reach).await?;
        let limits = &data.app.domain().limits().keys;
        let (preset_row, scopes) = match preset {
            PresetChoice::Bot => (None, Some(vec!["read".to_owned(), "write".to_owned()])),
            PresetChoice::Admin => (Some(Preset::Admin), None),
            // Until its scopes are chosen, a custom key may do the least.
            PresetChoice::ReadOnly | PresetChoice::Custom => (None, Some(vec!["read".to_owned()])),
        };
        let new = NewKey {
            guild_id,
            preset: preset_row,
            scopes,
            ip_allowlist: argument::networks(ips.as_deref()),
            rate_limits: argument::rate(rate.as_deref())?,
            expires_at: Some(data.app.domain().now() + argument::life(expires.as_deref(), limits.chat_lifetime)?),
            active_max: Some(limits.chat_active_max),
            ..NewKey::named(name.trim(), Shape::of_dialect(limits.shape))
        };
        let order = api_key::order(data.app.domain(), &actor, Wanted::Key(new)).await?;
        Ok::<_, CommandError>((order, way))
    });
    if preset == PresetChoice::Custom {
        let work = async {
            let (order, way) = order.await?;
            Ok(menu(order, way))
        };
        return asked.answer(work).await;
    }
    deliver::deliver(data, &asked, order).await
}

/// By which way the key goes: a link needs an address that people reach.
fn way(data: &Data, asked: &Asked, chosen: Option<DeliveryChoice>) -> Result<Way, CommandError> {
    match chosen {
        Some(DeliveryChoice::Link) if data.app.http().public_url.is_none() => Err(no_links()),
        Some(DeliveryChoice::Link) => Ok(Way::Link),
        Some(DeliveryChoice::DirectMessage) => Ok(Way::DirectMessage),
        Some(DeliveryChoice::Here) => Ok(Way::Here),
        None => Ok(deliver::usual(data, asked)),
    }
}

/// Why there is no link.
pub(super) fn no_links() -> CommandError {
    CommandError::Input {
        problem: "I have no address for links: whoever hosts me can set `http.public_url`. Until then keys come by \
                  direct message or in the answer"
            .to_owned(),
        example: "/apikey create name:website preset:read-only delivery:ephemeral",
    }
}

/// Who makes the key, and to which server it is bound.
async fn issuer(
    data: &Data,
    asked: &Asked,
    reach: Option<ReachChoice>,
) -> Result<(Actor, Option<GuildId>), CommandError> {
    let actor = asked.actor_with_standing(data).await?;
    let here = asked.member.as_ref().map(|member| member.guild_id);
    let guild = match reach {
        Some(ReachChoice::Everywhere) => None,
        Some(ReachChoice::Server) if here.is_none() => return Err(CommandError::OnlyInServers),
        Some(ReachChoice::Server) | None => here,
    };
    actor.require(Right::ManageKeys, guild)?;
    Ok((actor, guild))
}

/// The scopes to choose from, with the way to go on.
fn menu(order: ApiKeyClaimId, way: Way) -> Reply {
    let coarse = scope::PRESETS.iter().filter(|(name, _)| *name != scope::ADMIN);
    let options: Vec<_> = coarse
        .chain(&scope::CATALOGUE)
        .take(OPTIONS_MAX)
        .map(|(name, about)| CreateSelectMenuOption::new(*name, *name).description(text::bounded(about, 100)))
        .collect();
    let most = u8::try_from(options.len()).unwrap_or(u8::MAX);
    let id = custom_id(AREA, "scopes", &[&order.to_string(), way.name()]);
    let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options })
        .placeholder("What may the key do?")
        .min_values(1)
        .max_values(most);
    Reply::text("Choose all that the key needs, and nothing else. It is made after that.")
        .row(CreateActionRow::SelectMenu(menu))
        .row(CreateActionRow::Buttons(vec![deliver::cancel_button(order)]))
}

/// The scopes were chosen.
pub(super) async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    let order = Box::pin(async {
        let order: ApiKeyClaimId = press.argument(0)?;
        let way = press.arguments.get(1).copied().and_then(Way::of_name).ok_or_else(outdated)?;
        let actor = deliver::owner(data, asked, order).await?;
        api_key::choose_scopes(data.app.domain(), &actor, order, press.values.clone()).await?;
        Ok((order, way))
    });
    deliver::deliver(data, asked, order).await
}
