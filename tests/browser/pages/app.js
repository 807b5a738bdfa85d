// What the app reads once the person has decided.
async function read() {
  const client = await FHIR.oauth2.ready();
  const patient = await client.patient.read();
  const found = await client.patient.request("Observation?code=85354-9", { pageLimit: 0, flat: true });
  const refused = await client.request(`MedicationRequest?patient=${client.patient.id}`).then(
    () => 200,
    (error) => error.status,
  );
  return {
    patient: client.patient.id,
    name: patient.name[0].text,
    user: client.getFhirUser(),
    scope: client.state.tokenResponse.scope,
    pressures: found.map((each) => each.component[0].valueQuantity.value),
    refused,
  };
}

addEventListener("DOMContentLoaded", () => {
  const shown = (told) => {
    document.querySelector("output").textContent = JSON.stringify(told);
  };
  read().then(shown, (error) => shown({ failed: String(error) }));
});
