//! Every parameter over the twelve example resources, against expectations written by hand.

use std::collections::BTreeSet;
use std::path::Path;

use rorqual_schema::{DateRange, Extraction, Node, ResourceType, Schema, Value};

/// `code[line]=value`, one a line: codes in order, values in document order. Systems are cut to what tells them apart.
fn values(schema: &Schema, name: &str) -> (ResourceType, Vec<String>, Vec<Vec<Option<u32>>>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/examples")
        .join(name);
    let text = std::fs::read(path).expect("example");
    let node = Node::parse(&text).expect("JSON");
    let t = node
        .get("resourceType")
        .and_then(Node::as_str)
        .and_then(ResourceType::from_name)
        .expect("type");
    let mut extraction = Extraction::new();
    schema.extract(t, &node, &mut extraction);
    extraction.values.sort_by_key(|found| found.parameter);
    let rendered = extraction.values.iter().map(|found| {
        let parameter = &schema.parameters(t)[found.parameter];
        let line = found.line.map_or(String::new(), |line| format!("[{line}]"));
        assert_eq!(
            found.line.is_some(),
            parameter.group.is_some(),
            "{}",
            parameter.code
        );
        format!("{}{line}={}", parameter.code, render(&found.value))
    });
    (t, rendered.collect(), extraction.lines.clone())
}

fn render(value: &Value<'_>) -> String {
    match value {
        Value::Token(token) => {
            let kind = token
                .identifier_type
                .as_ref()
                .map(|(s, c)| format!(" of {}|{c}", short(s)))
                .unwrap_or_default();
            format!("{}|{}{kind}", short(&token.system), token.code)
        }
        Value::String(text) => text.to_string(),
        Value::Date(range) => dates(*range),
        Value::Number(number) => number.to_string(),
        Value::Quantity(quantity) => {
            let unit = quantity.unit.as_deref().unwrap_or("-");
            format!(
                "{} {unit} = {}",
                quantity.value,
                quantity
                    .canonical
                    .map_or("-".into(), |(d, v)| format!("{v} of {}", d.0))
            )
        }
        Value::Reference(reference) => {
            let literal = reference
                .literal
                .as_ref()
                .map(|(t, id)| format!("{}/{id}", t.map_or("?", ResourceType::name)));
            let hint = reference
                .type_hint
                .map(|t| format!(" type {t}"))
                .unwrap_or_default();
            let logical = reference
                .identifier
                .as_ref()
                .map(|(s, v)| format!(" id {s}|{v}"))
                .unwrap_or_default();
            format!("{}{hint}{logical}", literal.unwrap_or_default())
        }
        Value::Position(position) => format!("{},{}", position.latitude, position.longitude),
    }
}

fn short(system: &str) -> &str {
    let last = system.rsplit('/').next().unwrap_or(system);
    last.strip_prefix("TRE-")
        .and_then(|rest| rest.split('-').next())
        .unwrap_or(last)
}

fn dates(range: DateRange) -> String {
    let instant = |micros: i64| match micros {
        i64::MIN | i64::MAX => "open".to_owned(),
        _ => chrono::DateTime::from_timestamp_micros(micros)
            .expect("instant")
            .format("%FT%T%.fZ")
            .to_string(),
    };
    format!("{}..{}", instant(range.low), instant(range.high))
}

