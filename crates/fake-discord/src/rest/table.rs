//! The routes served, and matching a path to one of them.

use super::request::{Reply, Req, Result};
use super::{
    application, auto_moderation, callback, channel, guild, invite, join_request, message, oauth, pin, thread, user,
    webhook,
};
use crate::state::State;

pub(crate) type Handler = fn(&mut State, &Req) -> Result<Reply>;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The bot, by its token.
    Bot,
    /// The bot, or a person by an access token.
    Either,
    /// A person by an access token.
    Person,
    /// Anybody: a token in the path is proof enough.
    Open,
    /// The application by its secret, which the handler checks.
    Client,
}

/// One route.
pub(crate) struct Definition {
    pub(crate) method: &'static str,
    /// As in Discord's own description.
    pub(crate) template: &'static str,
    pub(crate) handler: Handler,
    pub(crate) caller: Caller,
}

/// A route and its path parameters.
pub(crate) type Route = (&'static Definition, Vec<(&'static str, String)>);

macro_rules! routes {
    ($($caller:ident $method:ident $template:literal => $handler:expr;)*) => {
        &[$(Definition {
            method: stringify!($method),
            template: $template,
            handler: $handler,
            caller: routes!(@ $caller),
        }),*]
    };
    (@ bot) => { Caller::Bot };
    (@ either) => { Caller::Either };
    (@ person) => { Caller::Person };
    (@ open) => { Caller::Open };
    (@ client) => { Caller::Client };
}

