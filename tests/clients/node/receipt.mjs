// A receipt of a consent, verified by jose against the keys that the passport publishes; prints what it holds.
//
// https://github.com/panva/jose
//
// The environment says where: BASE_URL. The receipt comes on stdin.

import process from "node:process";
import { text } from "node:stream/consumers";

import { compactVerify, createRemoteJWKSet } from "jose";

const keys = createRemoteJWKSet(new URL(`${process.env.BASE_URL}/.well-known/jwks.json`));
const receipt = (await text(process.stdin)).trim();

async function verified(message) {
  try {
    const { payload, protectedHeader } = await compactVerify(message, keys, { algorithms: ["ES256"] });
    return { header: protectedHeader, content: JSON.parse(new TextDecoder().decode(payload)) };
  } catch (error) {
    return { refused: error.code };
  }
}

const [header, , signature] = receipt.split(".");
const other = Buffer.from(JSON.stringify({ pii_principal_id: "Patient/other" })).toString("base64url");
const told = { held: await verified(receipt), changed: await verified(`${header}.${other}.${signature}`) };
process.stdout.write(JSON.stringify(told));
