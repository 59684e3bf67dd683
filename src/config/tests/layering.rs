//! Which layer wins, and where values may come from.

use super::*;

#[test]
fn each_layer_covers_the_one_before() {
    let folder = with_file("[http]\nhost = \"0.0.0.0\"\nport = 1000\n");
    assert_eq!(load(&sources(&folder)).http.port, 1000);
    let prefixed = sources(&folder).variable("GUILDHALL_HTTP__PORT", "2000");
    assert_eq!(load(&prefixed).http.port, 2000);
    let fixed = prefixed.variable("PORT", "3000");
    let config = load(&fixed);
    assert_eq!((config.http.port, config.http.host.as_str()), (3000, "0.0.0.0"));
}

#[test]
fn a_fixed_name_set_to_nothing_is_not_set() {
    let names = ["PORT", "DATABASE_URL", "API_KEY", "JWT_SECRET_FILE", "DISCORD_TOKEN", "RUST_LOG", "GUILDHALL_CONFIG"];
    let empty = names.map(|name| (name, ""));
    let config = load(&variables_of(&folder(), &empty));
    assert_eq!(config.http.port, 3003);
    assert!(config.secrets.api_key.is_none());
}

#[test]
fn the_log_level_follows_rust_log() {
    let variables = [("GUILDHALL_LOG__LEVEL", "warn"), ("RUST_LOG", "guildhall=debug")];
    assert_eq!(load(&variables_of(&folder(), &variables)).log.level, "guildhall=debug");
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let config = load(&variables_of(
        &folder(),
        &[
            ("ALLOWED_ORIGINS", "https://a.example, http://localhost:5173,"),
            ("GUILDHALL_DISCORD__ALLOW_INSECURE_PROXY", "true"),
            ("GUILDHALL_DISCORD__API_PROXY", "http://proxy.internal:3000/"),
            ("GUILDHALL_METRICS__LISTEN", "[::1]:9464"),
            ("GUILDHALL_LOG__FORMAT", "json"),
            ("GUILDHALL_VANISH__ARM_DELAY_SECONDS", " 0 "),
            ("GUILDHALL_HTTP__PUBLIC_URL", "https://hall.example/app/"),
        ],
    ));
    assert_eq!(config.http.allowed_origins, ["https://a.example", "http://localhost:5173"]);
    assert!(config.discord.allow_insecure_proxy);
    assert_eq!(config.discord.api_proxy.as_deref(), Some("http://proxy.internal:3000"));
    assert_eq!(config.metrics.listen, Some("[::1]:9464".parse().unwrap()));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.vanish.arm_delay(), Duration::ZERO);
    assert_eq!(config.http.public_url.as_deref(), Some("https://hall.example/app"));
}

#[test]
fn a_named_file_replaces_the_one_in_the_folder_and_must_exist() {
    let folder = with_file("[http]\nport = 1000\n");
    write(folder.path(), "one.toml", "[http]\nhost = \"localhost\"\n");
    write(folder.path(), "two.toml", "[http]\nport = 2000\n");
    let by_variable = sources(&folder).variable("GUILDHALL_CONFIG", "one.toml");
    let config = load(&by_variable);
    assert_eq!(config.http.address(), "127.0.0.1:3003".parse().unwrap());
    assert_eq!(load(&by_variable.clone().file("two.toml")).http.port, 2000);

    let missing = refused(&by_variable.file("three.toml"));
    assert!(missing[0].starts_with("--config: the settings file `three.toml` cannot be read"), "{missing:?}");
    let missing = refused(&sources(&folder).variable("GUILDHALL_CONFIG", "four.toml"));
    assert!(missing[0].starts_with("environment variable GUILDHALL_CONFIG: "), "{missing:?}");
}

