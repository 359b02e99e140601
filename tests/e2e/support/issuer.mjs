// A real OpenID provider on this machine, for people to sign in with: whoever gives a login is that person, with a verified address.
// It is honest until a test tells it to lie once, by posting the lie to /test/lie.
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export const CLIENT_ID = 'meridian-e2e';
export const CLIENT_SECRET = 'a-secret-of-the-end-to-end-tests';

/** Serves a provider on a port of 127.0.0.1 that knows the servers at these addresses. */
export async function serveIssuer(port, servers) {
  const issuer = `http://127.0.0.1:${port}`;
  const clients = [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: servers.map(url => `${url}/auth/callback`),
      post_logout_redirect_uris: servers.map(url => `${url}/`),
    },
  ];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'e2e', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'zoneinfo'] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    pkce: { required: () => true },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@issuer.example`,
        email_verified: true,
        name: `Person ${id}`,
        zoneinfo: 'Europe/Lisbon',
      }),
    }),
  });
  const honest = provider.callback();
  let lie;
  const server = createServer((request, response) => {
    if (request.url === '/test/lie') {
      readJson(request).then(told => {
        lie = told;
        response.end();
      });
      return;
    }
    if (lie && request.url === '/token') {
      tell(lie, privateKey, response);
      lie = undefined;
    }
    honest(request, response);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: issuer,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function readJson(request) {
  let text = '';
  for await (const part of request) text += part;
  return JSON.parse(text);
}

/** Changes what the token endpoint answers: `how` it does so, or `header` and `claims` of the identity token, which is signed anew. */
function tell({ how, header, claims }, key, response) {
  const end = response.end.bind(response);
  const parts = [];
  response.write = part => Boolean(parts.push(Buffer.from(part)));
  response.end = part => {
    if (part) parts.push(Buffer.from(part));
    if (how === 'down') return response.destroy();
    if (how === 'slow') return response;
    const answer = JSON.parse(Buffer.concat(parts));
    if (how === 'huge') answer.more = 'x'.repeat(3 << 20);
    else answer.id_token = forged(answer.id_token, key, header, claims);
    const text = JSON.stringify(answer);
    response.setHeader('content-length', Buffer.byteLength(text));
    return end(text);
  };
}

function forged(token, key, header, claims) {
  const [first, second] = token.split('.').map(part => Buffer.from(part, 'base64url').toString());
  const encode = (text, more) => Buffer.from(JSON.stringify({ ...JSON.parse(text), ...more })).toString('base64url');
  const said = `${encode(first, header)}.${encode(second, claims)}`;
  const signature = header?.alg === 'none' ? '' : sign('RSA-SHA256', Buffer.from(said), key).toString('base64url');
  return `${said}.${signature}`;
}
