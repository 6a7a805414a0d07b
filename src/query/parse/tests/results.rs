//! Controls: pages, order, includes, elements.

use super::{read, read_as, refusal, schema};
use crate::query::parse::{Handling, Include, SortBy, SortKey, Summary, TotalMode};
use rorqual_schema::ResourceType::{HealthcareService, Location, Organization, PractitionerRole};

#[test]
fn pages_and_totals() {
    let plain = read("Location?status=active");
    assert_eq!(
        (plain.count, plain.count_only, plain.total),
        (200, false, TotalMode::Accurate)
    );
    assert_eq!(plain.canonical_query, "status=active&_count=200");
    assert_eq!(read("Location?_count=20").canonical_query, "_count=20");
    assert_eq!(read("Location?_count=5000").canonical_query, "_count=1000");
    assert_eq!(read("Location?_count=99999999999999999999").count, 1000);
    assert!(read("Location?_count=0").count_only);
    let counted =
        read("Location?_summary=count&_total=estimate&_pretty=true&_format=application/fhir+json");
    assert!(counted.count_only && counted.pretty);
    assert_eq!(
        (counted.summary, counted.total),
        (Some(Summary::Count), TotalMode::Accurate)
    );
    assert_eq!(read("Location?_total=none").total, TotalMode::None);
    let page = read("Location?_cursor=abc&type=1");
    assert_eq!(
        (page.cursor.as_deref(), page.canonical_query.as_str()),
        (Some("abc"), "type=1&_count=200")
    );
    for bad in [
        "_count=-1",
        "_count=many",
        "_count=",
        "_count=1.5",
        "_count=1&_count=2",
        "_count:x=1",
        "_total=roughly",
        "_summary=long",
        "_pretty=oui",
        "_sort=",
        "_cursor=",
    ] {
        assert_eq!(refusal(&format!("Location?{bad}")).0, 400, "{bad}");
    }
    assert_eq!(refusal("Location?_format=xml").0, 406);
    for format in [
        "json",
        "application/json",
        "text/json",
        "application/fhir%2Bjson;charset=utf-8",
    ] {
        assert!(
            read_as(&format!("Location?_format={format}"), Handling::Strict).is_ok(),
            "{format}"
        );
    }
}

#[test]
fn orders() {
    let schema = schema();
    let find = |kind, code| schema.find(kind, code).expect(code);
    let by = |address: &str| read(address).sort;
    let key = |by, descending| SortKey { by, descending };
    assert_eq!(
        by("Location?_sort=-_lastUpdated,type,_id"),
        [
            key(SortBy::Parameter(find(Location, "_lastUpdated")), true),
            key(SortBy::Parameter(find(Location, "type")), false),
            key(SortBy::Parameter(find(Location, "_id")), false),
        ]
    );
    assert_eq!(
        by("HealthcareService?_sort=-organization.price-validity-start-date"),
        [key(
            SortBy::Chained {
                reference: find(HealthcareService, "organization"),
                target: Organization,
                parameter: find(Organization, "price-validity-start-date"),
            },
            true
        )]
    );
    let near = find(Location, "near");
    assert_eq!(
        by("Location?near=1|2&_sort=near"),
        [key(SortBy::Distance(near), false)]
    );
    let chained = key(SortBy::Distance(near), true);
    assert_eq!(
        by("HealthcareService?location.near=1|2&_sort=-location.near"),
        [chained]
    );
    assert_eq!(
        by("HealthcareService?location.near=1|2&_sort=-near"),
        [chained]
    );
    assert_eq!(
        by("Location?_content=a&_sort=_score"),
        [key(SortBy::Score, false)]
    );
    for bad in [
        "Location?_sort=colour",
        "Location?_sort=-",
        "Location?_sort=organization",
        "Location?_sort=near",
        "Location?_sort=_score",
        "Location?_sort=_content",
        "Location?_sort=type:not",
        "Task?_sort=focus.identifier",
        "Task?_sort=focus:HealthcareService.organization.name",
        "Location?_sort=_has:Task:focus:authored-on",
    ] {
        assert_eq!(refusal(bad).0, 400, "{bad}");
    }
    let lenient = read_as("Location?_sort=colour,type", Handling::Lenient).expect("accepted");
    assert_eq!((lenient.sort.len(), lenient.warnings.len()), (1, 1));
    assert_eq!(lenient.canonical_query, "_sort=type&_count=200");
}

