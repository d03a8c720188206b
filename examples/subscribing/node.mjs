// Follow one camera from Node.js:
//
//     npm install redis
//     node examples/subscribing/node.mjs [redis://HOST:6379 [CAMERA]]

import { createClient } from "redis";

const [url = "redis://127.0.0.1:6399", camera = "door"] = process.argv.slice(2);
const client = createClient({ url });
client.on("error", (error) => console.error(error.message));
await client.connect();

const after = { "posebus:{0}:events": "0", [`posebus:{0}:tracks:${camera}`]: "0" };
for (;;) {
  const streams = Object.entries(after).map(([key, id]) => ({ key, id }));
  for (const { name, messages } of (await client.xRead(streams, { COUNT: 100, BLOCK: 1000 })) ?? []) {
    for (const { id, message } of messages) {
      after[name] = id;
      const body = JSON.parse(message.data);
      if (!body.specversion) {
        console.log(`tracks ${body.camera}/${body.epoch}/${body.seq} ${body.tracks.length}`);
      } else if (body.data.camera === camera) {
        console.log(`event ${body.id} ${body.type}`);
      }
    }
  }
}
