// How the page talks to the server: queries and mutations over HTTP, subscriptions over
// graphql-transport-ws. Headers typed by the user go with both.
import { createClient } from 'graphql-ws';
import { OperationTypeNode, getOperationAST, parse } from 'graphql';

/** @param {{graphqlUrl: string, wsUrl: string}} settings */
export function createFetcher({ graphqlUrl, wsUrl }) {
  const subscribe = createSubscriber(new URL(wsUrl, webSocketOrigin()).href);
  return (request, { headers } = {}) =>
    isSubscription(request) ? subscribe(request, headers) : post(graphqlUrl, request, headers);
}

/** The server's own origin with the matching WebSocket scheme. */
function webSocketOrigin() {
  return location.origin.replace(/^http/, 'ws');
}

function isSubscription({ query, operationName }) {
  try {
    const operation = getOperationAST(parse(query), operationName);
    return operation?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    // Let the server explain what is wrong with the document.
    return false;
  }
}

async function post(url, request, headers) {
  const response = await fetch(url, {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      accept: 'application/graphql-response+json, application/json',
      'content-type': 'application/json',
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
  }
}

/** Keeps one connection and replaces it when the credentials change. */
function createSubscriber(url) {
  let current = { key: undefined, client: undefined };
  return (request, headers) => {
    const connectionParams = paramsOf(headers);
    const key = JSON.stringify(connectionParams);
    if (current.key !== key) {
      current.client?.dispose();
      current = {
        key,
        client: createClient({ url, connectionParams, lazyCloseTimeout: 5000, retryAttempts: 2 }),
      };
    }
    return observe(current.client, request);
  };
}

function paramsOf(headers) {
  const authorization = Object.entries(headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'authorization',
  );
  return authorization ? { authorization: authorization[1] } : {};
}

function observe(client, request) {
  return {
    subscribe(observer) {
      const unsubscribe = client.subscribe(request, {
        next: value => observer.next(value),
        error: error => observer.error(explain(error)),
        complete: () => observer.complete(),
      });
      return { unsubscribe };
    },
  };
}

/** A closed socket is not an `Error`; say in words what the close code means. */
function explain(error) {
  if (error instanceof Error || Array.isArray(error)) return error;
  if (typeof error?.code === 'number') {
    return new Error(`WebSocket closed: ${error.code} ${error.reason || 'no reason given'}`);
  }
  return new Error('The WebSocket connection failed.');
}
