import type { FromServer } from "./protocol.ts";

const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
socket.onmessage = (message: MessageEvent<string>) => {
  const hello = JSON.parse(message.data) as FromServer;
  document.querySelector("#app")!.textContent = hello.type;
};
