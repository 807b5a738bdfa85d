// Standalone launch: the app itself names the server, and leaves the rest to the client library.
const asked = new URLSearchParams(location.search);
FHIR.oauth2.authorize({
  iss: asked.get("iss"),
  clientId: asked.get("client_id"),
  scope: "launch/patient openid fhirUser patient/Patient.r patient/Observation.rs",
  redirectUri: "/app.html",
  pkceMode: "required",
});
