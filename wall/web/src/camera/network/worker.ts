// Runs the pose network beside the page, so that neither waits for the other. No picture leaves this worker.

import { letterbox, peopleOf, planes } from "./decode.ts";
import type { FromNetwork, ToNetwork } from "./protocol.ts";

/** The part of onnxruntime-web that is used; the wall serves it under /network/. */
interface Tensor {
  data: Float32Array;
  dims: readonly number[];
  dispose?: () => void;
}
interface Session {
  inputNames: readonly string[];
  outputNames: readonly string[];
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
interface Ort {
  env: { wasm: { wasmPaths: unknown; numThreads: number } };
  Tensor: new (type: "float32", data: Float32Array, dims: number[]) => Tensor;
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

const MOST_THREADS = 4;
let ort: Ort | null = null;
let session: Session | null = null;
let canvas: OffscreenCanvas | null = null;

self.onmessage = (event: MessageEvent<ToNetwork>) => void receive(event.data);

async function receive(message: ToNetwork): Promise<void> {
  try {
    if (message.type === "load") await load(message.webgpu);
    else await infer(message.frame, message.bitmap, message.imgsz);
  } catch (problem) {
    tell({ type: "failed", sentence: problem instanceof Error ? problem.message : String(problem) });
  }
}

async function load(webgpu: boolean): Promise<void> {
  if (webgpu && "gpu" in navigator) {
    try {
      await start("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify", "webgpu");
      return;
    } catch {
      // Many devices offer WebGPU without being able to run the network; the processor can.
    }
  }
  await start("ort.wasm.min.mjs", "ort-wasm-simd-threaded", "wasm");
}

async function start(script: string, runtime: string, engine: string): Promise<void> {
  // Asked for first, because a module that is missing fails without saying why.
  await fetched(`/network/${runtime}.wasm`);
  await fetched(`/network/${script}`);
  const address = new URL(`/network/${script}`, self.location.href).href;
  ort = (await import(address)) as Ort;
  ort.env.wasm.wasmPaths = { mjs: `/network/${runtime}.mjs`, wasm: `/network/${runtime}.wasm` };
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  ort.env.wasm.numThreads = threads;
  const model = new Uint8Array(await (await fetched("/network/pose.onnx")).arrayBuffer());
  session = await ort.InferenceSession.create(model, { executionProviders: [engine], graphOptimizationLevel: "all" });
  tell({ type: "loaded", engine: engine === "webgpu" ? "graphics processor" : `${threads} processor threads` });
}

async function infer(frame: number, bitmap: ImageBitmap, imgsz: number): Promise<void> {
  const began = performance.now();
  const box = letterbox(bitmap.width, bitmap.height, imgsz);
  const [width, height] = box.inner;
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const input = planes(context.getImageData(0, 0, width, height).data, box);
  const tensor = new ort!.Tensor("float32", input, [1, 3, box.input[1], box.input[0]]);
  const results = await session!.run({ [session!.inputNames[0]!]: tensor });
  const output = results[session!.outputNames[0]!]!;
  const people = peopleOf(output.data, output.dims[2]!, box);
  tell({ type: "people", frame, people, tookMs: performance.now() - began, imgsz });
}

async function fetched(address: string): Promise<Response> {
  const answer = await fetch(address);
  if (answer.ok) return answer;
  let sentence = `The wall answered with the error ${answer.status} for ${address}.`;
  try {
    sentence = ((await answer.json()) as { sentence: string }).sentence || sentence;
  } catch {
    // A proxy's page is no JSON.
  }
  throw new Error(sentence);
}

function tell(message: FromNetwork): void {
  self.postMessage(message);
}
