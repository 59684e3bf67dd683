//! What is refused, and in which words.

use super::*;

#[test]
fn a_misspelt_key_names_its_place_and_the_nearest_key() {
    assert_eq!(
        refused_file("[http]\nhost = \"::1\"\n  prot = 1\n"),
        ["config.toml:3:3: http.prot is not a known key; did you mean http.port? (for example: port = 3003)"]
    );
    assert_eq!(
        refused_file("[htpp]\nport = 1\n"),
        ["config.toml:1:2: htpp is not a known section; did you mean [http]?"]
    );
    assert_eq!(
        refused_file("[http]\nreaders_max = 1\n"),
        ["config.toml:2:1: http.readers_max is not a known key; did you mean database.readers_max? \
          (for example: readers_max = 8)"]
    );
    assert_eq!(refused_file("port = 1\n"), ["config.toml:1:1: port is not a known key; did you mean http.port?"]);
    assert_eq!(
        refused_file("http = 1\n"),
        ["config.toml:1:1: http must be a section (for example: [http] with host = \"127.0.0.1\")"]
    );
    assert_eq!(refused_file("[http]\nbanana = 1\n"), ["config.toml:2:1: http.banana is not a known key"]);
}

#[test]
fn a_secret_in_the_file_is_sent_to_the_environment() {
    for text in ["[discord]\ndiscord_token = \"hunter2\"\n", "DISCORD_TOKEN = \"hunter2\"\n"] {
        let problems = refused_file(text);
        assert!(problems[0].ends_with("did you mean the environment variable DISCORD_TOKEN?"), "{problems:?}");
        assert!(!problems[0].contains("hunter2"));
    }
}

