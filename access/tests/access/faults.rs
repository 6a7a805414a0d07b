//! Every fault of a policy file, and what its message says.

use rorqual_access::Policy;
use rorqual_schema::Schema;

/// Each text must be refused with a message that holds those pieces.
#[test]
fn faults_are_named_with_what_to_do() {
    let see = |condition: &str| format!("[profiles.x]\nsee.'Location.name' = \"{condition}\"");
    let path = |path: &str| format!("[lines.l]\nelements = [\"{path}\"]");
    let cases: Vec<(String, &[&str])> = vec![
        (
            "profile = 1".into(),
            &[
                "unknown field `profile`",
                "did you mean `profiles`?",
                "line 1",
            ],
        ),
        (
            "[profiles.x]\nintractions = []".into(),
            &["line 2", "did you mean `interactions`?"],
        ),
        (
            "[profiles.x.parameters]\nallowed = []".into(),
            &["did you mean `allow`?"],
        ),
        (
            "[lines.x]\nelement = []".into(),
            &["did you mean `elements`?"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nsubjet = 'CN=a'".into(),
            &["did you mean `subject`?"],
        ),
        (
            "[[certificates]]\nsubject = 'CN=a'".into(),
            &["missing field `profile`"],
        ),
        (
            "profiles = 3".into(),
            &["the access policy is not usable", "line 1"],
        ),
        ("= 3".into(), &["the access policy is not usable", "line 1"]),
        (
            "listen = 'x'\n[access]\nbse = 'national'".into(),
            &["did you mean `base`?", "line 3"],
        ),
        (
            "base = 'nationl'".into(),
            &[
                "base names `nationl`",
                "no ready policy",
                "did you mean `national`?",
            ],
        ),
        (
            "base = 'national'\n[profiles.2]".into(),
            &["profiles.2 is also in the base policy", "like"],
        ),
        (
            "base = 'national'\n[lines.equipment]\nelements = ['Location.name']".into(),
            &["lines.equipment is also"],
        ),
        (
            "[profiles.'a b']".into(),
            &["profiles.a b: a name has 1 to 64"],
        ),
        (
            "[lines.'é']\nelements = ['Location.name']".into(),
            &["lines.é: a name has"],
        ),
        (
            "[profiles.x]\nlike = 'y'".into(),
            &["profiles.x.like names `y`", "known: x"],
        ),
        (
            "[profiles.x]\nlike = 'y'\n[profiles.y]\nlike = 'x'".into(),
            &["profiles.x.like leads back to itself"],
        ),
        ("[profiles.x]\nlike = 'x'".into(), &["leads back to itself"]),
        (
            "[profiles.x]\ntypes = ['Healthcareservice']".into(),
            &["profiles.x.types", "did you mean `HealthcareService`?"],
        ),
        (
            "[profiles.x]\nrest = ['Patient']".into(),
            &["profiles.x.rest names `Patient`"],
        ),
        (
            "[profiles.x]\ninteractions = ['reed']".into(),
            &["no interaction", "did you mean `read`?", "transaction"],
        ),
        (
            "[profiles.x]\noperations = ['$exports']".into(),
            &["did you mean `$export`?"],
        ),
        (
            "[profiles.x]\ntasks = ['delete']".into(),
            &["no right on tasks", "known: read, write"],
        ),
        (
            "[profiles.x]\ntasks = ['read']".into(),
            &["documents.Task is missing"],
        ),
        (
            "[profiles.x]\nparameters.allow = ['Locaton.near']".into(),
            &["parameters.allow", "did you mean `Location`?"],
        ),
        (
            "[profiles.x]\ndocuments.Locatio = 'always'".into(),
            &["profiles.x.documents.Locatio", "did you mean `Location`?"],
        ),
        (
            "[profiles.x]\ndocuments.Location = 'level < 3'".into(),
            &["profiles.x.documents.Location", "ask about an element"],
        ),
        (
            "[profiles.x]\ndocuments.Location = \"not has('x') or city\"".into(),
            &["ask about an element"],
        ),
        (
            "[profiles.x]\nsee.nothing = 'always'".into(),
            &["profiles.x.see.nothing", "no line"],
        ),
        (
            "base = 'national'\n[profiles.x]\nsee.equipement = 'always'".into(),
            &["did you mean `equipment`?"],
        ),
        ("[lines.l]".into(), &["lines.l has no elements"]),
        (
            see("sensible"),
            &[
                "profiles.x.see.Location.name",
                "at character 1",
                "did you mean `sensitive`?",
            ],
        ),
        (see(""), &["a condition is due, not the end"]),
        (
            see("always city"),
            &["at character 8", "join conditions with `and` or `or`"],
        ),
        (see("(always"), &["`)` is due, not the end"]),
        (see("not"), &["a condition is due, not the end"]),
        (see("level"), &["`<`, `<=`", "not the end"]),
        (see("level < 4"), &["a level is 1, 2 or 3, not `4`"]),
        (see("level < 12"), &["a level is 1, 2 or 3, not `12`"]),
        (see("region 52"), &["`= '…'` or `in ('…', '…')` is due"]),
        (see("region = 52"), &["`'` is due, not `52`"]),
        (see("region = '52"), &["no closing quote"]),
        (
            see("region = ''"),
            &["the text between the quotes is empty"],
        ),
        (
            see("has('ror-location-equipmnt')"),
            &["did you mean `ror-location-equipment`?", "whole URL"],
        ),
        (see("code('x')"), &["is due, not the end"]),
        (see(&"(".repeat(5_000)), &["nested too deep"]),
        (see(&"not ".repeat(5_000)), &["nested too deep"]),
        (
            path("Location"),
            &["lines.l.elements", "the path names no element"],
        ),
        (path("location.name"), &["did you mean `Location`?"]),
        (path("Location.nom"), &["Location has no element `nom`"]),
        (path("Location.adress"), &["did you mean `address`?"]),
        (path("Location.id"), &["no rule names `id`"]),
        (path("Location.text"), &["no rule names `text`"]),
        (
            path("Location._name"),
            &["`_name` follows `name` by itself"],
        ),
        (path("Location.extension"), &["say which extension"]),
        (
            path("Location.extension('ror-coment')"),
            &["did you mean `ror-comment`?"],
        ),
        (path("Location.name!"), &["`!` is not expected"]),
        (path("Location..name"), &["the name of an element is due"]),
        (
            path("Location.where(coding.system = 'x:y')"),
            &["follows the name of an element"],
        ),
        (
            path("Location.type.where(coding.code = 'x')"),
            &["`system` is due"],
        ),
        (
            path("Location.type.where(coding.system = 'TRE_R343-FonctionLieux')"),
            &["did you mean `TRE_R343-FonctionLieu`?"],
        ),
        (
            path("Location.type.where(coding.system = 'x:y').coding"),
            &["ends a path"],
        ),
        (
            "without_certificate = 'x'\nopen_data = true".into(),
            &["without_certificate names `x`"],
        ),
        (
            "without_certificate = 'x'\n[profiles.x]".into(),
            &["needs `open_data = true`"],
        ),
        ("open_data = true".into(), &["`open_data = true` needs it"]),
        (
            "[[certificates]]\nprofile = 'x'\nsubject = 'CN=a'".into(),
            &["certificates[0].profile names `x`"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\n[profiles.x]".into(),
            &["certificates[0] must have exactly one"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nsubject = 'CN=a'\nfingerprints = []\n[profiles.x]"
                .into(),
            &["exactly one"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nattributes = {}\n[profiles.x]".into(),
            &["exactly one"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nattributes = { CN = '' }\n[profiles.x]".into(),
            &["exactly one"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nattributes = { 'C N' = 'a' }\n[profiles.x]".into(),
            &["certificates[0]", "`C N` is not"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nsubject = 'client'\n[profiles.x]".into(),
            &["`client` is not a distinguished name", "RFC 4514"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nfingerprints = ['abc']\n[profiles.x]".into(),
            &["`abc` is not a SHA-256 fingerprint"],
        ),
        (
            "[[certificates]]\nprofile = 'x'\nfingerprints = ['é']\n[profiles.x]".into(),
            &["64 hexadecimal digits"],
        ),
    ];
    for (text, pieces) in cases {
        let short: String = text.chars().take(120).collect();
        let Err(error) = Policy::from_toml(&text) else {
            panic!("not refused: {short}");
        };
        let message = error.to_string();
        for piece in pieces {
            assert!(
                message.contains(piece),
                "{short}\n  {message}\n  lacks {piece}"
            );
        }
    }
    let error = Policy::ready("open").expect_err("unheard of");
    assert!(error.to_string().contains("known: national"));
}

#[test]
fn the_table_of_a_server_configuration_is_read_alone() {
    let text = "listen = 'a'\n[limits]\nx = 1\n[access]\nbase = 'national'\n[access.profiles.own]\nlike = '2'";
    let policy = Policy::from_toml(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.profiles().len(), 7);
}

#[test]
fn parameters_are_checked_against_the_schema() {
    let schema = Schema::embedded().expect("the schema");
    let check = |parameters: &str| {
        let text = format!("[profiles.x]\nparameters.deny = {parameters}");
        let policy = Policy::from_toml(&text).unwrap_or_else(|error| panic!("{error}"));
        policy.check_parameters(&schema).map_err(|e| e.to_string())
    };
    assert_eq!(
        check("['*', 'Location.*', '*._id', 'Organization.name']"),
        Ok(())
    );
    let message = check("['Organization.nam']").expect_err("misspelled");
    assert!(message.contains("did you mean `name`?") && message.contains("profiles.x.parameters"));
    assert!(check("['Practitioner.near']").is_err());
    assert!(check("['*.nothing-like-it']").is_err());
}
