//! Parts of a policy, as people type them.

use std::collections::BTreeSet;

use entity::id::{DiscordUserId, RoleId};

use crate::{
    discord::{CommandError, forms::argument, text},
    domain::{
        application::{Quorum, Threshold, Voters},
        duration,
    },
};

/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;

fn unreadable(typed: &str, what: &str, example: &'static str) -> CommandError {
    CommandError::Input { problem: format!("“{}” is no {what}", text::escape(typed, ECHO_MAX)), example }
}

/// A number of votes, or a share of a role.
pub(super) fn quorum(typed: &str) -> Result<Quorum, CommandError> {
    const EXAMPLE: &str = "3, or 50% @Members";
    let wrong = || unreadable(typed, "quorum", EXAMPLE);
    let Some((percent, role)) = typed.split_once('%') else {
        return typed.trim().parse().map(Quorum::Count).map_err(|_| wrong());
    };
    let percent = percent.trim().parse().map_err(|_| wrong())?;
    let roles = argument::roles(role)?;
    let role = one(&roles)?.ok_or_else(wrong)?;
    Ok(Quorum::Percent { role, percent })
}

/// How many must say yes.
pub(super) fn threshold(typed: &str) -> Result<Threshold, CommandError> {
    match typed.trim().to_lowercase().as_str() {
        "majority" | "1/2" => Ok(Threshold::Majority),
        "2/3" | "two thirds" => Ok(Threshold::TwoThirds),
        "unanimous" | "all" => Ok(Threshold::Unanimous),
        number => number
            .parse()
            .map(Threshold::Count)
            .map_err(|_| unreadable(typed, "threshold", "majority, 2/3, unanimous, or a number such as 4")),
    }
}

/// Whole hours; `off` is none.
pub(super) fn hours(typed: &str) -> Result<Option<u32>, CommandError> {
    if typed.trim().eq_ignore_ascii_case("off") || argument::is_none(typed) {
        return Ok(None);
    }
    let seconds = duration::parse(typed).filter(|seconds| seconds % 3_600 == 0);
    let hours = seconds.and_then(|seconds| u32::try_from(seconds / 3_600).ok());
    hours.map(Some).ok_or_else(|| unreadable(typed, "time of whole hours", "3d, 36h or off"))
}

/// Roles and members, in any order.
pub(super) fn voters(typed: &str) -> Result<Voters, CommandError> {
    if argument::is_none(typed) {
        return Ok(Voters::default());
    }
    let spaced = typed.replace('<', " <").replace(',', " ");
    let (roles, members): (Vec<_>, Vec<_>) = spaced.split_whitespace().partition(|word| word.starts_with("<@&"));
    let roles: BTreeSet<RoleId> = argument::roles(&roles.join(" "))?;
    let members: BTreeSet<DiscordUserId> = argument::ids(&members.join(" "), "<@", "@Elders @ada, or none")?;
    Ok(Voters { roles: roles.into_iter().collect(), members: members.into_iter().collect() })
}

/// The only role of a list; none where it is empty.
pub(super) fn one(roles: &BTreeSet<RoleId>) -> Result<Option<RoleId>, CommandError> {
    if roles.len() > 1 {
        return Err(CommandError::Input { problem: "I can take only one role there".to_owned(), example: "@Elders" });
    }
    Ok(roles.first().copied())
}

/// Roles with the number of their votes.
pub(super) fn weights(typed: &str) -> Result<Vec<(RoleId, u32)>, CommandError> {
    const EXAMPLE: &str = "@Elders=3 @Members=1, or none";
    if argument::is_none(typed) {
        return Ok(Vec::new());
    }
    let spaced = typed.replace(['=', ','], " ").replace('>', "> ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let pairs = words.chunks(2).map(|pair| {
        let [role, votes] = pair else { return Err(unreadable(typed, "list of weights", EXAMPLE)) };
        let role = one(&argument::roles(role)?)?.ok_or_else(|| unreadable(role, "role", EXAMPLE))?;
        let votes = votes.parse().map_err(|_| unreadable(votes, "number of votes", EXAMPLE))?;
        Ok((role, votes))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: u64) -> RoleId {
        RoleId::new(id).unwrap()
    }

    #[test]
    fn what_people_type_is_read() {
        assert_eq!(quorum(" 3 ").unwrap(), Quorum::Count(3));
        assert_eq!(quorum("50 % <@&7>").unwrap(), Quorum::Percent { role: role(7), percent: 50 });
        assert_eq!(threshold("2/3").unwrap(), Threshold::TwoThirds);
        assert_eq!(threshold(" Majority").unwrap(), Threshold::Majority);
        assert_eq!(threshold("4").unwrap(), Threshold::Count(4));
        assert_eq!((hours("3d").unwrap(), hours("Off").unwrap()), (Some(72), None));
        let member = DiscordUserId::new(9).unwrap();
        assert_eq!(voters("<@9><@&7> <@!9>").unwrap(), Voters { roles: vec![role(7)], members: vec![member] });
        assert_eq!(weights("<@&7>=3, <@&8> = 1").unwrap(), [(role(7), 3), (role(8), 1)]);
        assert!(weights("none").unwrap().is_empty() && voters("none").unwrap().is_empty());
    }

    #[test]
    fn what_is_none_of_it_is_refused() {
        for wrong in ["", "-1", "x", "50%", "50% none", "300% <@&7>", "5% <@&7> <@&8>"] {
            assert!(quorum(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "half", "-1"] {
            assert!(threshold(wrong).is_err(), "{wrong}");
        }
        for wrong in ["90m", "", "soon"] {
            assert!(hours(wrong).is_err(), "{wrong}");
        }
        for wrong in ["<@&7>", "<@&7>=x", "<@&7>=1 2", "7=", "3=<@&7>"] {
            assert!(weights(wrong).is_err(), "{wrong}");
        }
        assert!(voters("<@&7> ada").is_err());
    }
}
