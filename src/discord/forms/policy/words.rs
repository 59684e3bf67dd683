//! A policy in words.

use entity::id::RoleId;

use crate::{
    discord::text,
    domain::{
        application::{Invite, OnLeave, Policy, Quorum, Reasons, Threshold, Tie, Voters},
        duration,
    },
};

/// What holds, one line for each thing that is special.
pub(in crate::discord::forms) fn words(policy: &Policy) -> String {
    let mut lines = vec![quorum(policy.quorum), threshold(policy.threshold), tie(policy.tie).to_owned()];
    lines.push(match policy.deadline_hours {
        Some(hours) => format!("the vote lasts {}", duration::format(i64::from(hours) * 3_600)),
        None => "the vote lasts until it is decided".to_owned(),
    });
    let mut when = |holds: bool, line: &str| {
        if holds {
            lines.push(line.to_owned());
        }
    };
    when(!policy.early_close, "it goes on to the end, also when it is decided");
    when(policy.blind, "counts are hidden until it is decided");
    when(policy.reasons == Reasons::Rejection, "a no needs a reason");
    when(policy.reasons == Reasons::Always, "every vote needs a reason");
    when(policy.on_leave == OnLeave::Reject, "who leaves is turned down");
    when(policy.on_leave == OnLeave::Withdraw, "who leaves has taken it back");
    when(policy.follow_up.invite == Invite::Targeted, "who is accepted and not here receives an invite");
    lines.push(voters(&policy.voters));
    if let Some(role) = policy.veto_role {
        lines.push(format!("a no of {} decides alone", text::role(role)));
    }
    for (role, votes) in &policy.weights {
        lines.push(format!("{} counts {votes} times", text::role(*role)));
    }
    for (what, list) in [
        ("may decide in spite of votes:", &policy.override_roles),
        ("who is accepted receives", &policy.follow_up.roles_add),
        ("who is accepted loses", &policy.follow_up.roles_remove),
    ] {
        if !list.is_empty() {
            lines.push(format!("{what} {}", roles(list)));
        }
    }
    if let Some(limit) = policy.accept_limit {
        lines.push(format!("at most {limit} are accepted"));
    }
    lines.into_iter().map(|line| format!("• {line}")).collect::<Vec<_>>().join("\n")
}

fn quorum(quorum: Quorum) -> String {
    match quorum {
        Quorum::Count(count) => format!("at least {count} vote"),
        Quorum::Percent { role, percent } => format!("at least {percent} % of {} vote", text::role(role)),
    }
}

fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Majority => "more than half say yes".to_owned(),
        Threshold::TwoThirds => "two thirds say yes".to_owned(),
        Threshold::Unanimous => "all say yes".to_owned(),
        Threshold::Count(count) => format!("{count} say yes"),
    }
}

fn tie(tie: Tie) -> &'static str {
    match tie {
        Tie::Reject => "a tie is a no",
        Tie::Extend => "a tie goes on for the same time, once",
        Tie::Owner => "a tie is decided by who may decide in spite of votes",
    }
}

fn voters(voters: &Voters) -> String {
    if voters.is_empty() {
        return "the server's voters and reviewers vote".to_owned();
    }
    let members = voters.members.iter().map(|member| text::user(*member));
    let all: Vec<_> = voters.roles.iter().map(|role| text::role(*role)).chain(members).take(15).collect();
    format!("{} vote", all.join(" "))
}

fn roles(roles: &[RoleId]) -> String {
    roles.iter().map(|role| text::role(*role)).collect::<Vec<_>>().join(" ")
}