#[test]
fn a_misspelt_variable_names_the_nearest_one() {
    for (wrong, nearest) in [
        ("GUILDHALL_HTTP__PROT", "GUILDHALL_HTTP__PORT"),
        ("GUILDHALL_HTTP_HOST", "GUILDHALL_HTTP__HOST"),
        ("GUILDHALL_DATABASE_URL", "DATABASE_URL"),
        ("GUILDHALL_SECRETS__API_KEY", "API_KEY"),
        ("GUILDHALL_CONFG", "GUILDHALL_CONFIG"),
    ] {
        let problems = refused_variables(&[(wrong, "hunter2")]);
        let start = format!("environment variable {wrong}: is not a known variable; did you mean {nearest}?");
        assert!(problems[0].starts_with(&start), "{problems:?}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
    assert_eq!(
        refused_variables(&[("GUILDHALL_SOMETHING_ELSE_ALTOGETHER", "1")]),
        ["environment variable GUILDHALL_SOMETHING_ELSE_ALTOGETHER: is not a known variable"]
    );
}

#[test]
fn every_problem_is_named_at_once() {
    let folder = with_file("[http]\nprot = 1\nport = \"x\"\n[log]\nlevel = \"inof\"\n");
    let sources = variables_of(
        &folder,
        &[("GUILDHALL_X", "1"), ("API_KEY", "short"), ("GUILDHALL_LEASES__DURATION_SECONDS", "0")],
    );
    let error = Config::load(&sources).err().unwrap();
    assert_eq!(error.problems().len(), 6, "{error}");
    let text = error.to_string();
    assert!(text.starts_with("6 settings are wrong:\n  config.toml:2:1: "), "{text}");
    assert_eq!(text.lines().count(), 7, "{text}");
}

#[test]
fn a_value_of_the_wrong_kind_names_the_kind_and_an_example() {
    assert_eq!(
        refused_file("[http]\nport = \"hunter2\"\n"),
        ["config.toml:2:8: http.port must be a whole number from 0 to 65535 (for example: port = 3003)"]
    );
    assert_eq!(
        refused_file("[discord]\nallow_insecure_proxy = 1\n"),
        ["config.toml:2:24: discord.allow_insecure_proxy must be true or false \
          (for example: allow_insecure_proxy = false)"]
    );
    assert_eq!(
        refused_file("[http]\nallowed_origins = [1]\n"),
        ["config.toml:2:19: http.allowed_origins must be a list of texts \
          (for example: allowed_origins = [\"https://app.example.org\"])"]
    );
    assert_eq!(
        refused_file("[http]\nhost = { name = 1 }\n"),
        ["config.toml:2:8: http.host must be a text (for example: host = \"127.0.0.1\")"]
    );
    assert_eq!(
        refused_variables(&[("PORT", "hunter2")]),
        ["environment variable PORT: http.port must be a whole number from 0 to 65535 (for example: PORT=3003)"]
    );
    for (name, value) in [("GUILDHALL_HTTP__CONNECTIONS_MAX", ""), ("GUILDHALL_DISCORD__ALLOW_INSECURE_PROXY", "yes")] {
        assert!(refused_variables(&[(name, value)])[0].contains(name));
    }
}

#[test]
fn a_file_that_is_no_toml_names_the_line_and_not_its_content() {
    let problems = refused_file("[database]\nurl = \"postgres://ada:hunter2@db\n");
    assert!(problems[0].starts_with("config.toml:2:"), "{problems:?}");
    assert!(problems[0].contains("is not valid TOML"), "{problems:?}");
    assert!(!problems[0].contains("hunter2") && !problems[0].contains('\n'), "{problems:?}");
}

#[test]
fn every_number_has_bounds_that_hold() {
    for (path, least, greatest) in rules::BOUNDS {
        let (section, name) = path.split_once('.').unwrap();
        let file = |number: i64| format!("[{section}]\n{name} = {number}\n");
        for fine in [least, greatest] {
            load(&sources(&with_file(&file(fine))));
        }
        for wrong in [least - 1, greatest + 1, i64::MIN, i64::MAX] {
            let problems = refused_file(&file(wrong));
            let wanted = format!("{path} must be a whole number from {least} to {greatest}");
            assert!(problems[0].contains(&wanted), "{problems:?}");
        }
    }
}

/// Tries values of one key, each alone. No refusal may repeat the value.
fn try_values(path: &str, fine: &[&str], wrong: &[&str]) {
    let variable = format!("GUILDHALL_{}", path.replace('.', "__").to_uppercase());
    for value in fine {
        load(&variables_of(&folder(), &[(variable.as_str(), value)]));
    }
    for value in wrong {
        let problems = refused_variables(&[(variable.as_str(), value)]);
        assert!(problems[0].contains(path), "{value}: {problems:?}");
        let told = value.len() > 7 && problems[0].split("(for example").next().unwrap().contains(value);
        assert!(!told, "{value}: {problems:?}");
    }
}

#[test]
fn addresses_are_checked() {
    try_values("http.host", &["0.0.0.0", "::1", "localhost"], &["", "example.org", "127.0.0.1:80", "[::1]"]);
    try_values(
        "http.public_url",
        &["", "https://hall.example", "http://hall.example:8080/base/"],
        &["hall.example", "ftp://hall.example", "https://a:b@hall.example", "https://hall.example?x=1"],
    );
    try_values(
        "metrics.listen",
        &["", "127.0.0.1:9464", "127.8.8.8:0", "[::1]:9464"],
        &["9464", "127.0.0.1", "0.0.0.0:9464", "192.168.1.1:9464", "localhost:9464"],
    );
    try_values(
        "database.url",
        &["sqlite:a.db", "sqlite:///a/b.db", "postgres://db/hall", "postgresql://ada:x@db:5432/hall"],
        &["", "a.db", "mysql://db/hall", "sqlite:", "postgres://ada:hunt#er@db/hall"],
    );
}

#[test]
fn the_proxy_keeps_the_token_private() {
    try_values(
        "discord.api_proxy",
        &["", "https://proxy.example", "http://127.0.0.1:3000", "http://[::1]:3000/", "http://localhost:3000"],
        &[
            "http://proxy.example",
            "http://192.168.1.1:3000",
            "https://proxy.example/api",
            "https://a:b@proxy.example",
            "ftp://127.0.0.1",
            "127.0.0.1:3000",
            "http://localhost.evil.example",
        ],
    );
    let insecure = [
        ("GUILDHALL_DISCORD__API_PROXY", "http://proxy.example:3000"),
        ("GUILDHALL_DISCORD__ALLOW_INSECURE_PROXY", "true"),
    ];
    assert!(load(&variables_of(&folder(), &insecure)).discord.api_proxy.is_some());
}

#[test]
fn origins_are_as_browsers_send_them() {
    try_values(
        "http.allowed_origins",
        &["", "*", "https://a.example", "http://localhost:5173", "https://a.example,tauri://localhost"],
        &[
            "a.example",
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "https://a.example/x",
            "https://user@a.example",
            "https://",
            "https://a.example?x",
            "https://a.example,nonsense",
        ],
    );
}

#[test]
fn log_settings_are_checked() {
    try_values("log.format", &["auto", "human", "json"], &["", "JSON", "pretty"]);
    try_values(
        "log.level",
        &["info", "WARN", "off", "info,guildhall::http=debug", "guildhall", "guildhall[request{id=7}]=trace"],
        &["", "  ", "inof", "warning", "info,debgu", "guildhall=loud", "a=b=c"],
    );
}

#[test]
fn secrets_have_a_least_length_and_travel_in_headers() {
    let (long, wide) = ("k".repeat(32), "ä".repeat(16));
    for (name, value) in [
        ("API_KEY", long.as_str()),
        ("JWT_SECRET", wide.as_str()),
        ("ADMIN_SECRET_KEY", &long[..16]),
        ("DISCORD_TOKEN", "abc.def-_.ghi"),
    ] {
        load(&variables_of(&folder(), &[(name, value)]));
    }
    let spaced = format!(" {long}");
    let broken = format!("{long}\n{long}");
    for (name, value) in [
        ("API_KEY", &long[..31]),
        ("API_KEY", wide.as_str()),
        ("API_KEY", spaced.as_str()),
        ("API_KEY", broken.as_str()),
        ("JWT_SECRET", &long[..31]),
        ("ADMIN_SECRET_KEY", &long[..15]),
        ("DISCORD_TOKEN", "Bot abcdefgh"),
    ] {
        let problems = refused_variables(&[(name, value)]);
        assert!(problems[0].starts_with(&format!("environment variable {name}: must ")), "{problems:?}");
        assert!(!problems[0].contains(value), "{problems:?}");
    }
}