#[test]
fn the_first_proximity_decides() {
    let request =
        read("HealthcareService?location.near=1|2&location.near=3|4,5|6&organization.name=x");
    let near = request.near.expect("near");
    assert_eq!(near.centres.len(), 3);
    assert_eq!(near.chain.map(|chain| chain.target), Some(Location));
    assert!(
        read("Location?near-insee-code=44109")
            .near
            .is_some_and(|near| near.chain.is_none())
    );
    assert!(read("Location?near:missing=false").near.is_none());
}

#[test]
fn includes() {
    let schema = schema();
    let include = |reverse, iterate, source, code: Option<&str>, target| Include {
        reverse,
        iterate,
        source,
        parameter: code.map(|code| schema.find(source.expect("a type"), code).expect(code)),
        target,
    };
    for (query, expected) in [
        (
            "_include=HealthcareService:organization",
            include(
                false,
                false,
                Some(HealthcareService),
                Some("organization"),
                None,
            ),
        ),
        (
            "_include:iterate=Organization:partof",
            include(false, true, Some(Organization), Some("partof"), None),
        ),
        (
            "_include:recurse=Organization:partof",
            include(false, true, Some(Organization), Some("partof"), None),
        ),
        (
            "_revinclude=PractitionerRole:service",
            include(true, false, Some(PractitionerRole), Some("service"), None),
        ),
        ("_include=*", include(false, false, None, None, None)),
        (
            "_include=HealthcareService:*",
            include(false, false, Some(HealthcareService), None, None),
        ),
        (
            "_include=HealthcareService:location:Location",
            include(
                false,
                false,
                Some(HealthcareService),
                Some("location"),
                Some(Location),
            ),
        ),
    ] {
        let request =
            read_as(&format!("HealthcareService?{query}"), Handling::Strict).expect(query);
        assert_eq!(request.includes, [expected], "{query}");
        let again = read_as(
            &format!("HealthcareService?{}", request.canonical_query),
            Handling::Strict,
        );
        assert_eq!(again.expect(query).includes, [expected]);
    }
    for bad in [
        "_include=Organization:colour",
        "_include=Patient:organization",
        "_revinclude=Location:colour",
        "_include:sometimes=*",
        "_include=Organization",
        "_include=Location:type",
        "_include=",
        "_include=HealthcareService:location:Organization",
        "_include=a:b:c:d",
    ] {
        assert_eq!(refusal(&format!("HealthcareService?{bad}")).0, 400, "{bad}");
    }
    let dropped =
        read_as("Location?_include=Location:colour", Handling::Lenient).expect("accepted");
    assert!(dropped.includes.is_empty() && dropped.warnings.len() == 1);
}

#[test]
fn elements() {
    let request = read(
        "HealthcareService?_elements=identifier,Organization.partOf&_include=HealthcareService:organization",
    );
    assert_eq!(request.elements.len(), 2);
    assert_eq!(request.elements[1].kind, Some(Organization));
    for bad in [
        "_elements=colour",
        "_elements=a,,b",
        "_elements=name.family",
        "_elements=Location.partof",
        "_elements=",
    ] {
        assert_eq!(refusal(&format!("Location?{bad}")).0, 400, "{bad}");
    }
    // A name without type concerns the type searched, whatever is included; that of an included type is written with it.
    assert_eq!(refusal("Location?_elements=providedBy").0, 400);
    let included = "_revinclude=HealthcareService:location";
    assert_eq!(
        refusal(&format!("Location?_elements=providedBy&{included}")).0,
        400
    );
    let typed = read(&format!(
        "Location?_elements=HealthcareService.providedBy&{included}"
    ));
    assert_eq!(typed.elements[0].kind, Some(HealthcareService));
    let lenient = read_as("Location?_elements=colour,name", Handling::Lenient).expect("accepted");
    assert_eq!((lenient.elements.len(), lenient.warnings.len()), (1, 1));
}
