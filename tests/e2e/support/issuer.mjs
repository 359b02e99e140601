// A real OpenID provider on this machine, for people to sign in with: whoever gives a login is that person, with a verified address.
import { generateKeyPairSync } from 'node:crypto';
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
  const server = createServer(provider.callback());
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
