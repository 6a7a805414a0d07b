//! Which certificate gets which profile.

use rorqual_access::{Caller, Policy};

const POLICY: &str = r#"
base = "national"
without_certificate = "0"
open_data = true

[[certificates]]
profile = "1"
fingerprints = ["00:01:02:03:04:05:06:07:08:09:0A:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f"]

[[certificates]]
profile = "5"
subject = "CN=guichet,OU=Santé\\, social,O=Agence,C=FR"

[[certificates]]
profile = "2"
attributes = { CN = "rorqual-profile-2", O = "ARS *" }

[[certificates]]
profile = "3"
attributes = { cn = "rorqual-*" }
"#;

fn policy() -> Policy {
    Policy::from_toml(POLICY).unwrap_or_else(|error| panic!("{error}"))
}

fn named(caller: Caller<'_>) -> Option<String> {
    policy().profile_for(&caller).map(|p| p.name().to_owned())
}

fn by_subject(subject: &str) -> Option<String> {
    named(Caller {
        subject: Some(subject),
        fingerprint: None,
    })
}

#[test]
fn the_first_rule_that_matches_wins() {
    for (subject, profile) in [
        ("CN=rorqual-profile-2,O=ARS Bretagne,C=FR", Some("2")),
        ("O=ARS Bretagne,CN=rorqual-profile-2", Some("2")),
        ("CN=rorqual-profile-2,O=Ailleurs", Some("3")),
        ("CN=rorqual-profile-2,O=x+O=ARS Bretagne", Some("2")),
        ("CN=rorqual-,O=Ailleurs", Some("3")),
        ("CN=Rorqual-2", None),
        (r"CN=guichet,OU=Santé\, social,O=Agence,C=FR", Some("5")),
        (r"cn=guichet, ou=Santé\2c social, o=Agence, c=FR", Some("5")),
        ("CN=guichet,OU=Santé,O=Agence,C=FR", None),
        (r"CN=guichet,OU=Santé\, social,O=Agence,C=FR,C=FR", None),
        (r"CN=x\,CN=rorqual-profile-2,O=ARS Bretagne", None),
        ("rorqual-profile-2", None),
        ("", None),
    ] {
        assert_eq!(by_subject(subject).as_deref(), profile, "{subject}");
    }
}

#[test]
fn a_fingerprint_is_the_whole_of_it() {
    let mut print: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).expect("small"));
    let ask = |print: &[u8; 32], subject| {
        named(Caller {
            subject,
            fingerprint: Some(print),
        })
    };
    assert_eq!(ask(&print, None).as_deref(), Some("1"));
    assert_eq!(ask(&print, Some("CN=rorqual-x")).as_deref(), Some("1"));
    print[31] ^= 1;
    assert_eq!(ask(&print, Some("CN=rorqual-x")).as_deref(), Some("3"));
    assert_eq!(ask(&print, None), None);
    // A subject that cannot be read is trusted for nothing, whatever the fingerprint.
    print[31] ^= 1;
    assert_eq!(ask(&print, Some("CN=\"x")), None);
}

#[test]
fn open_data_is_for_who_shows_nothing() {
    assert_eq!(named(Caller::default()).as_deref(), Some("0"));
    assert_eq!(by_subject("CN=stranger"), None);
    let closed = Policy::from_toml("base = 'national'").expect("usable");
    assert!(closed.profile_for(&Caller::default()).is_none());
    assert!(
        Policy::from_toml("")
            .expect("usable")
            .profile_for(&Caller::default())
            .is_none()
    );
}
