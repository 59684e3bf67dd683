use super::*;

#[test]
fn nobodys_digest_takes_the_same_work() {
    let digest = PasswordHash::new(NOBODYS).unwrap();
    assert!(is_of_today(&digest));
    let own = phc(&Secret::new("correct horse battery"));
    assert!(own.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{own}");
    let own = PasswordHash::new(&own).unwrap();
    let lengths = |digest: &PasswordHash| (digest.salt.map(|salt| salt.len()), digest.hash.map(|hash| hash.len()));
    assert_eq!(lengths(&own), lengths(&digest));
}

#[tokio::test]
async fn a_password_opens_its_own_digest_only() {
    let passwords = Passwords::default();
    let digest = passwords.digest(Secret::new("correct horse battery")).await.unwrap();
    let check =
        async |password: &str, digest: Option<String>| passwords.check(Secret::new(password), digest).await.unwrap();
    assert!(matches!(check("correct horse battery", Some(digest.clone())).await, Checked::Right));
    assert!(matches!(check("correct horse batterz", Some(digest)).await, Checked::Wrong));
    assert!(matches!(check("correct horse battery", None).await, Checked::Wrong));
    assert!(matches!(check("correct horse battery", Some("nonsense".to_owned())).await, Checked::Wrong));
}

#[tokio::test]
async fn a_digest_of_other_parameters_is_renewed() {
    let params = Params::new(64, 1, 1, None).unwrap();
    let weak = Argon2::from(params).hash_password_with_salt(b"correct horse battery", &[7; 16]).unwrap().to_string();
    let passwords = Passwords::default();
    let Checked::Renewed(strong) =
        passwords.check(Secret::new("correct horse battery"), Some(weak.clone())).await.unwrap()
    else {
        panic!("it is not renewed");
    };
    assert!(is_of_today(&PasswordHash::new(&strong).unwrap()));
    assert!(matches!(passwords.check(Secret::new("wrong horse battery"), Some(weak)).await.unwrap(), Checked::Wrong));
}

#[test]
fn passwords_and_addresses_have_bounds() {
    for (text, fits) in [("123456789", false), ("1234567890", true), ("ééééééééé", false), ("éééééééééé", true)]
    {
        assert_eq!(read_password(text).is_ok(), fits, "{text}");
    }
    assert!(read_password(&"x".repeat(128)).is_ok() && read_password(&"x".repeat(129)).is_err());
    assert_eq!(read_email(" Ada@Example.ORG ").as_deref(), Ok("ada@example.org"));
    let long = format!("{}@x.org", "a".repeat(249));
    for text in ["", "@", "a@", "@b", "ab", "a@b@c", "a b@c", "a\n@b", long.as_str()] {
        assert_eq!(read_email(text), Err(SignInRefusal::BadEmail), "{text}");
    }
    assert_eq!(generate_password().expose().len(), GENERATED_CHARACTERS);
}
