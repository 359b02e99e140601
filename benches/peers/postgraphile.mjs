// PostGraphile 5 on the same tables: its Amber preset without global node ids, plans and prepared statements as they come, the week
// as a function of the database, live changes by LISTEN and NOTIFY.
//
// node postgraphile.mjs PORT POSTGRES_URL

import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { jsonParse } from "postgraphile/@dataplan/json";
import { constant, context, lambda, listen } from "postgraphile/grafast";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { extendSchema, gql } from "postgraphile/utils";

const [port, connectionString] = process.argv.slice(2);

const live = extendSchema((build) => {
  const { tasks } = build.input.pgRegistry.pgResources;
  return {
    typeDefs: gql`
      type TaskChange {
        action: String!
        task: Task
      }
      extend type Subscription {
        taskChanged(workspaceId: UUID!): TaskChange
      }
    `,
    objects: {
      Subscription: {
        plans: {
          taskChanged: {
            subscribePlan(_, { $workspaceId }) {
              const topic = lambda($workspaceId, (id) => `task:${id}`);
              return listen(context().get("pgSubscriber"), topic, jsonParse);
            },
            plan: (event) => event,
          },
        },
      },
      TaskChange: {
        plans: {
          action: () => constant("CREATED"),
          task: (event) => tasks.get({ id: event.get("id") }),
        },
      },
    },
  };
});

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [live],
  disablePlugins: ["NodePlugin"],
  pgServices: [
    makePgService({
      connectionString,
      schemas: ["public", "postgraphile"],
      pubsub: true,
      poolConfig: { max: 10 },
    }),
  ],
  grafserv: { port: Number(port), host: "127.0.0.1", websockets: true, watch: false, graphiql: false },
  grafast: { explain: false },
};

const server = createServer();
const serving = postgraphile(preset).createServ(grafserv);
await serving.addTo(server);
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