#[test]
fn secrets_and_the_database_address_can_come_from_files() {
    let folder = folder();
    write(folder.path(), "key", &format!("{}\r\n", "k".repeat(32)));
    write(folder.path(), "url", "postgres://ada:hunter2@db/hall\n");
    let config = load(&variables_of(&folder, &[("API_KEY_FILE", "key"), ("DATABASE_URL_FILE", "url")]));
    assert_eq!(config.secrets.api_key.unwrap().expose(), "k".repeat(32));
    assert_eq!(config.database.url.expose(), "postgres://ada:hunter2@db/hall");
}

#[test]
fn a_file_of_a_secret_is_refused_by_name_and_never_by_content() {
    let folder = folder();
    write(folder.path(), "empty", "\n");
    write(folder.path(), "short", "hunter2\n");
    std::fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
    for (variable, file, expected) in [
        ("API_KEY_FILE", "missing", "API_KEY_FILE: names `missing`, which cannot be read"),
        ("API_KEY_FILE", "empty", "API_KEY_FILE: names `empty`, which is empty"),
        ("API_KEY_FILE", "binary", "API_KEY_FILE: names `binary`, which must be valid UTF-8"),
        ("API_KEY_FILE", "short", "API_KEY_FILE: API_KEY must be at least 32 characters"),
        ("DATABASE_URL_FILE", "short", "DATABASE_URL_FILE: database.url must start with"),
    ] {
        let problems = refused(&variables_of(&folder, &[(variable, file)]));
        assert!(problems[0].contains(expected), "{problems:?}");
        assert!(!problems[0].contains("hunter2"), "{problems:?}");
    }
    write(folder.path(), "large", &"k".repeat(2 << 20));
    let problems = refused(&variables_of(&folder, &[("API_KEY_FILE", "large")]));
    assert!(problems[0].contains("`large`, which cannot be read"), "{problems:?}");

    let both = [("DISCORD_TOKEN", "hunter2"), ("DISCORD_TOKEN_FILE", "short")];
    let problems = refused(&variables_of(&folder, &both));
    assert_eq!(
        problems,
        ["environment variable DISCORD_TOKEN_FILE: DISCORD_TOKEN and DISCORD_TOKEN_FILE are both set; keep one"]
    );
}

#[test]
fn a_dotenv_file_fills_in_what_the_environment_leaves_out() {
    let folder = folder();
    let text = "# ours\nPORT=4000\nexport GUILDHALL_HTTP__HOST='0.0.0.0'\nDISCORD_TOKEN=from-file\n";
    write(folder.path(), ".env", text);
    let config = load(&variables_of(&folder, &[("PORT", "5000")]).with_dotenv().unwrap());
    assert_eq!((config.http.port, config.http.host.as_str()), (5000, "0.0.0.0"));
    let token = config.describe().iter().find(|setting| setting.key == "DISCORD_TOKEN").unwrap();
    assert_eq!(token.origin.to_string(), "variable DISCORD_TOKEN in .env");
    assert_eq!(std::env::var_os("GUILDHALL_HTTP__HOST"), None);
}

#[test]
fn a_dotenv_file_is_refused_by_line_and_never_by_content() {
    let folder = folder();
    write(folder.path(), ".env", "PORT=4000\n\nAPI_KEY=hunter2 and more\n");
    let error = sources(&folder).with_dotenv().err().unwrap().to_string();
    assert!(error.contains(".env:3:") && !error.contains("hunter2"), "{error}");

    write(folder.path(), ".env", "GUILDHALL_HTTP__PROT=1\n");
    let problems = refused(&sources(&folder).with_dotenv().unwrap());
    assert_eq!(
        problems,
        ["variable GUILDHALL_HTTP__PROT in .env: is not a known variable; did you mean GUILDHALL_HTTP__PORT? \
 (for example: GUILDHALL_HTTP__PORT=3003)"]
    );
}

#[test]
fn the_process_is_a_source() {
    // The names of the machine that runs the test are not ours to know; that loading works is.
    assert!(Sources::from_process(Some("nowhere.toml".into())).is_ok());
}
