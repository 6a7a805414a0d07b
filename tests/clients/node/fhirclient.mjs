// Drives the server with npm fhirclient (SMART on FHIR), as released. Usage: node fhirclient.mjs BASE_URL MET

import assert from 'node:assert/strict';

import smart from 'fhirclient';

import { Checks, commandLine, name, resources } from './checks.mjs';

const { base, met } = commandLine();
const plain = new smart.FhirClient(base);
// A client without a session, as the library asks for on a server: the storage is never written to.
const storage = { get: async () => undefined, set: async () => undefined, unset: async () => true };
const client = smart({ headers: {}, url: '/', socket: {} }, {}, storage).client(base);
const checks = new Checks('fhirclient', met);

/** The error that a refused request ends with. */
async function refused(request) {
  const error = await request.then(
    () => assert.fail('not refused'),
    (refusal) => refusal,
  );
  if (error.name !== 'HttpError') throw error;
  const outcome = JSON.parse(error.message.slice(error.message.indexOf('{')));
  assert.equal(outcome.resourceType, 'OperationOutcome');
  checks.keep(outcome);
  return { status: error.status, issue: outcome.issue[0] };
}

await checks.run('the server is found to be R4', async () => {
  assert.equal(await plain.getFhirVersion(), '4.0.1');
  assert.equal(await client.getFhirRelease(), 4);
});

await checks.run('pages() follows next links to the end', async () => {
  const found = [];
  let total;
  let pages = 0;
  for await (const page of plain.pages('Organization?type:missing=false&_count=200')) {
    checks.keep(page);
    total = page.total;
    pages += 1;
    found.push(...resources(page, 'match').map(name));
  }
  assert.ok(pages > 2, `${pages} pages`);
  assert.equal(found.length, total);
  assert.equal(new Set(found).size, total);
});

await checks.run('resources() walks through matches and includes of every page', async () => {
  const kinds = {};
  for await (const one of plain.resources('Task?_count=10&_include=Task:focus')) {
    kinds[one.resourceType] = (kinds[one.resourceType] ?? 0) + 1;
  }
  const { total } = await plain.fhirRequest('Task?_summary=count');
  assert.equal(kinds.Task, total);
  assert.ok(kinds.HealthcareService > 0, JSON.stringify(kinds));
});

await checks.run('request() with pageLimit 0 and flat gives all resources', async () => {
  const all = await client.request('Practitioner?_count=400', { pageLimit: 0, flat: true });
  const { total } = await client.request('Practitioner?_count=0');
  assert.equal(all.length, total);
  assert.equal(new Set(all.map(name)).size, total);
});

await checks.run('references are resolved and mounted in place', async () => {
  const bundle = checks.keep(await client.request('HealthcareService/700020'));
  assert.equal(name(bundle), 'HealthcareService/700020');
  const mounted = await client.request('HealthcareService/700020', { resolveReferences: ['providedBy', 'location'] });
  assert.equal(name(mounted.providedBy), bundle.providedBy.reference);
  assert.deepEqual(mounted.location.map(name), bundle.location.map((place) => place.reference));
});

await checks.run('references of a page are fetched once each', async () => {
  const { data, references } = await client.request('PractitionerRole?_count=10', {
    resolveReferences: ['practitioner', 'organization'],
    graph: false,
  });
  checks.keep(data);
  for (const role of resources(data, 'match')) {
    assert.equal(name(references[role.practitioner.reference]), role.practitioner.reference);
  }
});

await checks.run('a chained search near a commune includes its places', async () => {
  const query = 'HealthcareService?location.near-insee-code=44109|5|km&_include=HealthcareService:location&_count=10';
  const bundle = checks.keep(await plain.fhirRequest(query));
  const places = bundle.entry.filter((entry) => entry.search.mode === 'include');
  assert.ok(bundle.total > 0 && places.length > 0);
  for (const place of places) assert.equal(typeof place.search.extension[0].valueDistance.value, 'number');
});

await checks.run('refusals end in an HttpError that holds the OperationOutcome', async () => {
  const unknown = await refused(plain.fhirRequest('HealthcareService?colour=blue'));
  assert.equal(unknown.status, 400);
  assert.match(unknown.issue.diagnostics, /colour/);
  const absent = await refused(client.request('Location/none-such'));
  assert.deepEqual([absent.status, absent.issue.code], [404, 'not-found']);
  const broken = await refused(plain.fhirRequest('HealthcareService?_filter=(name eq'));
  assert.deepEqual([broken.status, broken.issue.severity], [400, 'error']);
});

checks.finish();
