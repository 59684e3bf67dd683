//! `/settings role`: rights that a server gives to its own roles.

use fake_discord::permission;
use serde_json::json;

use super::{Town, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// A role is given a right, another one takes it over, and it is taken away; each change is in the history.
    async fn a_right_is_given_and_taken(bot: Bot) {
        let town = Town::of(&bot).await;
        let [crew, staff] = ["crew", "staff"].map(|name| town.discord.add_role(town.guild, name, 0));
        let shown = town.says("settings role show", json!({})).await;
        assert_says(&shown, &["`reviewer` · nobody", "`no-track` · nobody", "`manager` · nobody"]);
        let set = async |role: Option<u64>| {
            let mut options = json!({ "kind": 0 });
            if let Some(role) = role {
                options["role"] = json!(role.to_string());
            }
            town.says("settings role set", options).await
        };
        let said = set(Some(crew)).await;
        assert_says(&said, &[&format!("✅ <@&{crew}> is `reviewer` now."), &format!("`reviewer` · <@&{crew}>")]);
        assert_says(&set(Some(crew)).await, &["already"]);
        assert_says(&set(Some(staff)).await, &[&format!("in place of <@&{crew}>")]);
        assert_says(&set(Some(town.guild)).await, &["Everybody has @everyone", "E-INPUT"]);
        assert_says(&set(None).await, &[&format!("<@&{staff}> is not `reviewer` any more")]);
        assert_says(&set(None).await, &["No role is `reviewer`"]);
        let history = town.says("settings history", json!({})).await;
        assert_says(&history, &["role of kind reviewer", &format!("role: <@&{crew}> → <@&{staff}>"), "cleared"]);
        bot.finish().await;
    }

    /// Who has the role of managers changes settings and the vanish defaults, and neither keys nor roles.
    async fn a_manager_manages_until_the_role_is_taken(bot: Bot) {
        let town = Town::of(&bot).await;
        let discord = &town.discord;
        let role = discord.add_role(town.guild, "stewards", 0);
        let mona = discord.add_member(town.guild, "mona");
        discord.give_role(town.guild, mona, role);
        // An administrator shows these commands to everybody in Server Settings › Integrations.
        discord.command_as_admin_override(true);
        let zone = json!({ "timezone": "Europe/Berlin" });
        let says = async |path: &str, options| town.run_as(mona, path, options).await.text();
        assert_says(&says("settings general", zone.clone()).await, &["Manage Server", "E-PERM-USER"]);
        let given = json!({ "kind": 5, "role": role.to_string() });
        assert_says(&town.says("settings role set", given.clone()).await, &["is `manager` now", "Integrations"]);
        assert_says(&says("settings general", zone.clone()).await, &["✅ Saved", "Europe/Berlin"]);
        let slot = json!({ "name": "alerts", "channel": town.staff.to_string() });
        assert_says(&says("settings slot set", slot).await, &["leads to"]);
        let preview = town.run_as(mona, "vanish default", json!({ "after": "1d" })).await;
        let applied = discord.press_label(mona, &preview, "Apply").reply().await;
        assert_says(&applied.text(), &["✅ The server default is set"]);
        assert_says(&says("settings role set", given).await, &["Manage Server", "E-PERM-USER"]);
        assert_says(&says("apikey list", json!({})).await, &["Administrator", "E-PERM-USER"]);

        town.says("settings role set", json!({ "kind": 5 })).await;
        assert_says(&says("settings general", zone).await, &["E-PERM-USER"]);
        // What Discord says itself goes on to count.
        let boss = discord.add_role(town.guild, "boss", permission::MANAGE_GUILD);
        discord.give_role(town.guild, mona, boss);
        assert_says(&says("settings general", json!({ "digest": 0 })).await, &["✅ Saved"]);
        bot.finish().await;
    }
}
