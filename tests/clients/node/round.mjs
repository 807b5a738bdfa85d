// One round of fhir-kit-client against the passport; prints what it saw as one JSON object.
//
// https://github.com/Vermonster/fhir-kit-client
//
// The environment says where, as whom and about whom: FHIR_URL, FHIR_TOKEN, PATIENT, and SYSTEM, the system of
// the identifiers that the round gives its records.

import process from "node:process";

import { Client } from "fhir-kit-client";

const { FHIR_URL, FHIR_TOKEN, PATIENT, SYSTEM } = process.env;
const PAGED = 5;

const client = new Client({ baseUrl: FHIR_URL, bearerToken: FHIR_TOKEN });
const resourceType = "Observation";

function weight(value, kilograms, date = "2026-10-01") {
  const quantity = { value: kilograms, unit: "kg", system: "http://unitsofmeasure.org", code: "kg" };
  return {
    resourceType,
    status: "final",
    identifier: [{ system: SYSTEM, value }],
    code: { coding: [{ system: "http://loinc.org", code: "29463-7" }] },
    subject: { reference: PATIENT },
    effectiveDateTime: date,
    valueQuantity: quantity,
  };
}

const ifMatch = (version) => ({ headers: { "If-Match": `W/"${version}"` } });
const ifNoneExist = (value) => ({ headers: { "If-None-Exist": `identifier=${SYSTEM}|${value}` } });
const sent = (resource) => Client.httpFor(resource).response;
const kilograms = (resource) => resource.valueQuantity.value;
const resources = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource);

// What a refusal says, told from an answer that should not have been one.
async function refusal(answer) {
  try {
    await answer;
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.response.status, resourceType: error.response.data?.resourceType };
  }
  return { status: 200 };
}

async function statement() {
  const { fhirVersion, rest } = await client.capabilityStatement();
  return { fhirVersion, types: rest[0].resource.map(({ type }) => type) };
}

async function lifetime() {
  const created = await client.create({ resourceType, body: weight("life", 62.5) });
  const id = created.id;
  const read = await client.read({ resourceType, id });
  const updated = await client.update({ resourceType, id, body: { ...read, ...changed(61.5) }, options: ifMatch(1) });
  const late = await refusal(client.update({ resourceType, id, body: read, options: ifMatch(1) }));
  const patched = await client.patch({ resourceType, id, jsonPatch: [replacing(60.5)], options: ifMatch(2) });
  const first = await client.vread({ resourceType, id, version: "1" });
  const deleted = sent(await client.delete({ resourceType, id })).status;
  const gone = await refusal(client.read({ resourceType, id }));
  const versions = (await client.history({ resourceType, id })).entry.map(({ request }) => request.method);
  return {
    location: sent(created).headers.get("location").endsWith(`/Observation/${id}/_history/1`),
    etags: [created, read, updated, patched].map((each) => sent(each).headers.get("etag")),
    kilograms: [created, read, updated, patched, first].map(kilograms),
    late,
    deleted,
    gone,
    versions,
  };
}

const changed = (value) => ({ valueQuantity: weight("life", value).valueQuantity });
const replacing = (value) => ({ op: "replace", path: "/valueQuantity/value", value });

async function conditions() {
  const body = weight("once", 58.25);
  const created = await client.create({ resourceType, body, options: ifNoneExist("once") });
  const again = await client.create({ resourceType, body, options: ifNoneExist("once") });
  const searchParams = { identifier: `${SYSTEM}|once` };
  const updated = await client.update({ resourceType, searchParams, body: weight("once", 57.25) });
  return {
    statuses: [created, again, updated].map((each) => sent(each).status),
    one: created.id === again.id && created.id === updated.id,
    version: updated.meta.versionId,
  };
}

async function pages() {
  const written = [];
  for (let day = 1; day <= PAGED; day += 1) {
    const body = weight(`page-${day}`, 60 + day, `2026-09-0${day}`);
    written.push((await client.create({ resourceType, body })).id);
  }
  const searchParams = { patient: PATIENT, date: "lt2026-10-01", _count: 2, _sort: "date", _total: "accurate" };
  const shown = { get: [], post: [], compartment: [] };
  const compartment = { resourceType: "Patient", id: PATIENT.split("/")[1] };
  const first = {
    get: await client.search({ resourceType, searchParams }),
    post: await client.search({ resourceType, searchParams, options: { postSearch: true } }),
    compartment: await client.search({ resourceType, compartment, searchParams }),
  };
  for (const way of Object.keys(shown)) {
    for (let page = first[way]; page; page = await client.nextPage({ bundle: page })) {
      shown[way].push({ total: page.total, ids: resources(page).map(({ id }) => written.indexOf(id)) });
    }
  }
  return shown;
}

async function histories() {
  const ofType = await client.history({ resourceType });
  const ofAll = await client.history();
  return [ofType, ofAll].map(({ type, entry }) => [type, entry.length > 0]);
}

async function operations() {
  const id = PATIENT.split("/")[1];
  const everything = await client.operation({ name: "everything", resourceType: "Patient", id, method: "GET" });
  const judged = await client.operation({ name: "validate", resourceType, input: { ...weight("x", 60), status: "x" } });
  return {
    everything: [...new Set(resources(everything).map((each) => each.resourceType))].sort(),
    validate: [judged.resourceType, judged.issue.some(({ severity }) => severity === "error")],
  };
}

const post = (value, fullUrl) => ({
  fullUrl,
  resource: weight(value, 59.75),
  request: { method: "POST", url: resourceType },
});
const bundle = (type, ...entry) => ({ resourceType: "Bundle", type, entry });
const statuses = ({ entry }) => entry.map(({ response }) => response.status.slice(0, 3));

async function bundles() {
  const spoilt = post("spoilt");
  spoilt.resource.status = "perhaps";
  const unread = { request: { method: "GET", url: "Observation/unknown" } };
  const batch = await client.batch({ body: bundle("batch", post("batch-1"), spoilt, unread) });
  const search = { request: { method: "GET", url: `Observation?identifier=${SYSTEM}|both-1,${SYSTEM}|both-2` } };
  const whole = bundle("transaction", post("both-1"), post("both-2"), search);
  const transaction = await client.transaction({ body: whole });
  const nothing = await refusal(client.transaction({ body: bundle("transaction", post("none"), spoilt) }));
  const left = await client.search({ resourceType, searchParams: { identifier: `${SYSTEM}|none` } });
  return {
    batch: statuses(batch),
    transaction: statuses(transaction),
    seen: resources(transaction).filter((each) => each?.resourceType === "Bundle").map((each) => each.entry.length),
    nothing,
    left: resources(left).length,
  };
}

async function refusals() {
  const stranger = new Client({ baseUrl: FHIR_URL, bearerToken: "x" });
  return {
    stranger: await refusal(stranger.read({ resourceType, id: "unknown" })),
    unknown: await refusal(client.read({ resourceType, id: "unknown" })),
    unheard: await refusal(client.search({ resourceType, searchParams: { "unheard-of": "x" } })),
    everywhere: await refusal(client.search({ searchParams: { _type: "Nothing" } })),
  };
}

const steps = { statement, lifetime, conditions, pages, histories, operations, bundles, refusals };
const seen = {};
for (const [name, step] of Object.entries(steps)) {
  seen[name] = await step();
}
process.stdout.write(`${JSON.stringify(seen)}\n`);