/// Literal segments come before parameters, so the first match is the right one.
static ROUTES: &[Definition] = routes! {
    open GET "/gateway" => application::gateway;
    bot GET "/gateway/bot" => application::gateway_bot;
    person GET "/oauth2/@me" => oauth::authorization;
    client POST "/oauth2/token" => oauth::token;
    client POST "/oauth2/token/revoke" => oauth::revoke;
    bot GET "/oauth2/applications/@me" => application::oauth_application;
    bot GET "/applications/@me" => application::application;
    bot GET "/applications/{application_id}/commands" => application::list;
    bot PUT "/applications/{application_id}/commands" => application::replace;
    bot POST "/applications/{application_id}/commands" => application::create;
    bot GET "/applications/{application_id}/commands/{command_id}" => application::get;
    bot PATCH "/applications/{application_id}/commands/{command_id}" => application::edit;
    bot DELETE "/applications/{application_id}/commands/{command_id}" => application::delete;
    bot GET "/applications/{application_id}/guilds/{guild_id}/commands" => application::list;
    bot PUT "/applications/{application_id}/guilds/{guild_id}/commands" => application::replace;
    bot POST "/applications/{application_id}/guilds/{guild_id}/commands" => application::create;
    bot GET "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}" => application::get;
    bot PATCH "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}" => application::edit;
    bot DELETE "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}" => application::delete;
    either GET "/users/@me" => user::me;
    either GET "/users/@me/guilds" => user::my_guilds;
    bot POST "/users/@me/channels" => user::open_dm;
    bot GET "/users/{user_id}" => user::get;
    bot GET "/guilds/{guild_id}" => guild::get;
    bot GET "/guilds/{guild_id}/channels" => guild::channels;
    bot POST "/guilds/{guild_id}/channels" => guild::create_channel;
    bot GET "/guilds/{guild_id}/roles" => guild::roles;
    bot GET "/guilds/{guild_id}/roles/member-counts" => guild::role_counts;
    bot GET "/guilds/{guild_id}/roles/{role_id}" => guild::role;
    bot GET "/guilds/{guild_id}/threads/active" => thread::active;
    bot GET "/guilds/{guild_id}/members" => guild::members;
    bot GET "/guilds/{guild_id}/members/{user_id}" => guild::member;
    bot PATCH "/guilds/{guild_id}/members/{user_id}" => guild::edit_member;
    bot PUT "/guilds/{guild_id}/members/{user_id}/roles/{role_id}" => guild::give_role;
    bot DELETE "/guilds/{guild_id}/members/{user_id}/roles/{role_id}" => guild::take_role;
    bot GET "/guilds/{guild_id}/requests" => join_request::list;
    bot PATCH "/guilds/{guild_id}/requests/{request_id}" => join_request::act;
    bot GET "/guilds/{guild_id}/auto-moderation/rules" => auto_moderation::list;
    bot POST "/guilds/{guild_id}/auto-moderation/rules" => auto_moderation::create;
    bot GET "/guilds/{guild_id}/auto-moderation/rules/{rule_id}" => auto_moderation::get;
    bot PATCH "/guilds/{guild_id}/auto-moderation/rules/{rule_id}" => auto_moderation::edit;
    bot DELETE "/guilds/{guild_id}/auto-moderation/rules/{rule_id}" => auto_moderation::delete;
    bot GET "/channels/{channel_id}" => channel::get;
    bot PATCH "/channels/{channel_id}" => channel::edit;
    bot DELETE "/channels/{channel_id}" => channel::delete;
    bot POST "/channels/{channel_id}/invites" => invite::create;
    bot POST "/channels/{channel_id}/typing" => channel::typing;
    bot PUT "/channels/{channel_id}/permissions/{overwrite_id}" => channel::set_overwrite;
    bot DELETE "/channels/{channel_id}/permissions/{overwrite_id}" => channel::clear_overwrite;
    bot GET "/channels/{channel_id}/pins" => pin::list_old;
    bot PUT "/channels/{channel_id}/pins/{message_id}" => pin::pin;
    bot DELETE "/channels/{channel_id}/pins/{message_id}" => pin::unpin;
    bot GET "/channels/{channel_id}/messages/pins" => pin::list;
    bot PUT "/channels/{channel_id}/messages/pins/{message_id}" => pin::pin;
    bot DELETE "/channels/{channel_id}/messages/pins/{message_id}" => pin::unpin;
    bot POST "/channels/{channel_id}/messages/bulk-delete" => message::bulk_delete;
    bot GET "/channels/{channel_id}/messages" => message::list;
    bot POST "/channels/{channel_id}/messages" => message::create;
    bot GET "/channels/{channel_id}/messages/{message_id}" => message::get;
    bot PATCH "/channels/{channel_id}/messages/{message_id}" => message::edit;
    bot DELETE "/channels/{channel_id}/messages/{message_id}" => message::delete;
    bot POST "/channels/{channel_id}/messages/{message_id}/threads" => thread::create_from_message;
    bot POST "/channels/{channel_id}/threads" => thread::create;
    bot GET "/channels/{channel_id}/threads/archived/public" => thread::archived_public;
    bot GET "/channels/{channel_id}/threads/archived/private" => thread::archived_private;
    bot GET "/channels/{channel_id}/thread-members" => thread::members;
    bot PUT "/channels/{channel_id}/thread-members/@me" => thread::join;
    bot DELETE "/channels/{channel_id}/thread-members/@me" => thread::leave;
    bot PUT "/channels/{channel_id}/thread-members/{user_id}" => thread::add_member;
    bot DELETE "/channels/{channel_id}/thread-members/{user_id}" => thread::remove_member;
    open POST "/interactions/{interaction_id}/{interaction_token}/callback" => callback::callback;
    open POST "/webhooks/{webhook_id}/{webhook_token}" => webhook::follow_up;
    open GET "/webhooks/{webhook_id}/{webhook_token}/messages/@original" => webhook::get;
    open PATCH "/webhooks/{webhook_id}/{webhook_token}/messages/@original" => webhook::edit;
    open DELETE "/webhooks/{webhook_id}/{webhook_token}/messages/@original" => webhook::delete;
    open GET "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}" => webhook::get;
    open PATCH "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}" => webhook::edit;
    open DELETE "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}" => webhook::delete;
};

/// Finds the route of a decoded path.
pub(crate) fn find(method: &str, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.split('/').collect();
    ROUTES.iter().filter(|one| one.method == method).find_map(|one| Some((one, matched(one.template, &parts)?)))
}

fn matched(template: &'static str, parts: &[&str]) -> Option<Vec<(&'static str, String)>> {
    let mut params = Vec::new();
    let mut rest = parts.iter();
    for wanted in template.split('/') {
        let part = rest.next()?;
        match wanted.strip_prefix('{') {
            Some(name) if !part.is_empty() => {
                params.push((name.trim_end_matches('}'), (*part).to_owned()));
            }
            None if wanted == *part => {}
            _ => return None,
        }
    }
    rest.next().is_none().then_some(params)
}

/// `METHOD template` as it is written here; the names of its parameters may differ in `route`.
/// Panics when there is no such route.
pub(crate) fn canonical(route: &str) -> String {
    let flat = |text: &str| {
        let parts = text.split('/');
        let parts: Vec<&str> = parts.map(|one| if one.starts_with('{') { "{}" } else { one }).collect();
        parts.join("/")
    };
    let known: Vec<String> = ROUTES.iter().map(|one| format!("{} {}", one.method, one.template)).collect();
    let found = known.iter().find(|one| flat(one) == flat(route));
    found.cloned().unwrap_or_else(|| panic!("no route {route:?}; there are:\n{}", known.join("\n")))
}
