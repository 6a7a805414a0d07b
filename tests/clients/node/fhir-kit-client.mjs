// Drives the server with npm fhir-kit-client, as released. Usage: node fhir-kit-client.mjs BASE_URL MET

import assert from 'node:assert/strict';

import { CapabilityTool, Client } from 'fhir-kit-client';

import { Checks, commandLine, name, resources } from './checks.mjs';

const { base, met } = commandLine();
const client = new Client({ baseUrl: base });
const checks = new Checks('fhir-kit-client', met);

/** What a refused request was told: the status and the OperationOutcome. */
async function refused(request) {
  const error = await request.then(
    () => assert.fail('not refused'),
    (refusal) => refusal,
  );
  if (!error.response) throw error;
  const { status, data } = error.response;
  assert.equal(data.resourceType, 'OperationOutcome');
  checks.keep(data);
  return { status, issue: data.issue[0] };
}

await checks.run('the CapabilityStatement says what can be asked', async () => {
  const statement = checks.keep(await client.capabilityStatement());
  const tool = new CapabilityTool(statement);
  for (const kind of ['HealthcareService', 'Location', 'Organization', 'Practitioner', 'PractitionerRole', 'Task']) {
    assert.ok(tool.resourceCan(kind, 'search-type') && tool.resourceCan(kind, 'read'), kind);
    assert.ok(tool.resourceSearch(kind, 'identifier'), kind);
  }
  for (const parameter of ['near', 'near-insee-code', 'nb-capacity']) assert.ok(tool.resourceSearch('Location', parameter), parameter);
  assert.ok(!tool.resourceSearch('Location', 'colour'));
  assert.ok(!tool.resourceCan('HealthcareService', 'delete'));
  const { response } = Client.httpFor(statement);
  assert.match(response.headers.get('content-type'), /^application\/fhir\+json/);
});

await checks.run('next links lead through every match once, previous links back', async () => {
  let page = checks.keep(
    await client.search({ resourceType: 'HealthcareService', searchParams: { specialty: '013', _count: 10 } }),
  );
  const { total } = page;
  const pages = [];
  const found = new Set();
  for (; page; page = await client.nextPage({ bundle: page })) {
    checks.keep(page);
    pages.push(resources(page, 'match').map(name));
    for (const match of pages.at(-1)) {
      assert.ok(!found.has(match), `${match} on two pages`);
      found.add(match);
    }
    assert.equal(page.total, total);
    if (pages.length === 3) {
      const back = checks.keep(await client.prevPage({ bundle: page }));
      assert.deepEqual(resources(back, 'match').map(name), pages[1]);
    }
  }
  assert.ok(pages.length > 3, `${pages.length} pages`);
  assert.equal(found.size, total);
});

await checks.run('the same search by POST finds the same', async () => {
  const search = { resourceType: 'Location', searchParams: { 'address-city': 'Nantes', _count: 5, _sort: '_id' } };
  const got = checks.keep(await client.search(search));
  const posted = checks.keep(await client.search({ ...search, options: { postSearch: true } }));
  assert.ok(got.total > 5);
  assert.equal(posted.total, got.total);
  assert.deepEqual(resources(posted, 'match'), resources(got, 'match'));
});

await checks.run('a repeated parameter given as a list is an AND', async () => {
  const search = (values) => client.search({ resourceType: 'HealthcareService', searchParams: { _lastUpdated: values, _count: 1 } });
  const both = await search(['ge2024-01-01', 'lt2025-01-01']);
  const first = await search(['ge2024-01-01']);
  assert.ok(both.total > 0 && both.total < first.total, `${both.total} of ${first.total}`);
});

await checks.run('references resolve inside the Bundle, through to the legal entity', async () => {
  const bundle = checks.keep(
    await client.search({
      resourceType: 'HealthcareService',
      searchParams: {
        _include: ['HealthcareService:organization', 'HealthcareService:location', 'PractitionerRole:practitioner'],
        '_include:iterate': 'Organization:partof',
        _revinclude: 'PractitionerRole:service',
        _count: 15,
      },
    }),
  );
  const included = resources(bundle, 'include');
  assert.deepEqual(
    [...new Set(included.map((one) => one.resourceType))].sort(),
    ['Location', 'Organization', 'Practitioner', 'PractitionerRole'],
  );
  let climbed = 0;
  for (const offer of resources(bundle, 'match')) {
    let reference = offer.providedBy?.reference;
    const seen = new Set();
    while (reference && !seen.has(reference)) {
      seen.add(reference);
      const target = included.find((one) => name(one) === reference);
      if (!target) break;
      assert.equal(await client.resolve({ reference, context: bundle }), target, `${reference} was fetched again`);
      reference = target.partOf?.reference;
      climbed += 1;
    }
  }
  assert.ok(climbed > 15, `${climbed} references`);
});

await checks.run('a resource is read, by id and by absolute address', async () => {
  const place = checks.keep(await client.read({ resourceType: 'Location', id: '140' }));
  assert.equal(name(place), 'Location/140');
  assert.ok(Client.httpFor(place).response.headers.get('etag'));
  const bundle = await client.search({ resourceType: 'Location', searchParams: { _id: '140' } });
  assert.deepEqual(await client.resolve({ reference: bundle.entry[0].fullUrl }), place);
});

await checks.run('a near search says how far', async () => {
  const bundle = checks.keep(
    await client.search({ resourceType: 'Location', searchParams: { near: '47.2184|-1.5536|2|km', _count: 10 } }),
  );
  const far = bundle.entry.map((entry) => entry.search.extension[0].valueDistance.value);
  assert.ok(far.length > 1 && far.every((distance) => distance >= 0 && distance <= 2), String(far));
  assert.deepEqual(far, [...far].sort((a, b) => a - b));
});

await checks.run('refusals carry an OperationOutcome', async () => {
  const unknown = await refused(client.search({ resourceType: 'HealthcareService', searchParams: { colour: 'blue' } }));
  assert.equal(unknown.status, 400);
  assert.equal(unknown.issue.severity, 'error');
  assert.match(unknown.issue.diagnostics, /colour/);
  const absent = await refused(client.read({ resourceType: 'HealthcareService', id: 'none-such' }));
  assert.deepEqual([absent.status, absent.issue.code], [404, 'not-found']);
  const strange = await refused(client.search({ resourceType: 'Patient', searchParams: {} }));
  assert.deepEqual([strange.status, strange.issue.code], [404, 'not-supported']);
  const removal = await refused(client.delete({ resourceType: 'Location', id: '140' }));
  assert.equal(removal.status, 405);
});

checks.finish();
