//! How each platform spells its accounts: one spelling per account, so that one account is one row.

use entity::{id::DiscordUserId, identity::Platform};

use super::UserRefusal;

/// Longest name of an account.
const NAME_BYTES_MAX: usize = 100;
/// Longest e-mail address: <https://www.rfc-editor.org/errata/eid1690>.
const EMAIL_BYTES_MAX: usize = 254;

/// The one spelling of an account.
pub fn canonical(platform: Platform, text: &str) -> Result<String, UserRefusal> {
    let spelled = match platform {
        Platform::Discord => text.parse::<DiscordUserId>().ok().map(|id| id.to_string()),
        Platform::Evm => address(text),
        Platform::Lens => name(text, "._-/@").map(str::to_ascii_lowercase),
        Platform::Farcaster => name(text, "._-").filter(|name| is_plain_number(name)).map(str::to_owned),
        // Neither platform tells names apart by case.
        Platform::Telegram => name(text, "_").filter(|name| is_plain_number(name)).map(str::to_ascii_lowercase),
        Platform::Github => name(text, "-").map(str::to_ascii_lowercase),
        Platform::Email => email(text),
    };
    spelled.ok_or(UserRefusal::Malformed(platform))
}

/// As programs and people write a platform.
pub fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::Discord => "discord",
        Platform::Evm => "evm",
        Platform::Lens => "lens",
        Platform::Farcaster => "farcaster",
        Platform::Telegram => "telegram",
        Platform::Github => "github",
        Platform::Email => "email",
    }
}

/// What is wanted, for whoever sent something else.
pub(super) fn wanted(platform: Platform) -> &'static str {
    match platform {
        Platform::Discord => "must be the id of a Discord account, in digits",
        Platform::Evm => "must be an address: 0x and 40 hexadecimal digits",
        Platform::Lens => "must be a Lens account of at most 100 characters",
        Platform::Farcaster => "must be a Farcaster id or name of at most 100 characters",
        Platform::Telegram => "must be a Telegram id or name of at most 100 characters, without @",
        Platform::Github => "must be a GitHub name of at most 100 characters",
        Platform::Email => "must be an e-mail address",
    }
}

fn address(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    let is_address = digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_address.then(|| text.to_ascii_lowercase())
}

fn name<'a>(text: &'a str, signs: &str) -> Option<&'a str> {
    let fits = |character: char| character.is_ascii_alphanumeric() || signs.contains(character);
    ((1..=NAME_BYTES_MAX).contains(&text.len()) && text.chars().all(fits)).then_some(text)
}

/// A number has no zero before it: the same account would have two spellings.
fn is_plain_number(text: &str) -> bool {
    !text.bytes().all(|byte| byte.is_ascii_digit()) || !text.starts_with('0')
}

fn email(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let fits = |part: &str| !part.is_empty() && !part.chars().any(|one| one.is_whitespace() || one.is_control());
    let is_host = host.split('.').all(|label| !label.is_empty() && !label.contains('@'));
    let is_address = text.len() <= EMAIL_BYTES_MAX && local.len() <= 64 && fits(local) && fits(host) && is_host;
    (is_address && !local.contains('@')).then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_has_one_spelling() {
        let address = format!("0x{}", "aB".repeat(20));
        for (platform, text, spelled) in [
            (Platform::Discord, "80351110224678912", "80351110224678912"),
            (Platform::Evm, address.as_str(), &address.to_ascii_lowercase()),
            (Platform::Lens, "Ada.lens", "ada.lens"),
            (Platform::Farcaster, "1234", "1234"),
            (Platform::Telegram, "Ada_L", "ada_l"),
            (Platform::Github, "Ada-L", "ada-l"),
            (Platform::Email, "Ada@Example.org", "ada@example.org"),
        ] {
            assert_eq!(canonical(platform, text).as_deref(), Ok(spelled));
        }
    }

    #[test]
    fn what_is_no_account_is_refused() {
        let long = "a".repeat(101);
        for (platform, text) in [
            (Platform::Discord, "007"),
            (Platform::Discord, "ada"),
            (Platform::Discord, "18446744073709551616"),
            (Platform::Evm, "0x12"),
            (Platform::Evm, &format!("0X{}", "a".repeat(40))),
            (Platform::Evm, &format!("0x{}g", "a".repeat(39))),
            (Platform::Lens, ""),
            (Platform::Lens, &long),
            (Platform::Farcaster, "01"),
            (Platform::Telegram, "@ada"),
            (Platform::Telegram, "00"),
            (Platform::Github, "ada/l"),
            (Platform::Email, "ada"),
            (Platform::Email, "a@b@c.org"),
            (Platform::Email, "ada @example.org"),
            (Platform::Email, "ada@example..org"),
            (Platform::Email, "ada@example.org\0"),
        ] {
            assert_eq!(canonical(platform, text), Err(UserRefusal::Malformed(platform)), "{text:?}");
        }
    }
}
