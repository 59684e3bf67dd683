//! What the parts of a project may be.

use super::{
    DESCRIPTION_CHARACTERS_MAX, NewProject, ProjectChange, ProjectRefusal, SEARCH_CHARACTERS_MAX, TAG_CHARACTERS_MAX,
    TAGS_MAX, TITLE_CHARACTERS_MAX, URL_CHARACTERS_MAX,
};

/// The same with everything checked and trimmed.
pub(super) fn new_project(new: &NewProject) -> Result<NewProject, ProjectRefusal> {
    Ok(NewProject {
        title: title(&new.title)?,
        description: description(&new.description)?,
        github_url: url(new.github_url.as_deref(), ProjectRefusal::BadGithubUrl)?,
        deployment_url: url(new.deployment_url.as_deref(), ProjectRefusal::BadDeploymentUrl)?,
        tags: tags(&new.tags)?,
        is_public: new.is_public,
    })
}

/// The same with everything that it names checked and trimmed.
pub(super) fn change(change: &ProjectChange) -> Result<ProjectChange, ProjectRefusal> {
    let address = |given: &Option<Option<String>>, refusal| {
        given.as_ref().map(|given: &Option<String>| url(given.as_deref(), refusal)).transpose()
    };
    Ok(ProjectChange {
        title: change.title.as_deref().map(title).transpose()?,
        description: change.description.as_deref().map(description).transpose()?,
        github_url: address(&change.github_url, ProjectRefusal::BadGithubUrl)?,
        deployment_url: address(&change.deployment_url, ProjectRefusal::BadDeploymentUrl)?,
        tags: change.tags.as_deref().map(tags).transpose()?,
        is_public: change.is_public,
    })
}

fn title(text: &str) -> Result<String, ProjectRefusal> {
    let text = text.trim();
    let fits = (1..=TITLE_CHARACTERS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(ProjectRefusal::BadTitle) }
}

fn description(text: &str) -> Result<String, ProjectRefusal> {
    let text = text.trim();
    // PostgreSQL stores no NUL.
    let fits = (1..=DESCRIPTION_CHARACTERS_MAX).contains(&text.chars().count()) && !text.contains('\0');
    if fits { Ok(text.to_owned()) } else { Err(ProjectRefusal::BadDescription) }
}

/// An address that is safe to show as a link: of the web, with a host, and with no name or password before it.
fn url(text: Option<&str>, refusal: ProjectRefusal) -> Result<Option<String>, ProjectRefusal> {
    let Some(text) = text.map(str::trim) else { return Ok(None) };
    let plain =
        !text.chars().any(|one| one.is_control() || one.is_whitespace() || matches!(one, '"' | '<' | '>' | '\\'));
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let fits = plain && is_web && is_authority(authority) && text.chars().count() <= URL_CHARACTERS_MAX;
    if fits { Ok(Some(text.to_owned())) } else { Err(refusal) }
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // The colons within an IPv6 address are no port's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_address = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let is_host = if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        is_address(inside)
    } else {
        let is_part = |one: char| one.is_alphanumeric() || matches!(one, '-' | '_' | '.');
        !host.is_empty() && host.chars().all(is_part) && !host.starts_with('.') && !host.contains("..")
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Tags in the order in which they were first named, each once.
pub(super) fn tags(given: &[String]) -> Result<Vec<String>, ProjectRefusal> {
    let mut kept: Vec<String> = Vec::new();
    for tag in given.iter().map(|tag| tag.trim()) {
        let fits = (1..=TAG_CHARACTERS_MAX).contains(&tag.chars().count());
        if !fits || tag.chars().any(|one| one == ',' || one.is_control()) {
            return Err(ProjectRefusal::BadTags);
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
        if kept.len() > TAGS_MAX {
            return Err(ProjectRefusal::BadTags);
        }
    }
    Ok(kept)
}

/// What is searched for, as the search text is spelled; none for nothing but spaces.
pub(super) fn search(text: &str) -> Result<Option<String>, ProjectRefusal> {
    let text = text.trim();
    if text.chars().count() > SEARCH_CHARACTERS_MAX || text.contains('\0') {
        return Err(ProjectRefusal::BadSearch);
    }
    Ok((!text.is_empty()).then(|| text.to_lowercase()))
}

/// What a search looks at.
pub(super) fn search_text(title: &str, description: &str) -> String {
    format!("{}\n{}", title.to_lowercase(), description.to_lowercase())
}
