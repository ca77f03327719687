// A SAML identity provider (npm's samlify) on loopback, over TLS. Whoever opens its page types the account's name; accounts are lines of
// JSON on standard input: {"sub": "…", "name": "…", "email": "…", "groups": […], "context": "…"}.
// saml-idp.mjs ADDRESS CERTIFICATE KEY METADATA SIGNING-KEY SERVICE-PROVIDERS
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import saml from 'samlify';

const [address, certificate, key, metadata, signingKey, serviceProviders] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const accounts = new Map();

createInterface({ input: process.stdin }).on('line', (line) => {
  const account = JSON.parse(line);
  accounts.set(account.sub, account);
  tell({ account: account.sub });
});

// It wants to be told that schemas are somebody else's matter.
saml.setSchemaValidator({ validate: async () => 'not looked at' });
const idp = saml.IdentityProvider({
  metadata: readFileSync(metadata, 'utf8'),
  privateKey: readFileSync(signingKey, 'utf8'),
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
});
const known = JSON.parse(serviceProviders).map((text) => saml.ServiceProvider({ metadata: text }));
const escape = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const attribute = (name, values) => `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue xsi:type="xs:string">${escape(value)}</saml:AttributeValue>`).join('')}</saml:Attribute>`;

const respond = async (query, login) => {
  const text = saml.Utility.inflateString(query.get('SAMLRequest'));
  const sp = known.find((one) => text.includes(`>${one.entityMeta.getEntityID()}<`));
  if (!sp) throw new Error('this service provider is not known');
  const request = await idp.parseLoginRequest(sp, 'redirect', { query: { SAMLRequest: query.get('SAMLRequest') } });
  const account = accounts.get(login);
  if (!account) throw new Error('this account is not known');
  const now = new Date();
  const later = new Date(now.getTime() + 300_000).toISOString();
  const statement = `<saml:AuthnStatement AuthnInstant="${now.toISOString()}" SessionIndex="_${randomUUID()}"><saml:AuthnContext><saml:AuthnContextClassRef>${account.context ?? 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport'}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
  const attributes = `<saml:AttributeStatement>${attribute('displayName', [account.name])}${account.email ? attribute('email', [account.email]) : ''}${attribute('groups', account.groups)}</saml:AttributeStatement>`;
  const acs = sp.entityMeta.getAssertionConsumerService('post');
  const made = await idp.createLoginResponse(sp, request, 'post', { email: login }, {
    relayState: query.get('RelayState'),
    customTagReplacement: () => ({
      id: `_${randomUUID()}`,
      context: saml.SamlLib.replaceTagsByValue(saml.SamlLib.defaultLoginResponseTemplate.context.replace('{AuthnStatement}', statement).replace('{AttributeStatement}', attributes), {
        ID: `_${randomUUID()}`, AssertionID: `_${randomUUID()}`, IssueInstant: now.toISOString(), Destination: acs, SubjectRecipient: acs, InResponseTo: request.extract.request.id,
        Issuer: idp.entityMeta.getEntityID(), StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success', NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', NameID: account.sub,
        ConditionsNotBefore: now.toISOString(), ConditionsNotOnOrAfter: later, SubjectConfirmationDataNotOnOrAfter: later, Audience: sp.entityMeta.getEntityID(),
      }),
    }),
  });
  return `<!doctype html><title>The provider</title><form method="post" action="${escape(acs)}"><input type="hidden" name="SAMLResponse" value="${made.context}"><input type="hidden" name="RelayState" value="${escape(query.get('RelayState'))}"><button>Continue</button></form>`;
};

const read = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
};

createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, async (request, response) => {
  response.setHeader('content-type', 'text/html');
  try {
    if (request.method === 'GET') return response.end('<!doctype html><title>The provider</title><form method="post"><input name="login" aria-label="Login"><button>Sign in there</button></form>');
    return response.end(await respond(new URL(request.url, address).searchParams, (await read(request)).get('login')));
  } catch (error) {
    tell({ error: String(error?.stack ?? error) });
    response.statusCode = 500;
    return response.end(String(error));
  }
}).listen(Number(new URL(address).port), '127.0.0.1', () => tell({ ready: true }));
