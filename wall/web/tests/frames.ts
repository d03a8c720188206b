// Makes binary messages as the wall sends them.

export function binary(header: unknown, jpeg: Uint8Array = new Uint8Array([255, 216, 255])): ArrayBuffer {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const whole = new Uint8Array(4 + text.length + jpeg.length);
  new DataView(whole.buffer).setUint32(0, text.length, true);
  whole.set(text, 4);
  whole.set(jpeg, 4 + text.length);
  return whole.buffer;
}
