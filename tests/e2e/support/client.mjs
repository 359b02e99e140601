// The clients that front ends use: urql over HTTP, graphql-ws over WebSocket.
import { Client, fetchExchange } from '@urql/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { documentOf } from './documents.mjs';
import * as setting from './setting.mjs';

const PATIENCE = 30_000;

/** A person with an HTTP client. `token` may be undefined for a guest. */
export function person(token, url = setting.url) {
  const client = new Client({
    url: `${url}/graphql`,
    exchanges: [fetchExchange],
    fetchOptions: token ? { headers: { authorization: `Bearer ${token}` } } : {},
    requestPolicy: 'network-only',
  });

  /** Answer of a named operation as it came: `{data, errors}`. */
  async function ask(name, variables = {}) {
    const document = documentOf(name);
    const { operation } = document.definitions.find(part => part.kind === 'OperationDefinition');
    const result = await client[operation](document, variables).toPromise();
    if (result.error?.networkError) throw result.error.networkError;
    return { data: result.data, errors: result.error?.graphQLErrors ?? [] };
  }

  /** Data of a named operation; fails on any error. */
  async function data(name, variables) {
    const answer = await ask(name, variables);
    if (answer.errors.length) throw new Error(`${name}: ${describe(answer.errors)}`);
    return answer.data;
  }

  /** Payload of a mutation; fails on user errors too. */
  async function command(name, variables) {
    const [payload] = Object.values(await data(name, variables));
    if (payload.userErrors.length) throw new Error(`${name}: ${JSON.stringify(payload.userErrors)}`);
    return payload;
  }

  return { ask, data, command };
}

/** A WebSocket connection of a person. Close it with `close()`. */
export function socket(token, url = setting.secondUrl) {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazy: false,
    onNonLazyError: () => {},
  });
  return { subscribe: (name, variables) => subscribe(client, name, variables), close: () => client.dispose() };
}

/** A running subscription: values that arrived wait in a line until they are taken. */
function subscribe(client, name, variables = {}) {
  const arrived = [];
  let ended = null;
  let wake = () => {};
  const stop = client.subscribe(
    { query: print(documentOf(name)), variables, operationName: name },
    {
      next(result) {
        if (result.errors) ended = new Error(`${name}: ${describe(result.errors)}`);
        else arrived.push(Object.values(result.data)[0]);
        wake();
      },
      error(error) {
        ended = Object.assign(new Error(`${name}: ${describe(error)}`), { errors: error });
        wake();
      },
      complete() {
        ended ??= 'complete';
        wake();
      },
    },
  );

  /** Takes values until one matches; fails when the subscription ends or patience does. */
  async function until(matches, what = 'a value') {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      while (arrived.length) {
        const value = arrived.shift();
        if (matches(value)) return value;
      }
      if (ended instanceof Error) throw ended;
      if (ended) throw new Error(`${name} ended before ${what}`);
      await wait(deadline, what);
    }
  }

  /** Waits for the end and gives everything that was not taken yet. */
  async function rest() {
    const deadline = Date.now() + PATIENCE;
    while (!ended) await wait(deadline, 'its end');
    if (ended instanceof Error) throw ended;
    return arrived.splice(0);
  }

  function wait(deadline, what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${name}: waited in vain for ${what}`)),
        Math.max(deadline - Date.now(), 0),
      );
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return { until, rest, stop };
}

function describe(errors) {
  if (Array.isArray(errors)) {
    return errors.map(({ message, extensions }) => `${extensions?.code ?? '-'} ${message}`).join('; ');
  }
  return errors?.code ? `closed ${errors.code} ${errors.reason}` : String(errors?.message ?? errors);
}

/** Codes of top-level errors. */
export function codes(errors) {
  return errors.map(error => error.extensions?.code);
}
