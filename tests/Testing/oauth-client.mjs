// A billing system as anybody writes one, with npm's openid-client: everything is found by discovery. What it is to do comes as JSON on
// standard input, since secrets are no arguments; what it got goes to standard output.
import { webcrypto } from 'node:crypto';
import * as oauth from 'openid-client';

const parts = [];
for await (const part of process.stdin) parts.push(part);
const { issuer, clientId, secret, scope, call, keys } = JSON.parse(Buffer.concat(parts).toString('utf8'));
const algorithms = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' } };
const load = (pem, alg) => webcrypto.subtle.importKey('pkcs8', Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'), algorithms[alg], false, ['sign']);

const ways = [['client_secret_basic', oauth.ClientSecretBasic(secret)], ['client_secret_post', oauth.ClientSecretPost(secret)]];
for (const { alg, kid, pem } of keys) {
  ways.push([`private_key_jwt ${alg}`, oauth.PrivateKeyJwt({ key: await load(pem, alg), kid })]);
}

const got = [];
for (const [by, authentication] of ways) {
  const server = await oauth.discovery(new URL(issuer), clientId, undefined, authentication);
  const tokens = await oauth.clientCredentialsGrant(server, { scope });
  const answer = await oauth.fetchProtectedResource(server, tokens.access_token, new URL(call), 'GET');
  got.push({ by, status: answer.status, scope: tokens.scope, expires: tokens.expires_in, customers: (await answer.json()).items.map((one) => one.name) });
}

process.stdout.write(JSON.stringify(got));
