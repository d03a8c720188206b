var o=new WebSocket(new URL("/ws",location.href.replace(/^http/,"ws")));o.onmessage=e=>{let t=JSON.parse(e.data);document.querySelector("#app").textContent=t.type};
