// A certified OpenID provider (npm's oidc-provider) on loopback, over TLS. Whoever opens its page types the account's name; accounts are
// lines of JSON on standard input: {"sub": "…", "name": "…", "email": "…", "groups": […], "acr": "…", "amr": […]}.
// openid-provider.mjs ISSUER CERTIFICATE KEY CLIENTS
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const [issuer, certificate, key, clients] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const accounts = new Map();

createInterface({ input: process.stdin }).on('line', (line) => {
  const account = JSON.parse(line);
  accounts.set(account.sub, account);
  tell({ account: account.sub });
});

// By way of PEM: while a key is exported Node may collect the job that made it, which waits for the lock that the export holds, for good.
const asText = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const jwk = (kty, options, alg, kid) => ({ ...createPrivateKey(generateKeyPairSync(kty, { ...options, ...asText }).privateKey).export({ format: 'jwk' }), alg, kid, use: 'sig' });
const provider = new Provider(issuer, {
  clients: JSON.parse(clients),
  jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, 'RS256', 'one'), jwk('rsa', { modulusLength: 2048 }, 'PS256', 'two'), jwk('ec', { namedCurve: 'P-256' }, 'ES256', 'three')] },
  cookies: { keys: ['of a test'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { openid: ['sub', 'amr'], acr: null, profile: ['name'], email: ['email'], groups: ['groups'] },
  acrValues: ['urn:test:mfa'],
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, userinfo: { enabled: true }, clientCredentials: { enabled: true },
    // Programs get access tokens as RFC 9068 says, for the audience that they name.
    resourceIndicators: { enabled: true, getResourceServerInfo: (_, audience) => ({ audience, scope: 'licensing:read fleet:read identity:write', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }) },
  },
  extraTokenClaims: (_, token) => token.clientId?.startsWith('customer-') ? { customer: token.clientId.slice('customer-'.length) } : undefined,
  findAccount: (_, sub) => accounts.has(sub) && { accountId: sub, claims: () => accounts.get(sub) },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // Its own guard lets nobody be told on loopback, where the tests are.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  // Whoever signed in has agreed.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile email groups');
    await grant.save();
    return grant;
  },
});

const callback = provider.callback();
const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
};

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    return response.end('<!doctype html><title>The provider</title><form method="post"><input name="login" aria-label="Login"><button>Sign in there</button><button name="decline" value="1">Decline</button></form>');
  }
  const form = await read(request);
  const account = accounts.get(form.get('login'));
  return provider.interactionFinished(request, response, account && !form.get('decline')
    ? { login: { accountId: account.sub, acr: account.acr, amr: account.amr } }
    : { error: 'access_denied', error_description: 'declined' });
}).listen(Number(new URL(issuer).port), '127.0.0.1', () => tell({ ready: true }));

provider.on('backchannel.error', (_, error) => tell({ backchannel: `${error} ${error.cause ?? ''}` }));
provider.on('server_error', (_, error) => tell({ error: String(error.stack) }));
