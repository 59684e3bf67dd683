//! `guildhall users password`: for those who have forgotten theirs, because no mail is sent.

use std::io::BufRead as _;

use anyhow::Context as _;

use crate::{
    cli::output,
    domain::{Actor, Domain, sign_in},
    secret::Secret,
};

/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 4_096;

/// Sets what standard input says, or a password that is printed here and never again.
pub(super) async fn set(domain: &Domain, actor: &Actor, who: &str, stdin: bool) -> anyhow::Result<()> {
    let password = if stdin { read()? } else { sign_in::generate_password() };
    let set = sign_in::set_password(domain, actor, who, password).await?;
    if stdin {
        output::print(&format!("The password of {} is set\n", set.email))?;
    } else {
        output::print(&format!("{}  {}\n", set.email, set.password.expose()))?;
    }
    Ok(())
}

fn read() -> anyhow::Result<Secret> {
    let mut line = String::new();
    let input = std::io::stdin().lock();
    std::io::Read::take(input, LINE_BYTES_MAX).read_line(&mut line).context("standard input cannot be read")?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}