#[rustfmt::skip]
const EXPECTED: &[(&str, &str)] = &[
    ("HealthcareService-cabinet.json", "
        _id=|52000000302
        _lastUpdated=2026-07-10T14:20:00Z..2026-07-10T14:20:00.001Z
        _tag=R30|52
        age-range-high=120 a = 3786912000 of 1
        age-range-low=0 a = 0 of 1
        characteristic=R213|32
        characteristic=R338|03
        characteristic=R338|04
        characteristic=R210|0172
        characteristic=R210|0199
        characteristic=R210|0250
        characteristic=R238|01
        characteristic=R356|123
        characteristic=R286|PRO
        identifier=|52/900302 of R355|35
        intervention-zone=R13|44162
        location=Location/52000000202
        name=Consultation de cardiologie et rythmologie
        notavailable-closing-reopeningdate=2026-08-02T22:00:00Z..2026-08-23T22:00:00Z
        organization=Organization/52000000105
        patient-type=R239|09
        patient-type=R239|06
        service-category=R244|183
        service-type=R227|05
        specialty=R211|132"),
    ("HealthcareService-hospitalisation.json", "
        _id=|52000000301
        _lastUpdated=2026-07-01T05:00:00Z..2026-07-01T05:00:00.001Z
        _tag=R30|52
        age-range-high=120 a = 3786912000 of 1
        age-range-low=16 a = 504921600 of 1
        characteristic=R240|01
        characteristic=R213|28
        characteristic=R338|01
        characteristic=R338|13
        characteristic=R210|0249
        characteristic=R210|0250
        characteristic=R245|32
        characteristic=R238|03
        characteristic=R356|63
        characteristic=G15|60
        characteristic=R243|01
        characteristic=R344|11
        identifier=|52/900301 of R355|35
        intervention-zone=R13|44109
        intervention-zone=R13|44162
        location=Location/52000000201
        name=Cardiologie - hospitalisation complète
        organization=Organization/52000000103
        patient-type=R239|07
        service-category=R244|149
        service-type=R227|01
        specialty=R211|013"),
    ("Location-cabinet.json", "
        _id=|52000000202
        _lastUpdated=2026-03-09T10:12:00Z..2026-03-09T10:12:00.001Z
        _tag=R30|52
        address-city=SAINT-HERBLAIN
        address-postalcode=44800
        commune-cog=R13|44162
        equipment-type[0]=R212|207
        identifier=|52/900202 of R354|25
        near=47.2181,-1.6485
        near-insee-code=47.2181,-1.6485
        operational-status=R203|3
        status=|active
        type=R343|022"),
    ("Location-hospitalisation.json", "
        _id=|52000000201
        _lastUpdated=2026-07-20T04:31:10Z..2026-07-20T04:31:10.001Z
        _tag=R30|52
        additional-bed-type[4]=R334|03
        address-city=NANTES
        address-postalcode=44200
        capacity-closing-type[3]=R333|01
        capacity-status[0]=R330|01
        capacity-status[1]=R330|02
        capacity-status[2]=R330|02
        capacity-status[3]=R330|05
        capacity-status[4]=R330|06
        capacity-status[5]=R330|02
        capacity-type[0]=R329|01
        capacity-type[1]=R329|01
        capacity-type[2]=R329|01
        capacity-type[3]=R329|01
        capacity-type[4]=R329|01
        capacity-type[5]=R329|01
        capacity-update-date[0]=2026-05-04T07:00:00Z..2026-05-04T07:00:01Z
        capacity-update-date[1]=2026-07-20T04:30:00Z..2026-07-20T04:30:01Z
        capacity-update-date[2]=2026-07-20T04:30:00Z..2026-07-20T04:30:01Z
        capacity-update-date[3]=2026-07-20T04:30:00Z..2026-07-20T04:30:01Z
        capacity-update-date[4]=2026-07-20T04:30:00Z..2026-07-20T04:30:01Z
        capacity-update-date[5]=2026-07-20T04:30:00Z..2026-07-20T04:30:01Z
        commune-cog=R13|44109
        equipment-feature[0]=R340|001
        equipment-type[0]=R212|089
        equipment-type[1]=R212|112
        gender-capacity-available[1]=R332|01
        gender-capacity-available[2]=R332|02
        gender-capacity-available[5]=R332|04
        identifier=|52/900201 of R354|25
        identifier=|TC-CARDIO-2O of R354|26
        limit-value[0]=350 kg = 350000000000 of 2
        nb-capacity[0]=24
        nb-capacity[1]=3
        nb-capacity[2]=1
        nb-capacity[3]=2
        nb-capacity[4]=2
        nb-capacity[5]=5
        near=47.2103,-1.5531
        near-insee-code=47.2103,-1.5531
        operational-status=R203|3
        residential-number[0]=14
        residential-number[1]=5
        residential-type[0]=R242|02
        residential-type[1]=R242|01
        status=|active
        temporality-capacity[0]=R331|01
        temporality-capacity[1]=R331|01
        temporality-capacity[2]=R331|01
        temporality-capacity[3]=R331|01
        temporality-capacity[4]=R331|01
        temporality-capacity[5]=R331|03
        temporary-assignement[0]=R337|01
        temporary-assignement[1]=R337|01
        temporary-assignement[2]=R337|01
        temporary-assignement[3]=R337|01
        temporary-assignement[4]=R337|01
        temporary-assignement[5]=R337|01
        type=R343|001"),
    ("Organization-eg-cabinet.json", "
        _id=|52000000105
        _lastUpdated=2026-04-22T13:45:00Z..2026-04-22T13:45:00.001Z
        _tag=R30|52
        identifier=urn:oid:1.2.250.1.71.4.2.2|399990002000010 of G07|40
        identifier=sirene.fr|99990002000010 of G07|3
        identifier=rppsrang.esante.gouv.fr|10999900011008 of G07|4
        name=CABINET DE CARDIOLOGIE DU VIEUX PORT
        partof=Organization/52000000104
        type=R02|SA08"),
    ("Organization-eg.json", "
        _id=|52000000102
        _lastUpdated=2026-06-15T08:00:00Z..2026-06-15T08:00:00.001Z
        _tag=R30|52
        drop-zone=|true
        identifier=urn:oid:1.2.250.1.71.4.2.2|1449990027 of G07|40
        identifier=finess.esante.gouv.fr|449990027 of G07|1
        identifier=sirene.fr|99990001200025 of G07|3
        name=CLINIQUE DES TROIS CHENES
        name=Clinique des Trois Chênes - Nantes
        partof=Organization/52000000101
        price-amount-value[0]=68.5
        price-residential-type[0]=R242|02
        price-type[0]=R246|04
        price-unit[0]=R228|2
        price-validity-start-date[0]=2025-12-31T23:00:00Z..2026-01-01T23:00:00Z
        special-price[0]=R250|01
        type=R66|365
        type=R73|0"),
    ("Organization-ej-cabinet.json", "
        _id=|52000000104
        _lastUpdated=2026-04-22T13:40:00Z..2026-04-22T13:40:00.001Z
        _tag=R30|52
        identifier=urn:oid:1.2.250.1.71.4.2.2|2999900020 of G07|40
        identifier=sirene.fr|999900020 of G07|2
        name=SARL CARDIOLOGIE DU VIEUX PORT
        type=R72|72
        type=R69|2200"),
    ("Organization-ej.json", "
        _id=|52000000101
        _lastUpdated=2026-06-02T06:15:00Z..2026-06-02T06:15:00.001Z
        _tag=R30|52
        identifier=urn:oid:1.2.250.1.71.4.2.2|1449990019 of G07|40
        identifier=finess.esante.gouv.fr|449990019 of G07|1
        identifier=sirene.fr|999900012 of G07|2
        name=SARL CLINIQUE DES TROIS CHENES
        type=R72|72
        type=R69|2200"),
    ("Organization-oi.json", "
        _id=|52000000103
        _lastUpdated=2026-06-15T08:05:00Z..2026-06-15T08:05:00.001Z
        _tag=R30|52
        identifier=oi.esante.gouv.fr|52/900103 of R345|42
        name=Service de cardiologie
        partof=Organization/52000000102
        type=R207|2"),
    ("Practitioner.json", "
        _id=|52000000401
        _lastUpdated=2026-02-17T11:00:00Z..2026-02-17T11:00:00.001Z
        _tag=R30|52
        identifier=urn:oid:1.2.250.1.71.4.2.1|10999900011"),
    ("PractitionerRole.json", "
        _id=|52000000501
        _lastUpdated=2026-02-17T11:05:00Z..2026-02-17T11:05:00.001Z
        _tag=R30|52
        identifier=|52/900501
        organization=Organization/52000000105
        practitioner=Practitioner/52000000401
        service=HealthcareService/52000000302"),
    ("Task.json", "
        _id=|52000000601
        _lastUpdated=2026-07-15T07:41:00Z..2026-07-15T07:41:00.001Z
        authored-on=2026-07-14T15:05:00Z..2026-07-14T15:05:01Z
        business-status=R352|05
        focus=HealthcareService/52000000302 type HealthcareService id |52/900302
        identifier=anomalies|ANO-2026-000117"),
];

#[test]
fn every_example_gives_what_its_text_says() {
    let schema = Schema::embedded().expect("schema");
    for (name, expected) in EXPECTED {
        let expected: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let (_, found, _) = values(&schema, name);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_lines_of_groups_know_their_parents() {
    let schema = Schema::embedded().expect("schema");
    let (t, _, lines) = values(&schema, "Location-hospitalisation.json");
    let of = |name: &str| lines[schema.find_group(t, name).expect("group")].clone();
    assert_eq!(of("supported-capacity"), [None; 6]);
    assert_eq!(of("equipment"), [None; 2]);
    assert_eq!(of("equipment-limit"), [Some(0)]);
    assert_eq!(of("residential-capacity"), [None; 2]);
}

/// Parameters that no example has a value for are read from resources made for them.
#[test]
fn the_parameters_left_out_by_the_examples_read_their_elements() {
    let schema = Schema::embedded().expect("schema");
    let base = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";
    let mut read = BTreeSet::new();
    let mut check = |t: ResourceType, code: &str, body: String, expected: &[&str]| {
        let text = format!(r#"{{"resourceType":"{t}",{body}}}"#);
        let node = Node::parse(text.as_bytes()).expect("JSON");
        let mut extraction = Extraction::new();
        schema.extract(t, &node, &mut extraction);
        let number = schema.find(t, code).unwrap_or_else(|| panic!("{t} {code}"));
        let found: Vec<String> = extraction
            .values
            .iter()
            .filter(|found| found.parameter == number)
            .map(|found| render(&found.value))
            .collect();
        assert_eq!(found, expected, "{t} {code}");
        read.insert((t, code.to_owned()));
    };
    let concept = |code: &str| {
        format!(r#""valueCodeableConcept":{{"coding":[{{"system":"s","code":"{code}"}}]}}"#)
    };
    let price = |inner: String| {
        format!(r#""extension":[{{"url":"{base}ror-organization-price","extension":[{inner}]}}]"#)
    };
    let capacity = |inner: String| {
        format!(
            r#""extension":[{{"url":"{base}ror-location-supported-capacity","extension":[{inner}]}}]"#
        )
    };
    use ResourceType::{HealthcareService, Location, Organization, Task};
    check(
        HealthcareService,
        "psychiatric-sector",
        format!(
            r#""extension":[{{"url":"{base}ror-healthcareservice-psychiatric-sector","valueString":"44G01"}},
               {{"url":"{base}ror-healthcareservice-psychiatric-sector","valueString":"44G02"}}]"#
        ),
        &["44G01", "44G02"],
    );
    check(
        Location,
        "crisis-type",
        capacity(format!(r#"{{"url":"crisisType",{}}}"#, concept("01"))),
        &["s|01"],
    );
    check(
        Location,
        "capacity-status",
        capacity(r#"{"url":"capacityStatus","valueCode":"02"}"#.into()),
        &["|02"],
    );
    check(
        Location,
        "nb-capacity",
        capacity(r#"{"url":"nbCapacity","valueInteger":"3"}"#.into()),
        &["3"],
    );
    check(
        Location,
        "organization",
        r#""managingOrganization":{"reference":"Organization/1"}"#.into(),
        &["Organization/1"],
    );
    let closing = format!(
        r#""extension":[{{"url":"{base}ror-organization-closing-type",{}}}]"#,
        concept("DEF")
    );
    check(Organization, "closing-type", closing, &["s|DEF"]);
    check(
        Organization,
        "period-end",
        r#""extension":[{"url":"http://hl7.org/fhir/StructureDefinition/organization-period",
            "valuePeriod":{"start":"2003-09-01","end":"2026-06-30"}}]"#
            .into(),
        &["2026-06-29T22:00:00Z..2026-06-30T22:00:00Z"],
    );
    for (code, element) in [
        ("price-dependency-level", "dependencyLevel"),
        ("price-welcome-type", "welcomeType"),
        ("special-price", "specialPrice"),
    ] {
        check(
            Organization,
            code,
            price(format!(r#"{{"url":"{element}",{}}}"#, concept("01"))),
            &["s|01"],
        );
    }
    check(
        Task,
        "focus",
        r#""focus":{"type":"Location","identifier":{"system":"http://sirene.fr","value":"9"}}"#
            .into(),
        &[" type Location id https://sirene.fr|9"],
    );
    check(
        Task,
        "_tag",
        r#""meta":{"tag":{"system":"s","code":"52"}}"#.into(),
        &["s|52"],
    );

    // Together with the examples, no parameter with an expression is left untried.
    for (name, _) in EXPECTED {
        let (t, found, _) = values(&schema, name);
        read.extend(found.iter().map(|line| {
            (
                t,
                line.split(['=', '[']).next().unwrap_or_default().to_owned(),
            )
        }));
    }
    for t in ResourceType::ALL {
        for parameter in schema
            .parameters(t)
            .iter()
            .filter(|parameter| parameter.expression.is_some())
        {
            assert!(
                read.contains(&(t, parameter.code.clone())),
                "{t} {}",
                parameter.code
            );
        }
    }
}
